"""Pictures of the console, as it stands in a running demonstration.

`caravel up` in one terminal, then `python docs/console/pictures.py ADDRESS FOLDER` with the address of its
line "Console".

Looks at what a rehearsed cohort brought, as coordinator, auditor and operator: wide and narrow, light and dark, in
every language, on paper and at 200 %.
"""

import asyncio
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
WIDE, NARROW = 1440, 390


async def take(page: Page, file: Path, width: int) -> None:
    """The first screen of a page; a whole long page would be too large to keep."""
    await page.set_viewport_size({"width": width, "height": 844 if width == NARROW else 1000})
    await page.screenshot(path=file)


async def signed_in(browser: Browser, address: str, role: str) -> Page:
    """A window of their own for one of the people of the demonstration."""
    page = await (await browser.new_context(base_url="{0.scheme}://{0.netloc}".format(urlsplit(address)))).new_page()
    await page.goto(address)
    await page.locator(f'button[value="person-{role}"]').click()
    return page


async def speaking(page: Page, language: str) -> None:
    """From now on in this language."""
    await page.locator(f'footer button[value="{language}"]').click()


async def of_coordinator(page: Page, folder: Path) -> str:
    """Worklist, case, form, the past; the case that was looked at."""
    first = await page.locator("tr .tag.yours").locator("xpath=ancestor::tr").first.get_attribute("id")
    case = f"/console/cases/{first}"
    for language in ("en", "zh", "ar"):
        await page.goto("/console/")
        await speaking(page, language)
        for name, path in (("worklist", "/console/"), ("case", case)):
            await page.goto(path)
            await take(page, folder / f"{name}-{language}-{WIDE}.png", WIDE)
            if language != "zh":
                await take(page, folder / f"{name}-{language}-{NARROW}.png", NARROW)
        await page.goto(f"{case}/do/RequestRecord")
        await take(page, folder / f"form-{language}-{NARROW}.png", NARROW)
    await page.goto("/console/")
    await speaking(page, "en")
    await page.emulate_media(color_scheme="dark")
    await take(page, folder / f"worklist-dark-{WIDE}.png", WIDE)
    await page.goto(case)
    await take(page, folder / f"case-dark-{NARROW}.png", NARROW)
    await page.emulate_media(color_scheme="light", media="print")
    await take(page, folder / "case-print.png", WIDE // 2)
    await page.emulate_media(media="screen")
    await take(page, folder / "case-200-percent.png", WIDE // 2)
    places = await page.locator("input[name=recorded]").get_attribute("max")
    await page.goto(f"{case}/at?recorded={int(places or 0) // 2}")
    await take(page, folder / f"travel-{WIDE}.png", WIDE)
    return case


async def of_auditor(page: Page, case: str, folder: Path) -> None:
    """Who did what, that it holds, one proof, and what is taken away."""
    await page.goto(f"{case}/timeline")
    await take(page, folder / f"timeline-auditor-{WIDE}.png", WIDE)
    await page.get_by_role("button", name="Verify this case").click()
    await page.locator(".done, .wrong").wait_for(timeout=60_000)
    await page.goto("/console/audit")
    await page.get_by_role("button", name="Verify the whole ledger").click()
    await page.locator(".done, .wrong").wait_for(timeout=120_000)
    await take(page, folder / f"audit-verified-{WIDE}.png", WIDE)
    await page.goto("/console/audit")
    await take(page, folder / f"audit-{WIDE}.png", WIDE)
    await page.goto(f"/console/audit/event?case={case.rpartition('/')[2]}&version=3")
    await take(page, folder / f"proof-{NARROW}.png", NARROW)
    await page.goto("/console/audit")
    form = page.locator('form[action="/console/audit/evidence"]')
    await form.locator('[name="case"]').fill(case.rpartition("/")[2])
    async with page.expect_download() as download:
        await form.get_by_role("button").click()
    with zipfile.ZipFile(await (await download.value).path()) as package, TemporaryDirectory() as opened:
        report = Path(package.extract("report.html", opened))
        await page.goto(report.as_uri())  # as whoever was given the file opens it
        await take(page, folder / f"package-{WIDE}.png", WIDE)


async def of_operator(page: Page, folder: Path) -> None:
    """How the machinery does."""
    await page.goto("/console/operations")
    await take(page, folder / f"operations-{WIDE}.png", WIDE)
    await speaking(page, "zh")
    await page.goto("/console/operations")
    await take(page, folder / f"operations-zh-{NARROW}.png", NARROW)


async def main(address: str, folder: Path) -> None:
    """Take them."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(address)
        await take(page, folder / "sign-in.png", WIDE)
        case = await of_coordinator(await signed_in(browser, address, "coordinator"), folder)
        await of_auditor(await signed_in(browser, address, "auditor"), case, folder)
        await of_operator(await signed_in(browser, address, "operator"), folder)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
