"""A large file from a page, in a real browser: it goes on after a cut, after its page was left, and without script."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Route, expect

from api.run.wiring import Parts
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Screen, screen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MIB = 1024 * 1024
SIZE, PIECE = 13 * MIB, 4 * MIB
LENGTH = 9 + SIZE - 16 + 7
SMALL = b"%PDF-1.7\n\n%%EOF\n"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF that is sent in pieces."""
    file = tmp_path_factory.mktemp("large") / "scan of März.pdf"
    file.write_bytes(b"%PDF-1.7\n" + os.urandom(SIZE - 16) + b"\n%%EOF\n")
    return file


@pytest.fixture
async def mine(chromium: Chromium, site: str, here: Parts) -> AsyncIterator[Screen]:
    one = await screen(chromium, site, await registered(here, "coordinator"))
    yield one
    await one.page.context.close()


class Cuts:
    """Lets pieces pass and notes where they begin; breaks the line at the ones it is told of, counted from 1."""

    def __init__(self, *broken: int) -> None:
        self._broken = broken
        self.offsets: list[int] = []

    async def take(self, route: Route) -> None:
        if route.request.method != "PATCH":
            await route.continue_()
            return
        self.offsets.append(int(route.request.headers["upload-offset"]))
        await (route.abort() if len(self.offsets) in self._broken else route.continue_())


async def attached(coordinator: Person, case: str) -> list[tuple[str, int]]:
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    return [(one["data"]["name"], one["data"]["bytes"]) for one in events if one["type"] == "DocumentAttached"]


async def chosen(mine: Screen, case: str, file: Path) -> None:
    await mine.go(f"/console/cases/{case}/do/AttachDocument")
    await mine.page.locator('input[type="file"]').set_input_files(file)
    await mine.record()


async def test_a_cut_costs_no_piece_twice(mine: Screen, coordinator: Person, large: Path) -> None:
    case = str((await coordinator.open())["case"])
    cuts = Cuts(2, 3)
    await mine.page.route("**/uploads/**", cuts.take)
    await chosen(mine, case, large)
    await mine.page.locator(".done").wait_for()
    assert cuts.offsets == [0, PIECE, PIECE, PIECE, 2 * PIECE, 3 * PIECE]
    [(name, size)] = await attached(coordinator, case)
    assert (name, size) == (large.name, LENGTH)


async def test_it_goes_on_after_the_page_was_left(mine: Screen, coordinator: Person, large: Path) -> None:
    case = str((await coordinator.open())["case"])
    first = Cuts(*range(3, 30))
    await mine.page.route("**/uploads/**", first.take)
    await chosen(mine, case, large)
    sending = mine.page.locator(".sending")
    await expect(sending).to_contain_text("goes on from where it stopped")
    assert 0.5 < float(await sending.locator("progress").evaluate("bar => bar.value")) < 1
    await mine.go("/console/")
    await mine.page.unroute_all(behavior="ignoreErrors")
    later = Cuts()
    await mine.page.route("**/uploads/**", later.take)
    await chosen(mine, case, large)
    await mine.page.locator(".done").wait_for()
    assert later.offsets == [2 * PIECE, 3 * PIECE]
    assert len(await attached(coordinator, case)) == 1


async def test_what_is_refused_says_why_and_a_small_file_goes_with_its_form(
    mine: Screen, coordinator: Person, large: Path, tmp_path: Path
) -> None:
    case = str((await coordinator.open())["case"])
    junk, small, cuts = tmp_path / "junk.pdf", tmp_path / "small.pdf", Cuts()
    junk.write_bytes(os.urandom(SIZE))
    small.write_bytes(SMALL)
    await mine.page.route("**/uploads/**", cuts.take)
    await chosen(mine, case, junk)
    await expect(mine.page.locator("#say")).to_contain_text("the file is")
    assert not await attached(coordinator, case)
    sent = len(cuts.offsets)
    await chosen(mine, case, small)
    await mine.page.locator(".done").wait_for()
    assert len(cuts.offsets) == sent > 1
    assert [size for _, size in await attached(coordinator, case)] == [len(SMALL)]


async def test_without_script_the_form_sends_it_whole(
    chromium: Chromium, site: str, here: Parts, coordinator: Person, large: Path
) -> None:
    case = str((await coordinator.open())["case"])
    one = await screen(chromium, site, await registered(here, "coordinator"), java_script_enabled=False)
    await chosen(one, case, large)
    await one.page.locator(".done").wait_for()
    await expect(one.page.locator(".sending:visible")).to_have_count(0)
    assert [size for _, size in await attached(coordinator, case)] == [LENGTH]
    await one.page.context.close()
