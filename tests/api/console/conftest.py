"""The console in process over a migrated database of its own; people sign in the way people do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped] # it has no types
from fastapi import FastAPI
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, async_playwright, expect

from api.http.streams_end import serve
from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.wiring import Parts
from infra.embedded.server_process import free_port
from tests.api.conftest import (  # noqa: F401 - fixtures of this folder too
    HOST,
    NO_LIMIT,
    ROLES,
    SECRET,
    Staffed,
    app,
    client,
    coordinator,
    here,
    nobody,
    people,
    supervisor,
)

ORIGIN = f"http://{HOST}"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Browser:
    """Somebody with a browser: follows what pages say, keeps cookies, sends what a browser sends."""

    id: str
    http: httpx2.AsyncClient = field(repr=False)

    async def get(self, path: str) -> httpx2.Response:
        return await self.http.get(path, follow_redirects=True)

    async def post(self, path: str, origin: str = ORIGIN, **form: str | list[str]) -> httpx2.Response:
        return await self.http.post(path, data=form, headers={"Origin": origin}, follow_redirects=True)

    async def csrf(self) -> str:
        return hidden((await self.get("/console/")).text)["csrf"]


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page, the last of each name."""
    return {name: unescape(value) for name, value in HIDDEN.findall(page)}


async def browsing(app: FastAPI, person: str) -> Browser:  # noqa: F811 - an argument
    http = client(app)
    await http.get("/", params={"secret": SECRET})
    answer = await http.post("/console/sign-in", data={"person": person}, headers={"Origin": ORIGIN})
    assert answer.status_code == 303, answer.text
    return Browser(person, http)


@pytest.fixture(scope="module")
async def browsers(app: FastAPI, staffed: Staffed) -> Mapping[str, Browser]:  # noqa: F811 - the fixtures above
    """Another of each role than `people` are, all of team asia, each with a browser of their own."""
    return {role: await browsing(app, staffed.ids[role][1]) for role in ROLES}


@pytest.fixture(scope="module")
def mei(browsers: Mapping[str, Browser]) -> Browser:
    """A coordinator."""
    return browsers["coordinator"]


CHROMIUM = Path("/usr/bin/chromium")
INSTALLED = CHROMIUM.exists()
PATIENCE = 40_000
"""Milliseconds a page, and what it is to show, may take on a busy machine."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
async def site(here: Parts) -> AsyncIterator[str]:  # noqa: F811 - the fixture above
    """The address of the console on a real socket."""
    port, stop, ready = free_port(), asyncio.Event(), asyncio.get_running_loop().create_future()
    served = http_app(here, dev=DevSignIn(SECRET, frozenset({f"127.0.0.1:{port}"})), limits=NO_LIMIT)
    task = asyncio.create_task(serve(served, "127.0.0.1", port, stop, ready.set_result))
    yield f"http://127.0.0.1:{await ready}"
    stop.set()
    await task


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    """Debian's Chromium; without one these tests are left out."""
    if not INSTALLED:
        pytest.skip("no /usr/bin/chromium: on Debian, apt-get install chromium runs the browser tests")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@dataclass
class Screen:
    """A page of somebody signed in, and what one does with it."""

    page: Page
    site: str

    async def go(self, path: str) -> None:
        await self.page.goto(self.site + path)

    async def fill(self, **fields: str | bool | bytes) -> None:
        """Fill a form by the names of its fields; `a__b` is the field b of a, bytes are a PDF."""
        for name, value in fields.items():
            field = self.page.locator(f'main [name="{name.replace("__", ".")}"]')
            if isinstance(value, bytes):
                await field.set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": value})
            elif isinstance(value, bool):
                await field.set_checked(value)
            elif await field.evaluate("e => e.tagName") == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(value)

    async def record(self) -> None:
        await self.page.get_by_role("button", name="Record").click()

    async def do(self, case: str, command: str, **fields: str | bool | bytes) -> str:
        """Give a command by its form; what the case page says of it."""
        await self.go(f"/console/cases/{case}/do/{command}")
        await self.fill(**fields)
        await self.record()
        done = self.page.locator(".done")
        await done.wait_for(timeout=PATIENCE)
        return await done.inner_text()


async def screen(chromium: Chromium, site: str, person: str, **options: Any) -> Screen:
    """Somebody signs in, in a browser of their own."""
    context = await chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto(f"{site}/?secret={SECRET}")
    await page.locator(f'button[value="{person}"]').click()
    await page.wait_for_url(f"{site}/console/")
    return Screen(page, site)


async def violations(page: Page, **options: Any) -> list[Any]:
    """What axe-core finds wrong with a page, in the order of its rules.

    It is told to write out nothing else: every element that is right is megabytes a page, and most of the time.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    told = {**options, "resultTypes": ["violations"]}
    found: list[Any] = await page.evaluate("async told => (await axe.run(told)).violations", told)
    return found
