"""A real browser: a journey, a collision, no script, no line, no mouse, a small window, and axe-core on every page."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from activities.command_handler import CommandRequest
from activities.ports import ChoreFinding, Meta
from api.run.wiring import Parts
from domain.catalogue.centre import RegisterCentre
from domain.catalogue.protocol import ConfirmProtocolOpen, RegisterProtocol
from domain.doses.lot import RegisterLot, ReleaseLot
from infra.reads.nightly import keep
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Screen, screen, violations
from tests.api.console.forms.test_read_beside import received
from tests.api.http.files.test_previews import paper
from tests.api.personal_cases import recorded
from tests.api.routes.history.test_audit import seal
from workflows.nightly import COMPARE_ENGINE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
CENTRE, PROTOCOL, LOT = "centre-screen", "protocol-screen", "lot-screen"
LATER = datetime.now(UTC) + timedelta(days=90)


@pytest.fixture(scope="module")
async def coordinating(here: Parts) -> str:
    return await registered(here, "coordinator")


@pytest.fixture
async def mine(chromium: Chromium, site: str, coordinating: str) -> AsyncIterator[Screen]:
    one = await screen(chromium, site, coordinating)
    yield one
    await one.page.context.close()


async def catalogue(here: Parts) -> None:
    """A centre, an open protocol and a released lot."""
    keeper, meta = here.commands, Meta("test", "operation")
    centre = RegisterCentre(
        "Screen Hospital", "Shanghai", "CN", "Asia/Shanghai", ("en",), True, ("cell_therapy",), "test", date(2026, 1, 1)
    )
    protocol = RegisterProtocol(
        registry="NCT1", title="Trial", product="CAR-S", product_class="allogeneic", targets=("CD19",),
        diseases=("B-ALL",), centre=CENTRE, source="test", as_of=date(2026, 1, 1),
    )  # fmt: skip
    steps = (
        (CENTRE, centre), (PROTOCOL, protocol), (PROTOCOL, ConfirmProtocolOpen(LATER, "sponsor")),
        (LOT, RegisterLot("CAR-S", ("unit-1",), LATER + timedelta(days=300), by="person-a")),
        (LOT, ReleaseLot("person-b")),
    )  # fmt: skip
    for stream, command in steps:
        await keeper.record(CommandRequest(stream, meta, command))


async def test_two_coordinators_collide_and_nothing_is_lost(
    chromium: Chromium, site: str, mine: Screen, here: Parts, coordinator: Person
) -> None:
    case = (await coordinator.open())["case"]
    other = await screen(chromium, site, await registered(here, "coordinator"))
    for one, words in ((mine, "my own words"), (other, "the father called")):
        await one.go(f"/console/cases/{case}/do/AddNote")
        await one.fill(kind="note", text=words)
    await other.record()
    await other.page.locator(".done").wait_for()
    await mine.record()
    await expect(mine.page.locator(".warn")).to_contain_text("the father called")
    assert await mine.page.locator('[name="text"]').input_value() == "my own words"
    await mine.record()
    await mine.page.locator(".done").wait_for()
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    assert [e["data"]["text"] for e in events if e["type"] == "NoteAdded"] == ["the father called", "my own words"]
    await other.page.context.close()


async def test_a_lost_line_loses_nothing_and_sends_nothing_twice(mine: Screen, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    await mine.go(f"/console/cases/{case}/do/AddNote")
    await mine.fill(kind="note", text="typed in a tunnel")
    await mine.page.context.set_offline(True)
    await mine.record()
    await expect(mine.page.get_by_role("status").first).to_contain_text("No connection")
    await mine.page.context.set_offline(False)
    await mine.record()
    await mine.page.locator(".done").wait_for()
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    assert len([e for e in events if e["type"] == "NoteAdded"]) == 1


async def test_rows_change_by_themselves_without_losing_the_place(
    mine: Screen, coordinating: str, coordinator: Person
) -> None:
    opened = await coordinator.open(owner=coordinating)
    await mine.go("/console/?tab=mine")
    row = mine.page.locator(f"#{opened['case']}")
    await row.get_by_role("checkbox").check()
    await row.get_by_role("link").focus()
    await mine.page.wait_for_timeout(500)  # the stream is open
    began = time.monotonic()
    await coordinator.send(opened["case"], "ReplyToFamily", channel="call")
    await expect(row).to_contain_text("consent and acknowledgement")
    took = time.monotonic() - began
    await expect(row.get_by_role("link")).to_be_focused()
    await expect(row.get_by_role("checkbox")).to_be_checked()
    await expect(mine.page.locator("#say")).to_contain_text("changed just now")
    assert took < 1, f"{took:.2f} s on a busy machine; bench/console.py measures it"


async def test_the_slider_leads_to_the_address_of_its_moment(mine: Screen, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    await coordinator.send(case, "AddNote", kind="note", text="later")
    first = (await coordinator.get(f"/cases/{case}/events")).json()["events"][0]["recorded_at"]
    await mine.go(f"/console/cases/{case}")
    await mine.page.locator("details.travel summary").click()
    slider = mine.page.locator("#s-recorded")
    await slider.focus()
    await mine.page.keyboard.press("Home")
    await mine.page.locator("div.past").wait_for()
    known = mine.page.url.partition("known_at=")[2].replace("%3A", ":")
    assert datetime.fromisoformat(known) == datetime.fromisoformat(first)
    await expect(slider).to_be_focused()


async def test_everything_works_without_script(
    chromium: Chromium, site: str, coordinating: str, coordinator: Person
) -> None:
    opened = await coordinator.open(owner=coordinating)
    one = await screen(chromium, site, coordinating, java_script_enabled=False)
    await one.page.locator("#q").fill(opened["number"])
    await one.page.get_by_role("button", name="Search").click()
    await one.page.wait_for_url(f"**/console/cases/{opened['case']}")
    await one.go(f"/console/cases/{opened['case']}/do/AddNote")
    await one.fill(kind="call")
    await one.record()
    await expect(one.page.locator(".wrong")).to_contain_text("an empty note says nothing")
    await one.fill(text="mended")
    await one.record()
    await expect(one.page.locator(".done")).to_contain_text("Note added")
    await one.go("/console/?tab=mine")
    await one.page.locator(f"#{opened['case']} input").check()
    await one.page.get_by_role("button", name="Assign").click()
    await expect(one.page.locator("main")).to_contain_text("done")
    await one.page.context.close()


async def test_the_keyboard_is_enough(mine: Screen, coordinator: Person) -> None:
    opened = await coordinator.open(patient_name="Keyboard Person")
    press = mine.page.keyboard.press
    await mine.go("/console/")
    await press("Tab")
    await expect(mine.page.locator(".skip")).to_be_focused()
    await press("Enter")
    await expect(mine.page.locator("#main")).to_be_focused()
    await press("Tab")
    await expect(mine.page.locator("#q")).to_be_focused()
    await mine.page.keyboard.type(opened["number"])
    await press("Enter")
    await mine.page.wait_for_url(f"**/console/cases/{opened['case']}")
    link = mine.page.get_by_role("link", name="Reply to family", exact=True).first
    for _ in range(60):
        await press("Tab")
        if await link.evaluate("e => e === document.activeElement"):
            break
    await expect(link).to_be_focused()
    outline = await link.evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline != "none", "focus can be seen"
    await press("Enter")
    await mine.page.wait_for_url("**/do/ReplyToFamily")
    await mine.page.locator('[name="channel"]').focus()
    await press("c")
    for _ in range(2):
        await press("Tab")
    await press("Enter")
    await mine.page.locator(".done").wait_for()
    await mine.go("/console/?tab=mine&sort=newest")
    await press("j")
    await expect(mine.page.locator("table.list th[scope=row] a").first).to_be_focused()
    await press("Enter")
    await mine.page.locator("nav.place").wait_for()
    await press("g")
    await expect(mine.page.locator("#acts-q")).to_be_focused()
    await mine.page.locator("#main").focus()
    await press("?")
    await expect(mine.page.locator("#keys")).to_be_visible()


PLACES = ("/console/", "/console/?tab=all&urgent=1", "/console/open", "{case}", "{case}/facts", "{case}/timeline",
          "{case}/messages", "{case}/at?recorded=0", "{case}/facts?as_of=2027-01-01T00:00:00Z",
          "/console/?tab=all&known_at=2027-01-01T00:00:00Z",
          "{case}/do/AddNote", "{case}/do/ReportToxicity", "{case}/do/ImportFacts",
          "/console/tasks", "/console/leave", "{case}/actions", "{case}/actions?q=note", "{case}/stay", "{case}/slip",
          "{case}/matches", "{case}/do/VerifyRecord", "{case}/do/ImportResults", "{full}",
          "/console/protocols", "/console/centres", f"/console/protocols/{PROTOCOL}")  # fmt: skip

TRANSLATED = (
    "/console/",
    "{case}",
    "{case}/facts",
    "{case}/timeline",
    "{case}/at?recorded=0",
    "{case}/do/ReportToxicity",
    "/console/tasks",
    "/console/leave",
    "{case}/actions",
    "{case}/do/VerifyRecord",
    "{full}",
)
"""Longer or shorter words, and the other direction, show on a page of each kind."""


@pytest.fixture(scope="module")
async def filled(here: Parts, coordinator: Person, coordinating: str) -> str:
    """A case with something on every page, among others."""
    for n in range(6):
        await coordinator.open(
            owner=coordinating, urgent=n % 2 == 0, patient_name=f"Somebody With-A-Rather-Long-Name {n}"
        )
    case = str((await coordinator.open(owner=coordinating, urgent=True))["case"])
    await received(here, coordinator, "pathology", paper("REPORT"), case)
    await coordinator.send(case, "AddNote", kind="note", text="w" * 300)
    told = (await coordinator.send(case, "ReportDeath", cause="sepsis")).json()["recorded"][0]["id"]
    right = {"type": "ReportDeath", "cause": "cardiac"}
    await coordinator.send(case, "CorrectFact", fact=told, correction=right, reason="misheard")
    return f"/console/cases/{case}"


@pytest.fixture(scope="module")
async def full(here: Parts) -> str:
    """A case that has been through a treatment: who it is, what is held until when, monitoring, what stands again."""
    return f"/console/cases/{await recorded(here, 'infused', 'screen', 'person-screen', 'asia')}"


Options = Mapping[str, Any]
ALL: Options = {}
CONTRAST: Options = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
ANY_COLOUR: Options = {"rules": {"color-contrast": {"enabled": False}}}
LOOKED_AT: Mapping[str, tuple[tuple[Literal["light", "dark"], Options], ...]] = {
    "en": (("light", ALL), ("dark", CONTRAST)),
    "zh": (("light", ANY_COLOUR),),
    "ar": (("light", ANY_COLOUR),),
}
"""Colours cost most of axe's time and are the same in every language."""
WIDTHS = (320, 390, 720)
"""720 px is 1440 px at 200 % zoom."""


async def wrong_with(one: Screen, place: str, language: str) -> list[object]:
    """What axe finds in light, which of the colours do not stand out in the dark, and where it scrolls sideways."""
    await one.page.set_viewport_size({"width": 1280, "height": 800})
    await one.go(place)
    await one.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    found: list[object] = []
    for scheme, options in LOOKED_AT[language]:
        await one.page.emulate_media(color_scheme=scheme)
        wrong = await violations(one.page, **options)
        found += [(scheme, v["id"], v["nodes"][0]["html"][:200]) for v in wrong]
    for width in WIDTHS:
        await one.page.set_viewport_size({"width": width, "height": 800})
        if await one.page.evaluate("document.documentElement.scrollWidth") > width:
            found.append((width, "scrolls sideways"))
    return found


async def speaking(one: Screen, language: str) -> None:
    await one.go("/console/")
    await one.page.locator(f'footer button[value="{language}"]').click()
    await one.page.locator(f'html[lang="{language}"]').wait_for(state="attached")


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
async def test_the_pages_are_for_everyone(
    chromium: Chromium, site: str, coordinating: str, filled: str, full: str, language: str
) -> None:
    one = await screen(chromium, site, coordinating)
    await speaking(one, language)
    places = PLACES if language == "en" else TRANSLATED
    wrong = {place: await wrong_with(one, place.format(case=filled, full=full), language) for place in places}
    assert not {place: found for place, found in wrong.items() if found}
    await one.page.context.close()


AUDITED = (
    "/console/audit",
    "{case}/looks",
    "/console/cases/case-nowhere/do/BreakGlass",
    "/console/audit/checkpoints",
    "/console/operations",
    "/console/lots",
    f"/console/lots/{LOT}",
    f"/console/genealogy/{LOT}?shared=true",
    "/console/recalls",
    "/console/stores",
    "/console/figures",
    "/console/doses/waiting",
)


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_pages_of_auditors_and_operators_are_for_everyone(
    chromium: Chromium, site: str, here: Parts, filled: str, language: str
) -> None:
    await seal(here)
    await keep(
        here.ledger.pool,
        COMPARE_ENGINE,
        ChoreFinding(False, {"cases": 2, "loops": 1, "drift": {"no_loop": 1}, "first": []}),
    )
    one = await screen(chromium, site, await registered(here, "supervisor"))
    await speaking(one, language)
    await one.go("/console/audit")
    await one.page.locator("main form button.main").click()
    await one.page.locator(".done").wait_for(timeout=30_000)
    proof = f"/console/audit/event?case={filled.rpartition('/')[2]}&version=1"
    places = [place.format(case=filled) for place in (one.page.url.removeprefix(site), proof, *AUDITED)]
    wrong = {place: await wrong_with(one, place, language) for place in places}
    assert not {place: found for place, found in wrong.items() if found}
    await one.page.context.close()


async def test_on_paper_stands_what_is_read_and_nothing_that_is_pressed(
    mine: Screen, filled: str, coordinator: Person, coordinating: str
) -> None:
    waiting = f"/console/cases/{(await coordinator.open(owner=coordinating))['case']}"
    await mine.page.set_viewport_size({"width": 720, "height": 1000})
    await mine.go(filled)
    await expect(mine.page.locator("#h-act ~ .group").first).to_be_visible()
    await mine.page.emulate_media(media="print")
    for unprinted in (".top nav", "footer", "#h-act ~ .group", ".travel"):
        await expect(mine.page.locator(unprinted).first).to_be_hidden()
    await stand(mine, "h1", "table.facts td")
    await mine.go(waiting)
    await stand(mine, "h1", "article.wait", "article.wait li")


async def stand(mine: Screen, *printed: str) -> None:
    for name in printed:
        await expect(mine.page.locator(name).first).to_be_visible()
    assert await mine.page.evaluate("document.documentElement.scrollWidth") <= 720


async def test_axe_finds_nothing_for_errors_and_sign_in(
    chromium: Chromium, site: str, mine: Screen, filled: str
) -> None:
    await mine.go(f"{filled}/do/AddNote")
    await mine.record()
    await mine.page.locator(".wrong").wait_for()
    assert not await violations(mine.page)
    page = await chromium.new_page()
    await page.goto(site + "/console/sign-in")
    assert not await violations(page)
    await page.goto(site + "/console/cases/case-nowhere")
    await page.close()


async def test_axe_would_find_something(mine: Screen) -> None:
    """The control: a picture without words."""
    await mine.go("/console/")
    await mine.page.evaluate("document.getElementById('main').append(document.createElement('img'))")
    assert await violations(mine.page)
