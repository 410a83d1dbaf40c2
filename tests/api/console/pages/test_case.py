"""The pages of a case: where it stands, what was said and corrected, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_screening import DAY, HEART, LIVER, ORGANS, PROTOCOL

pytestmark = pytest.mark.slow


async def test_a_case_shows_what_is_owed_and_what_comes_if_nothing_does(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open(owner=mei.id)
    page = (await mei.get(f"/console/cases/{opened['case']}")).text
    assert opened["number"] in page
    assert "First reply to the family" in page
    assert "coordinator owes family" in page
    assert "coordinator is reminded" in page
    assert "the deadline passes" in page
    assert re.search(r'aria-current="step"><b>Inquiry', page)
    assert "/do/ReplyToFamily" in page
    whole = (await mei.get(f"/console/cases/{opened['case']}/actions")).text
    assert "taken at:" in whole, "what is not taken now is listed with the reason"
    assert "not for a Coordinator to give" in whole


async def test_everything_is_in_the_timeline_and_says_why(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    await coordinator.send(opened["case"], "ReplyToFamily", channel="call", note="spoke with the mother")
    page = (await mei.get(f"/console/cases/{opened['case']}/timeline")).text
    events = (await coordinator.get(f"/cases/{opened['case']}/events")).json()["events"]
    assert len(re.findall(r'<tr id="v\d+"', page)) == len(events)
    assert "spoke with the mother" in page
    assert "<dt>Urgent</dt><dd><bdi>no</bdi></dd>" in page, "a no is said, too"
    why = re.search(rf"/console/cases/{opened['case']}/why/[^\"]+", page)
    assert why is not None
    reason = (await mei.get(why[0])).text
    assert "Rule" in reason
    assert "version" in reason


async def test_the_timeline_shows_what_is_asked_of_it(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    patient = (await coordinator.get(f"/cases/{case}")).json()["case"]["people"]
    await coordinator.send(case, "ReplyToFamily", channel="call", note="spoke with the mother")
    await coordinator.send(case, "AcknowledgeScope", person=next(iter(patient)), form_version="1")
    await coordinator.send(
        case, "GiveConsent", person=next(iter(patient)), purpose="data_processing", form_version="1", language="en"
    )
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]

    async def rows(asked: str) -> tuple[set[int], str]:
        page = (await mei.get(f"/console/cases/{case}/timeline?{asked}")).text
        return {int(version) for version in re.findall(r'<tr id="v(\d+)"', page)}, page

    def those(of: Callable[[Mapping[str, Any]], bool]) -> set[int]:
        return {one["version"] for one in events if of(one)}

    every, page = await rows("")
    assert every == {one["version"] for one in events}
    assert (await rows(f"by={coordinator.id}"))[0] == those(lambda one: not one["why"]) < every
    assert (await rows("by=engine"))[0] == those(lambda one: bool(one["why"]))
    kind = events[-1]["type"]
    assert (await rows(f"kind={kind}"))[0] == those(lambda one: one["type"] == kind) < every
    entered = min(those(lambda one: one["type"] == "StageEntered"))
    assert (await rows("stage=inquiry"))[0] == {version for version in every if version < entered}
    day = datetime.fromisoformat(events[0]["recorded_at"]).astimezone(ZoneInfo("Asia/Kolkata")).date()
    assert (await rows(f"until={day}"))[0] == every, "a day of her zone, included"
    assert (await rows(f"until={day - timedelta(days=1)}"))[0] == set()
    none, page = await rows(f"until=2001-01-01&by={coordinator.id}")
    assert none == set()
    assert "Nothing of that kind is recorded." in page
    assert 'value="2001-01-01"' in page
    assert (await rows("by=nobody&kind=No&stage=x&until=x&before=9999999"))[0] == every, "an old address still opens"
    assert (await rows("until=9999-12-31"))[0] == every


async def test_everything_automatic_is_explained_down_to_what_was_told(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    await coordinator.send(case, "RequestRecord", kind="passport", note="")
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    automatic = [one["id"] for one in events if one["why"]]
    assert automatic
    for event in automatic:
        page = (await mei.get(f"/console/cases/{case}/why/{event}")).text
        root, _, below = page.partition('<ul class="why">')
        assert below, "it rests on something"
        assert "On nothing but the time" not in root


async def test_a_corrected_fact_stands_with_both_versions(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    infection = {"site": "lung", "organism": "unknown", "occurred": None}
    told = await coordinator.send(opened["case"], "ReportDeath", cause="sepsis", occurred=None)
    del infection
    assert told.status_code == 200, told.text
    fact = told.json()["recorded"][0]["id"]
    right = {"type": "ReportDeath", "cause": "cardiac"}
    corrected = await coordinator.send(opened["case"], "CorrectFact", fact=fact, correction=right, reason="misheard")
    assert corrected.status_code == 200, corrected.text
    page = (await mei.get(f"/console/cases/{opened['case']}/facts")).text
    assert "cardiac" in page
    assert re.search(r'class="was">.*?sepsis', page, re.DOTALL)
    assert f"/do/CorrectFact?fact={fact}" in page


async def test_criteria_stand_with_their_ground_their_words_and_the_form_that_would_settle_them(
    mei: Browser, people: Mapping[str, Person]
) -> None:
    operator, coordinator = people["operator"], people["coordinator"]
    stream = (await operator.post("/protocols", {**PROTOCOL, "criteria": [LIVER, HEART, ORGANS]})).json()["id"]
    case = (await people["supervisor"].open(imported=True))["case"]
    facts = {"stage": "eligibility", "centre": "centre-x", "protocol": stream, "consents": ["data_processing"]}
    until = "2030-01-01T00:00:00Z"
    assert (await people["supervisor"].send(case, "ImportFacts", accepted_until=until, **facts)).is_success
    told = {"analyte": "bilirubin", "value": "45", "unit": "umol/L", "limit": "20", "occurred": DAY}
    assert (await coordinator.send(case, "RecordObservation", **told)).is_success
    page = (await mei.get(f"/console/cases/{case}")).text
    section = page.partition('id="h-criteria-1"')[2].partition("</section>")[0]
    assert "1 not met, 2 unknown. Nothing here is an answer; the hospital decides." in section
    assert re.search(r"Not met</span>.*?total bilirubin &lt;=2 x ULN.*?Bilirubin: 45 umol/L", section)
    assert re.search(r"LVEF &gt;=50%.*?LVEF: nothing recorded.*?/do/RecordObservation\?analyte=lvef", section)
    assert "adequate, values not in source" in section
    assert "registry page" in section
    form = await mei.get(f"/console/cases/{case}/do/RecordObservation?analyte=lvef")
    assert re.search(r'<option value="lvef" selected', form.text)
    assert "eligible" not in section.lower()


async def test_messages_and_an_earlier_moment(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    before = (await coordinator.get(f"/cases/{opened['case']}/events")).json()["events"][-1]["recorded_at"]
    await coordinator.send(opened["case"], "RequestRecord", kind="pathology")
    page = (await mei.get(f"/console/cases/{opened['case']}/messages")).text
    assert "Request for a document" in page
    earlier = await mei.http.get(f"/console/cases/{opened['case']}/messages", params={"known_at": before})
    assert "Request for a document" not in earlier.text


async def test_what_is_not_there_or_foreign_is_a_page_that_says_so(mei: Browser, supervisor: Person) -> None:
    foreign = await supervisor.open(team="europe", owner="person-else")
    for case in ("case-nowhere", foreign["case"]):
        for part in ("", "/timeline", "/facts", "/messages", "/why/x"):
            answer = await mei.get(f"/console/cases/{case}{part}")
            assert answer.status_code == 404, part
            assert "no such case" in answer.text
