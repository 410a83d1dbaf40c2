"""What somebody at the worklist waits for with 100, 1,000 and 10,000 open cases.

A real browser on the real API, in turns with the same bytes served from memory as the floor: milliseconds to the first
rows and to the first interaction, bytes and requests of a page, from a commit to the changed row on the screen, and
what 50 open tabs cost the server.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import psutil
from playwright.async_api import Page, async_playwright

from bench.common import Asked, Row, server
from bench.growth import made
from bench.http import Caller, api, signed_in

SIZES = (100, 1_000, 10_000)
LOADS, CHANGES, TABS, SECONDS = 12, 15, 50, 10
CHROMIUM = "/usr/bin/chromium"
WORKLIST = "/console/?tab=team"
FIRST = """() => ({
  rows: performance.getEntriesByName('first-contentful-paint')[0].startTime,
  interaction: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
  bytes: performance.getEntriesByType('navigation')[0].decodedBodySize,
  requests: 1 + performance.getEntriesByType('resource').length,
})"""
WATCH = """() => new MutationObserver(() => { window.changedAt = performance.timeOrigin + performance.now(); })
  .observe(document.querySelector('.list tbody'), { childList: true })"""


@asynccontextmanager
async def floor(page: bytes, files: Mapping[str, bytes]) -> AsyncIterator[int]:
    """A server that answers from memory and does nothing else; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1].decode()
            kind = {"css": "text/css", "js": "text/javascript"}.get(path.rpartition(".")[2], "text/html; charset=utf-8")
            body = files.get(path, page)
            told = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(told.encode() + body)

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def load(page: Page, address: str) -> dict[str, float]:
    """One load of a page, as the browser saw it."""
    await page.goto(address)
    await page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    found: dict[str, float] = await page.evaluate(FIRST)
    return found


def p50(found: list[dict[str, float]]) -> dict[str, float]:
    """Medians by name."""
    return {name: round(median(one[name] for one in found), 1) for name in found[0]}


async def live(page: Page, caller: Caller, address: str, changes: int) -> dict[str, float]:
    """Milliseconds from the answer to a command until its row has changed on the screen."""
    await page.goto(address)
    caller.case = str(await page.locator(".list tbody tr").first.get_attribute("id"))
    await page.wait_for_timeout(500)
    await page.evaluate(WATCH)
    took = []
    for _ in range(changes):
        await page.evaluate("window.changedAt = 0")
        await caller.command()
        committed = 1000 * time.time()
        await page.wait_for_function("window.changedAt > 0", polling=20)
        took.append(float(await page.evaluate("window.changedAt")) - committed)
        await page.wait_for_timeout(400)
    return {"p50_ms": round(median(took), 1), "worst_ms": round(max(took), 1)}


async def tabs(port: int, token: str, caller: Caller, seconds: int) -> dict[str, float]:
    """Megabytes and share of a core each of many open tabs costs, while one case changes each second."""
    server = next(p for p in psutil.Process().children(recursive=True) if "serve" in p.cmdline())

    async def cost() -> float:
        began = sum(server.cpu_times()[:2])
        for _ in range(seconds):
            await caller.command()
            await asyncio.sleep(1)
        return float(sum(server.cpu_times()[:2]) - began) / seconds

    alone, before = await cost(), server.memory_info().rss
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(TABS)]
    for _, writer in opened:
        writer.write(f"GET /stream HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    await asyncio.sleep(1)
    together, after = await cost(), server.memory_info().rss
    for _, writer in opened:
        writer.close()
    return {
        "kB_per_tab": round((after - before) / TABS / 1000, 1),
        "core_per_tab_percent": round(100 * (together - alone) / TABS, 3),
    }


async def measured(dsn: str, home: Path, page: Page, asked: Asked) -> Row:
    """All of it for one database."""
    token = await signed_in(dsn, home)
    async with api(dsn, home) as port:
        site = f"http://127.0.0.1:{port}"
        await page.context.add_cookies([{"name": "caravel_session", "value": token, "url": site}])
        caller = Caller(*await asyncio.open_connection("127.0.0.1", port), token)
        kept = await files(page, site)
        async with floor(kept[WORKLIST], kept) as bare:
            ours, theirs = [], []
            for n in range(asked.either(LOADS, 1) + 1):
                one, other = await load(page, site + WORKLIST), await load(page, f"http://127.0.0.1:{bare}{WORKLIST}")
                ours += [one] if n else []  # the first warms up
                theirs += [other] if n else []
        found = {
            "worklist": p50(ours),
            "static": p50(theirs),
            "live": await live(page, caller, site + WORKLIST, asked.either(CHANGES, 2)),
        }
        await page.goto(f"{site}/console/cases/{caller.case}")
        return {
            **found,
            "case_page": await load(page, page.url),
            "tabs": await tabs(port, token, caller, asked.either(SECONDS, 1)),
        }


async def files(page: Page, site: str) -> dict[str, bytes]:
    """The worklist and everything it names, by path."""
    whole = await (await page.context.request.get(site + WORKLIST)).body()
    named = re.findall(r'(?:href|src)="(/console/static/[^"]+)"', whole.decode())
    return {WORKLIST: whole} | {path: await (await page.context.request.get(site + path)).body() for path in named}


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each size."""
    sizes = asked.either(SIZES, (10,))
    async with (
        server((f"of_{size}" for size in sizes), migrated=False) as (running, folder),
        async_playwright() as driver,
    ):
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for size in sizes:
            dsn, home = running.dsn_of(f"of_{size}"), folder / str(size)
            await made(dsn, home, size)
            page = await browser.new_page(bypass_csp=True)
            yield {"cases": size, **await measured(dsn, home, page, asked)}
            await page.close()
        await browser.close()
