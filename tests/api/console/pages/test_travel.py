"""Another moment of a case and of the worklist: as it was known, what held, what has changed since."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from api.run.wiring import Parts
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, screen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def last(coordinator: Person, case: str) -> dict[str, Any]:
    event: dict[str, Any] = (await coordinator.get(f"/cases/{case}/events")).json()["events"][-1]
    return event


@pytest.fixture
async def told(coordinator: Person, mei: Browser) -> tuple[str, str]:
    """A case of Mei's, and the instant before the family was answered."""
    case = (await coordinator.open(owner=mei.id))["case"]
    before = (await last(coordinator, case))["recorded_at"]
    await coordinator.send(case, "ReplyToFamily", channel="call")
    return case, before


async def test_a_case_is_shown_as_it_was_known_and_says_what_is_different_now(
    mei: Browser, told: tuple[str, str]
) -> None:
    case, before = told
    page = (await mei.http.get(f"/console/cases/{case}", params={"known_at": before})).text
    assert "This is the past" in page
    assert "First reply to the family" in page, "owed then"
    assert re.search(r'class="since">Since then: done', page), "and done since"
    assert "/do/" not in page, "nothing can be done in the past"
    assert "data-case=" not in page, "and nothing of it changes"
    now = (await mei.get(f"/console/cases/{case}")).text
    assert "This is the past" not in now
    assert "/do/" in now
    assert "First reply to the family" not in re.sub(r"(?s).*<main|h-latest.*", "", now)


async def test_the_slider_is_a_form_that_leads_to_an_address_for_ever(mei: Browser, told: tuple[str, str]) -> None:
    case, before = told
    first = await mei.http.get(f"/console/cases/{case}/at", params={"recorded": "0", "part": "timeline"})
    assert first.status_code == 303
    there = first.headers["location"]
    assert there.startswith(f"/console/cases/{case}/timeline?known_at=")
    assert datetime.fromisoformat(before) == datetime.fromisoformat(
        unescape(there).partition("=")[2].replace("%3A", ":")
    )
    page = (await mei.get(there)).text
    assert 'rel="next"' in page
    assert 'rel="prev"' not in page, "it is the first event"
    following = re.search(r'<a href="([^"]+)" rel="next"', page)
    assert following
    assert 'rel="prev"' in (await mei.get(unescape(following[1]))).text
    past_the_end = await mei.http.get(f"/console/cases/{case}/at", params={"recorded": "9999"})
    assert past_the_end.headers["location"] == f"/console/cases/{case}"


async def test_what_held_at_an_instant_keeps_both_tellings(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    day = {"precision": "day", "earliest": "2026-03-01T00:00:00Z", "latest": "2026-03-01T23:59:59Z"}
    told = await coordinator.send(case, "ReportDeath", cause="sepsis", occurred=day)
    assert told.status_code == 200, told.text
    fact = told.json()["recorded"][0]["id"]
    before = (await last(coordinator, case))["recorded_at"]
    right = {"type": "ReportDeath", "cause": "cardiac", "occurred": day}
    await coordinator.send(case, "CorrectFact", fact=fact, correction=right, reason="misheard")
    held = {"as_of": "2026-03-02T00:00:00Z"}
    page = (await mei.http.get(f"/console/cases/{case}/facts", params=held)).text
    assert "told otherwise later" in page
    assert "sepsis" in page
    earlier = (await mei.http.get(f"/console/cases/{case}/facts", params={**held, "known_at": before})).text
    assert "told otherwise later" not in earlier
    assert "cardiac" not in earlier
    assert "corrected since" in earlier
    not_yet = (await mei.http.get(f"/console/cases/{case}/facts", params={"as_of": "2026-02-01T00:00:00Z"})).text
    assert "What held" in not_yet
    assert "told otherwise later" not in not_yet


async def test_the_list_is_shown_as_it_was_known(mei: Browser, coordinator: Person, told: tuple[str, str]) -> None:
    case, before = told
    query = {"tab": "mine", "known_at": before}
    row = re.compile(rf'<tr id="{case}".*?</tr>', re.DOTALL)
    then = (await mei.http.get("/console/", params=query)).text
    assert "This is the past" in then
    shown = row.search(then)
    assert shown
    assert "First reply to the family" in shown[0]
    assert f"/console/cases/{case}?known_at=" in shown[0], "a row leads to the case at the same moment"
    assert 'name="owner"' not in then, "nothing is assigned in the past"
    now = row.search((await mei.http.get("/console/", params={"tab": "mine"})).text)
    assert now
    assert "First reply to the family" not in now[0]
    later = (await coordinator.open(owner=mei.id))["case"]
    assert later not in (await mei.http.get("/console/", params=query)).text
    typed = await mei.http.get("/console/", params={"tab": "mine", "then": "2026-01-01T10:00"})
    assert "known_at=2026-01-01T04%3A30%3A00Z" in typed.headers["location"], "typed in the viewer's zone, Kolkata"


async def test_what_an_address_cannot_mean_is_said(mei: Browser, told: tuple[str, str]) -> None:
    case, _ = told
    assert (await mei.get(f"/console/cases/{case}?known_at=yesterday")).status_code == 422
    assert (await mei.get(f"/console/cases/{case}?known_at=2026-01-01T00:00:00")).status_code == 422
    assert (await mei.get(f"/console/cases/{case}?known_at=2001-01-01T00:00:00Z")).status_code == 404
    now = datetime.now(UTC).isoformat()
    assert (await mei.http.get(f"/console/cases/{case}", params={"known_at": now})).status_code == 200


async def test_nothing_masked_is_shown_by_the_differences(browsers: Any, coordinator: Person, mei: Browser) -> None:
    case = (await coordinator.open(owner=mei.id, diagnosis="first hidden word"))["case"]
    before = (await last(coordinator, case))["recorded_at"]
    await coordinator.send(case, "AddPerson", role="attendant", name="Hidden Attendant", language="hi",
                           zone="Asia/Kolkata")  # fmt: skip
    page = (await browsers["auditor"].http.get(f"/console/cases/{case}", params={"known_at": before})).text
    assert "This is the past" in page
    assert "idden Att" not in page
    assert "hidden word" not in page


async def test_an_auditor_travels(chromium: Chromium, site: str, here: Parts, told: tuple[str, str]) -> None:
    case, before = told
    one = await screen(chromium, site, await registered(here, "auditor"))
    await one.go(f"/console/cases/{case}")
    await one.page.locator(".travel summary").click()
    slider = one.page.locator("#s-recorded")
    await slider.focus()
    await one.page.keyboard.press("Home")
    await expect(one.page.locator("div.past")).to_contain_text("This is the past")
    await expect(one.page.locator("#s-recorded")).to_be_focused()
    assert datetime.fromisoformat(before).strftime("T%H") in unescape(one.page.url).replace("%3A", ":")
    await expect(one.page.locator("article.wait").first).to_contain_text("First reply to the family")
    await one.page.get_by_role("link", name="Next event").click()
    await expect(one.page.locator("div.past")).to_contain_text("This is the past")
    await one.page.get_by_role("link", name="Back to now").click()
    await expect(one.page.locator("div.past")).to_have_count(0)
    await one.page.context.close()
