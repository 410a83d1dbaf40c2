"""A decision whose ground was corrected: shown with what it rested on and what stands now, and closed from the page."""

from __future__ import annotations

import re

import pytest

from api.console.actions import Act
from api.console.overview.reopened import DECIDED_BY, reopened
from api.console.text.fact_text import FactWriter
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.reconsidering import RESTS, ReviewDecision
from domain.stages.eligibility.eligibility import CriterionRecorded, PatientAccepted, RecordCriterion
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.domain.stages.anytime.test_reconsidering import reviewed_under_a_value, submission

ACTS = [Act("AcceptPatient", "Accept", ""), Act("AddNote", "Add a note", "")]


def test_a_decision_is_shown_with_what_it_rested_on_and_what_stands_now() -> None:
    j = reviewed_under_a_value()
    value, accepted = j.newest(CriterionRecorded), j.newest(PatientAccepted)
    j.tell(CorrectFact(value, RecordCriterion(submission(j), "creatinine", "not_met", "2.9 mg/dL"), "wrong column"))
    speaker = FactWriter(j.case, ViewerClock(j.now, j.now.tzinfo, Texts("en")), frozenset(("clinical", "identity")), {})  # type: ignore[arg-type]
    (one,) = reopened(j.case, j.facts, speaker, ACTS)
    assert (one.decision, one.decided.type) == (accepted, "PatientAccepted")
    ((before, after),) = [(c.before, c.after) for c in one.changes]
    assert before
    assert "0.9 mg/dL" in str(before.values)
    assert "2.9 mg/dL" in str(after.values)
    assert [act.name for act in one.again] == ["AcceptPatient"], "taken anew by what took it, and by nothing else"
    j.tell(ReviewDecision(accepted))
    assert reopened(j.case, j.facts, speaker, ACTS) == []


def test_every_decision_that_can_be_reopened_can_be_taken_anew_by_a_command() -> None:
    by_rules = {kind for kind in RESTS if kind not in DECIDED_BY}
    assert by_rules == set()


@pytest.mark.slow
async def test_a_coordinator_closes_it_without_an_id(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    case, person = (
        opened["case"],
        next(iter((await coordinator.get(f"/cases/{opened['case']}")).json()["case"]["people"])),
    )
    given = await coordinator.send(
        case, "GiveConsent", purpose="data_processing", person=person, form_version="2", language="en"
    )
    assert given.status_code == 200, given.text
    told = next(
        f for f in (await coordinator.get(f"/cases/{case}/events")).json()["events"] if f["type"] == "PersonAdded"
    )
    right = {"type": "AddPerson", "role": "patient", "name": "Right Name", "zone": "Asia/Kolkata", "language": "hi"}
    corrected = await coordinator.send(case, "CorrectFact", fact=told["id"], correction=right, reason="misheard")
    assert corrected.status_code == 200, corrected.text
    page = (await mei.get(f"/console/cases/{case}")).text
    assert "To be looked at again" in page
    assert "Right Name" in page
    link = re.search(r'href="(/console/cases/[^"]+/do/ReviewDecision\?decision=[^"]+)"', page)
    assert link
    form = (await mei.get(link[1])).text
    chosen = re.findall(r'<option value="([^"]+)" selected>', form)
    assert chosen == [link[1].rpartition("=")[2]], "it is chosen by name, and chosen already"
    sent = await mei.post(link[1].partition("?")[0], **hidden(form), decision=chosen[0], note="the same person")
    assert sent.status_code == 200
    assert "To be looked at again" not in (await mei.get(f"/console/cases/{case}")).text
