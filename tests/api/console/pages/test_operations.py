"""Operators see what waits and what failed, and can do something about it from the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from activities.command_handler import AttendedBy, CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.core.fact import ENGINE
from domain.stages.anytime.notes import AddNote
from domain.stages.anytime.outcomes import RecordOutcome
from infra.ids import fresh_stream
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, screen
from tests.workflows.rig import ladder, opening, quick

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def failed(coordinator: Person, here: Parts) -> dict[str, str]:
    """A case with a call whose fate nobody knows, after every try the ledger makes by itself."""
    opened = await coordinator.open()
    await coordinator.send(opened["case"], "RequestRecord", kind="pathology")
    state, _, _ = await here.commands.case(opened["case"])
    effect = next(e for e in state.effects.values() if e.kind == "request_record")
    for attempt in range(1, 5):
        outcome = RecordOutcome(effect.id, attempt, "unknown")
        await here.commands.record(CommandRequest(opened["case"], Meta("engine", "operation"), outcome))
    return {**opened, "effect": effect.id}


async def test_operations_shows_what_waits_and_what_failed(
    browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    case = await failed(coordinator, here)
    page = (await browsers["operator"].get("/console/operations")).text
    assert f"/console/cases/{case['case']}/do/SettleEffect?effect={case['effect']}" in page
    assert "a person must find out" in page
    waits = re.search(r"(?s)h-unattended.*?</section>", page)
    assert waits
    assert case["number"] in waits[0], "nobody runs a courier here, so it waits"
    assert "Courier: away" in page
    assert "Temporal is not there to ask" in page
    assert 'role="img"' in page
    assert re.search(r"(?s)h-waiting.*?<th scope=\"row\">coordinator</th>", page), "the chart has its table"


async def test_it_says_which_clock_is_wrong(
    browsers: Mapping[str, Browser], here: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "A clock is wrong. Nothing is recorded"
    assert wrong not in (await browsers["operator"].get("/console/operations")).text
    monkeypatch.setattr(here.ledger.clock, "wall", lambda: datetime.now(UTC) + timedelta(hours=1))
    page = (await browsers["operator"].get("/console/operations")).text
    assert wrong in page
    assert "the clock of this machine says" in page


async def test_it_is_for_operators_and_supervisors(browsers: Mapping[str, Browser]) -> None:
    for role, browser in browsers.items():
        allowed = role in ("operator", "supervisor")
        assert (await browser.get("/console/operations")).status_code == (200 if allowed else 403), role
        assert ('href="/console/operations"' in (await browser.get("/console/")).text) == allowed, role


async def test_the_time_in_a_stage_is_counted(
    browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    chart = re.compile(r"(?s)h-stages.*?</section>")
    case = (await coordinator.open())["case"]
    before = chart.search((await browsers["supervisor"].get("/console/operations")).text)
    assert before
    assert "Inquiry" not in before[0]
    state, _, _ = await here.commands.case(case)
    assert state.patient
    about = {"person": state.patient.id, "form_version": "1"}
    await coordinator.send(case, "ReplyToFamily", channel="call")
    await coordinator.send(case, "AcknowledgeScope", **about)
    moved = await coordinator.send(case, "GiveConsent", purpose="data_processing", language="en", **about)
    assert moved.json()["stage"] == "records"
    after = chart.search((await browsers["supervisor"].get("/console/operations")).text)
    assert after
    assert re.search(r'<th scope="row">Inquiry</th><td>1</td>', after[0])


async def test_an_operator_finds_a_failed_call_and_sees_it_settled(
    chromium: Chromium, site: str, here: Parts, coordinator: Person
) -> None:
    case = await failed(coordinator, here)
    one = await screen(chromium, site, await registered(here, "operator"))
    await one.page.get_by_role("link", name="Operations").click()
    link = one.page.get_by_role("link", name=f"Resolve Request for a document of case {case['number']}")
    await link.click()
    await one.page.wait_for_url("**/do/SettleEffect*")
    assert await one.page.locator('[name="effect"]').input_value() == case["effect"]
    await one.fill(outcome="delivered")
    await one.record()
    await expect(one.page.locator(".done")).to_contain_text("Recorded")
    await one.go("/console/operations")
    await expect(one.page.locator("h1")).to_contain_text("Operations")
    await expect(link).to_have_count(0)
    await one.page.context.close()


UNWOKEN = "Oldest case whose hour came and nobody looked"


async def figure(browsers: Mapping[str, Browser], name: str) -> str:
    """What a card of the operations page says."""
    page = (await browsers["operator"].get("/console/operations")).text
    return str(dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page))[name])


async def test_late_means_on_both_pages_what_was_missed_and_is_chased(
    browsers: Mapping[str, Browser], here: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the chase itself has all the time in the world; that nobody looks is another word."""
    case = fresh_stream("case")
    assert await figure(browsers, UNWOKEN) == "nothing"
    with monkeypatch.context() as hurried:
        hurried.setattr(here.commands, "policy", quick(first_reply=ladder(0.5)))
        await here.commands.record(CommandRequest(case, Meta("person-1"), opening()))
        await here.commands.record(
            CommandRequest(case, Meta(ENGINE), attended_by=AttendedBy((await here.ledger.engine()).epoch))
        )
    await asyncio.sleep(0.6)
    assert await figure(browsers, UNWOKEN) == "1 min", "nobody looks, though its hour has come"
    state = (await here.commands.record(CommandRequest(case, Meta("person-1"), AddNote("note", "called")))).case
    states = {o.kind: o.state for o in state.obligations.values()}
    assert (states["first_reply"], states["chase"]) == ("missed", "open")
    assert await figure(browsers, UNWOKEN) == "nothing"
    worklist = (await browsers["supervisor"].get("/console/?tab=all&overdue=1")).text
    operations = (await browsers["supervisor"].get("/console/operations")).text
    row = re.search(rf'(?s)<tr id="{case}".*?</tr>', worklist)
    late = re.search(r"(?s)h-late.*?</section>", operations)
    assert row
    assert late
    for page in (row[0], late[0]):
        assert "Chase: First reply to the family" in page
        assert "1 min late" in page
    assert f"/console/cases/{case}" in late[0]
