"""Pictures of the console: `python docs/console/pictures.py FOLDER` on a small installation of its own.

Opens a dozen cases, takes one of them through its first steps, and has Chromium look at each page: wide and narrow,
light and dark, in every language, on paper and at 200 %.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from activities.attend import Attending
from activities.catalogue import Catalogue
from activities.orders import Attend
from activities.ports import Meta
from activities.record import Ask
from api.ports import DevSignIn, Limits
from api.run.http import http_app
from api.run.wiring import Parts, parts
from api.serve import serve
from domain.person import RegisterPerson
from domain.stages.anytime import AddNote
from domain.stages.holding import HoldCase
from domain.stages.inquiry import OpenCase, ReplyToFamily
from domain.stages.people import GiveConsent
from domain.stages.records import RequestRecord
from infra.ids import fresh_stream
from infra.ledger.migrate import migrate
from infra.postgres_server import PostgresServer
from infra.server_process import free_port
from infra.settings import Settings

SECRET, CHROMIUM = "pictures", "/usr/bin/chromium"
WIDE, NARROW = 1440, 390
CASES, LOOKED_AT = 14, 5
"""How many there are, and how many steps the one that is looked at has gone."""
NAMES = ("Asha Rao", "Nguyễn Thị Mai", "أمينة المنصوري", "Siti Aminah", "Rahul Verma", "Bilal Khan", "Somchai P.")
COUNTRIES = ("IN", "VN", "AE", "ID", "IN", "PK", "TH")
PAGES = {
    "worklist": "/console/?tab=team",
    "case": "{case}",
    "timeline": "{case}/timeline",
    "form": "{case}/do/AddPerson",
}


async def filled(here: Parts) -> tuple[str, str]:
    """Who looks, and the case that is looked at."""
    keeper, meta = Catalogue(here.ledger, here.door.ids), Meta("pictures", "operation")
    mei = RegisterPerson("coordinator", "asia", "Mei Lin", "mei@example.org", "Asia/Kolkata", "en")
    person = (await keeper.record(fresh_stream("person"), mei, meta)).stream
    me, case = Meta(person), ""
    for n in range(CASES):
        case, who = fresh_stream("case"), n % len(NAMES)
        inquiry = OpenCase(COUNTRIES[who], "en", "Asia/Kolkata", NAMES[who], team="asia", urgent=n % 5 == 0)
        done = await here.door.record(Ask(case, me, inquiry))
        patient = done.case.patient
        assert patient
        steps = [
            ReplyToFamily("call", "The mother asked how long it takes."),
            GiveConsent("data_processing", patient.id, "1", "en"),
            RequestRecord("pathology"),
            RequestRecord("marrow_mrd"),
            AddNote("note", "They prefer to be called in the evening."),
            HoldCase("The family travels."),
        ]
        for command in steps[: LOOKED_AT if n == CASES - 1 else n % 7]:
            await here.door.record(Ask(case, me, command))
        await Attending(here.door).attend(Attend(case, 0, 0))
    return person, case


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[tuple[str, str, str]]:
    """An installation as small as can be: its address, who looks, the case."""
    async with PostgresServer(folder / "postgres", fsync=False) as server:
        await migrate(server.dsn)
        given = Settings(database_url=server.dsn, home=folder / "home", kind="development")  # type: ignore[arg-type]
        async with parts(given) as here:
            person, case = await filled(here)
            port, stop = free_port(), asyncio.Event()
            ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            dev = DevSignIn(SECRET, frozenset({f"127.0.0.1:{port}"}))
            app = http_app(here, dev=dev, limits=Limits(0, 0, 0))
            task = asyncio.create_task(serve(app, "127.0.0.1", port, stop, ready.set_result))
            yield f"http://127.0.0.1:{await ready}", person, case
            stop.set()
            await task


async def take(page: Page, folder: Path, name: str, width: int) -> None:
    """The first screen of a page; a whole long page would be too large to keep."""
    await page.set_viewport_size({"width": width, "height": 1000 if width == WIDE else 844})
    await page.screenshot(path=folder / f"{name}.png")


async def pictures(browser: Browser, address: str, person: str, case: str, folder: Path) -> None:
    """All of them."""
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{address}/?secret={SECRET}")
    await take(page, folder, "sign-in", WIDE)
    await page.locator(f'button[value="{person}"]').click()
    for language in ("en", "zh", "ar"):
        await page.locator(f'footer button[value="{language}"]').click()
        for name, path in PAGES.items():
            await page.goto(address + path.format(case=f"/console/cases/{case}"))
            for width in (WIDE, NARROW):
                await take(page, folder, f"{name}-{language}-{width}", width)
    await page.locator('footer button[value="en"]').click()
    await page.emulate_media(color_scheme="dark")
    for name in ("worklist", "case"):
        await page.goto(address + PAGES[name].format(case=f"/console/cases/{case}"))
        for width in (WIDE, NARROW):
            await take(page, folder, f"{name}-dark-{width}", width)
    await page.emulate_media(color_scheme="light", media="print")
    await take(page, folder, "case-print", WIDE // 2)
    await page.emulate_media(media="screen")
    await take(page, folder, "case-200-percent", WIDE // 2)


async def main(folder: Path) -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as made_in:
        async with site(Path(made_in)) as (address, person, case), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            await pictures(browser, address, person, case, folder)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
