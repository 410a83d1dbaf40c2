"""Auditors verify from the page, down to the event, and see proofs in words; nothing there changes anything."""

from __future__ import annotations

import asyncio
import re
import zipfile
from collections.abc import Mapping
from html import unescape

import asyncpg
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from activities.ports import ChoreFinding
from api.run.checking import Checks
from api.run.wiring import Parts
from infra.reads import verifications
from infra.reads.nightly import keep
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, hidden, screen
from tests.api.routes.history.test_audit import seal
from workflows.nightly import COMPARE_ENGINE, VERIFY_HISTORY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def checked(auditor: Browser, **form: str) -> str:
    """The page of a check that was started, once it has ended."""
    csrf = hidden((await auditor.get("/console/audit")).text)["csrf"]
    answer = await auditor.post("/console/audit/checks", csrf=csrf, **form)
    assert answer.status_code == 200, answer.text
    for _ in range(100):
        if "data-poll" not in answer.text:
            return unescape(answer.text)
        assert "<noscript><meta http-equiv" in answer.text, "it looks again without a script"
        await asyncio.sleep(0.2)
        answer = await auditor.get(str(answer.url))
    raise AssertionError("the check never ended")


async def test_the_size_the_checkpoint_and_the_window_are_shown(
    browsers: Mapping[str, Browser], people: Mapping[str, Person], coordinator: Person, here: Parts
) -> None:
    await coordinator.open()
    await seal(here)
    await coordinator.open()
    exposure = (await people["auditor"].get("/audit/status")).json()["exposure"]
    page = (await browsers["auditor"].get("/console/audit")).text
    assert f"<dd>{exposure['head']}</dd>" in page
    assert f"{exposure['events']} events, the oldest" in page
    assert "on the same disk as the ledger" in page, "where checkpoints are, and what that is worth"


async def test_a_case_and_the_ledger_hold(
    browsers: Mapping[str, Browser], people: Mapping[str, Person], coordinator: Person, here: Parts
) -> None:
    opened = await coordinator.open()
    await seal(here)
    one = await checked(browsers["auditor"], case=opened["number"])
    assert "Verified." in one
    assert opened["case"] in one
    events = (await people["auditor"].get("/audit/status")).json()["exposure"]["head"]
    whole = await checked(browsers["auditor"])
    assert "Verified." in whole
    assert f"{events} events" in whole


async def test_proofs_are_checked_and_said(browsers: Mapping[str, Browser], coordinator: Person, here: Parts) -> None:
    auditor, opened = browsers["auditor"], await coordinator.open()
    await seal(here)
    late = (await coordinator.open())["case"]
    assert (await auditor.get(f"/console/audit/event?case={late}&version=1")).status_code == 409, "not covered yet"
    await seal(here)
    event = unescape((await auditor.get(f"/console/audit/event?case={opened['number']}&version=2")).text)
    assert "The proof is verified" in event
    assert f"Entry 2 of {opened['case']}" in event
    between = re.findall(r"/console/audit/consistency[^\"]+", (await auditor.get("/console/audit/checkpoints")).text)
    assert "The proof is verified" in (await auditor.get(unescape(between[-1]))).text
    for wrong in ("event?case=nothing&version=1", "event?case=case-nowhere&version=1", "consistency?old=1&new=9999999"):
        assert (await auditor.get(f"/console/audit/{wrong}")).status_code == 404, wrong
    assert (await auditor.get("/console/audit/event?case=1&version=x")).status_code == 422


async def test_only_who_may_prove_sees_it_and_a_check_needs_its_form(
    browsers: Mapping[str, Browser], mei: Browser
) -> None:
    assert (await mei.get("/console/audit")).status_code == 403
    assert "/console/audit" not in (await mei.get("/console/")).text
    assert (await mei.post("/console/audit/checks", csrf=await mei.csrf())).status_code == 403
    auditor, start = browsers["auditor"], "/console/audit/checks"
    assert 'href="/console/audit"' in (await auditor.get("/console/")).text
    assert (await auditor.post(start, csrf="wrong")).status_code == 403
    assert (await auditor.post(start, csrf=await auditor.csrf(), case="case-nowhere")).status_code == 404
    assert (await auditor.get(f"{start}/unknown")).status_code == 404


async def test_an_auditor_verifies_and_exports_and_a_changed_event_is_named(
    chromium: Chromium, site: str, here: Parts, coordinator: Person, browsers: Mapping[str, Browser]
) -> None:
    opened = await coordinator.open()
    await seal(here)
    one = await screen(chromium, site, await registered(here, "auditor"))
    await one.go("/console/audit")
    await one.page.get_by_role("button", name="Verify the whole ledger").click()
    await expect(one.page.locator(".done")).to_contain_text("Verified.", timeout=30_000)
    await one.go("/console/audit")
    exporting = one.page.locator('form[action="/console/audit/evidence"]')
    await exporting.locator('[name="case"]').fill(opened["number"])
    async with one.page.expect_download() as download:
        await exporting.get_by_role("button", name="Export").click()
    taken = await (await download.value).path()
    assert "report.html" in zipfile.ZipFile(taken).namelist()
    await one.page.context.close()
    connection = await asyncpg.connect(here.settings.database_url.get_secret_value())
    await connection.execute("alter table event disable trigger all")
    changed = "update event set data = replace(data, $3, $4) where stream = $1 and version = $2"
    await connection.execute(changed, opened["case"], 1, '"IN"', '"US"')
    try:
        broken = await checked(browsers["auditor"])
        assert "It does not hold" in broken
        assert "an entry was edited" in broken
        assert f"<dd>{opened['case']}</dd>" in broken
        assert f"/console/cases/{opened['case']}/timeline" in broken
        assert "It does not hold" in await checked(browsers["auditor"], case=opened["case"])
    finally:
        await connection.execute(changed, opened["case"], 1, '"US"', '"IN"')
        await connection.execute("alter table event enable always trigger event_is_append_only")
        await connection.close()


async def test_a_check_is_seen_by_every_process_and_there_is_never_a_second(
    browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    await coordinator.open()
    await seal(here)
    one, other = (Checks(here.settings, here.ledger.pool) for _ in range(2))
    begun = await one.start("")
    assert (await other.start("")).id == begun.id, "the one that runs"
    page = f"/console/audit/checks/{begun.id}"
    assert "looks again by itself" in (await browsers["auditor"].get(page)).text
    found = begun
    for _ in range(300):
        found = await other.find(begun.id) or begun
        if found.state != "running":
            break
        await asyncio.sleep(0.2)
    assert (found.state, found.done) == ("holds", found.of)
    assert "Verified." in (await browsers["auditor"].get(page)).text
    assert (await other.newest())[0] == found


async def test_a_check_whose_process_ended_says_so_and_can_be_made_anew(
    browsers: Mapping[str, Browser], here: Parts
) -> None:
    pool, auditor = here.ledger.pool, browsers["auditor"]
    stopped = Checks(here.settings, pool)
    told = await stopped.start("")
    await stopped.stop()
    assert (await stopped.find(told.id) or told).state == "left"
    await verifications.begin(pool, "killed", "")
    await verifications.told(pool, "killed", "running", {"done": 7, "of": 9})
    assert "data-poll" in (await auditor.get("/console/audit/checks/killed")).text, "the control: it is still alive"
    await pool.execute("update verification set seen_at = seen_at - interval '21 seconds' where id = 'killed'")
    page = unescape((await auditor.get("/console/audit/checks/killed")).text)
    assert "left off after 7 events" in page
    assert "data-poll" not in page
    assert "left off" in (await auditor.get("/console/audit")).text
    assert "Verified." in await checked(auditor), "and another may begin"
    await verifications.told(pool, "killed", "holds", {})
    assert "left off after 7 events" not in (await auditor.get("/console/audit/checks/killed")).text, "it was only slow"


async def test_what_a_night_found_stands_where_auditors_and_operators_look(
    browsers: Mapping[str, Browser], here: Parts
) -> None:
    pool = here.ledger.pool
    broken = {"kind": "edited", "position": 12, "stream": "case-x", "version": 3, "says": ""}
    seen = {"events": 40, "checkpoints": 2, "away": [], "broken": None}
    drift = {"cases": 5, "loops": 4, "drift": {"no_loop": 1, "ahead": 0}, "first": [["no_loop", "case-alone"]]}
    both = {"auditor": "/console/audit", "operator": "/console/operations"}

    async def pages() -> list[str]:
        return [unescape((await browsers[role].get(path)).text) for role, path in both.items()]

    assert all("No night has passed yet" in page for page in await pages())
    await keep(pool, VERIFY_HISTORY, ChoreFinding(True, seen))
    await keep(pool, COMPARE_ENGINE, ChoreFinding(True, {**drift, "drift": {"no_loop": 0}, "first": []}))
    for page in await pages():
        assert "40 events, 2 checkpoints compared." in page
        assert "5 open cases and 4 running loops agree." in page
        assert 'role="alert"' not in page, "all is well"
    await keep(pool, VERIFY_HISTORY, ChoreFinding(False, {**seen, "broken": broken}))
    await keep(pool, COMPARE_ENGINE, ChoreFinding(False, drift))
    for page in await pages():
        alert = page.partition('<dl class="cards">')[0]
        assert "All history verified: something was found" in alert
        assert "an entry was edited, at entry 12 of the ledger" in alert
        assert 'href="/console/cases/case-x/timeline"' in alert
        assert "open cases nobody looks after: 1" in alert
    await pool.execute("update chore set ended_at = ended_at - interval '37 hours', fine = true")
    for page in await pages():
        assert "nobody has looked since" in page
