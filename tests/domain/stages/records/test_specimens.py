"""Slides and blocks are things in custody from the list on: asked, at hand, with a centre, home [records.specimens]."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.stages.follow_up.acquired import RecordResource, ReportResource, ResourceAcquired
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.follow_up.custody import ReportSpecimen, SpecimenReported, specimen_lines
from domain.stages.intake.inquiry import StateDiagnosis
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.checklist import DrawUpChecklist
from domain.stages.records.specimens import SpecimenAsked
from tests.domain.course import CENTRE, patient, start, submission
from tests.domain.journey import Journey, when
from tests.domain.refusals import No
from tests.domain.stages.records.lent import ask, ask_family, at_hand, forward, received, specimen


def told(fate: str, **more: str) -> object:
    return lambda j: ReportSpecimen(specimen(j), fate, **more)  # type: ignore[arg-type]


REFUSALS = (
    No("records", ReportSpecimen("x", "at_hand"), Reason.NOT_FOUND, "no slides or blocks of that name"),
    No("records", told("returned"), Reason.NOT_NOW, "they are asked", ask),
    No("records", told("at_hand", submission="s"), Reason.INVALID, "a centre is named when they are sent on", ask),
    No("records", told("forwarded", submission="s"), Reason.NOT_FOUND, "no such submission", ask),
    No("submitted", told("lost"), Reason.NOT_NOW, "they are with a centre", lambda j: forward(ask(j))),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def owed(j: Journey) -> set[str]:
    kinds = ("specimen", "specimen_from_doctor", "specimen_at_hand", "specimen_receipt", "resource_undone")
    return {o.kind for o in j.all_owed()} & {*kinds}


def test_they_are_asked_for_with_the_list_of_whoever_has_the_pathology() -> None:
    j = ask(start("records"))
    assert owed(j) == {"specimen_from_doctor"}
    assert [e.pending for e in j.asked("ask_for_specimen_from_doctor")] == [True]
    assert owed(ask_family(start("records"))) == {"specimen"}


def test_where_no_pathology_is_needed_nobody_is_asked() -> None:
    j = ask(start("records").tell(StateDiagnosis("lupus", disease="autoimmune")))
    assert not j.case.specimens
    assert not owed(j)


def test_a_list_drawn_anew_asks_once() -> None:
    j = ask(start("records"))
    j.tell(StateDiagnosis("DLBCL", disease="dlbcl")).tell(StateDiagnosis("B-ALL", disease="b_all"))
    assert sum(isinstance(f.event, SpecimenAsked) for f in j.facts) == 1


def test_what_was_sent_before_is_not_asked_for() -> None:
    j = start("submitted").tell(RecordResource("blocks", submission(j := start("submitted"))))
    j.tell(DrawUpChecklist())
    assert not j.case.specimens


def test_out_and_home_again() -> None:
    j = at_hand(ask(start("submitted")))
    assert owed(j) == {"specimen_at_hand"}
    told = when(j, ReportSpecimen(specimen(j), "forwarded", "blocks", submission(j), "P-1")).journey
    reported, acquired = told.last[0], told.last[1]
    assert isinstance(reported, SpecimenReported)
    assert isinstance(acquired, ResourceAcquired)
    assert (reported.resource, acquired.kind, acquired.ref) == (acquired.resource, "blocks", "P-1")
    assert owed(j) == {"specimen_receipt"}
    assert [(one.kind, one.state) for one in specimen_lines(j.case)] == [("blocks", "held")]
    received(j)
    assert owed(j) == set()
    j.tell(LeaveJourney("declined"))
    assert owed(j) == {"resource_undone"}, "what the centre has must come home"
    j.tell(ReportResource(acquired.resource, "returned"))
    assert owed(j) == set()
    assert [one.state for one in specimen_lines(j.case)] == ["returned"]


def test_what_is_at_hand_goes_home_when_the_journey_is_left() -> None:
    j = at_hand(ask(start("records")))
    assert owed(j) == set(), "there is no centre to send it to"
    j.tell(LeaveJourney("declined"))
    assert owed(j) == {"specimen_at_hand"}
    assert j.case.open, "a case stays open until it is home"
    j.tell(ReportSpecimen(specimen(j), "returned"))
    assert owed(j) == set()


def test_nothing_goes_to_a_centre_without_consent() -> None:
    j = ask(start("submitted"))
    j.tell(WithdrawConsent("cross_border", patient(j), CENTRE))
    when(j, ReportSpecimen(specimen(j), "forwarded", submission=submission(j))).then_refused(Reason.NOT_NOW)


def test_an_acceptance_without_them_ends_the_asking() -> None:
    j = ask(start("submitted"))
    assert owed(j) == {"specimen_from_doctor"}
    from_here = start("accepted")
    assert owed(ask(from_here)) == set()


@pytest.mark.parametrize(("end", "found"), [("returned", True), ("lost", True), ("consumed", False)])
def test_what_came_home_from_one_centre_may_go_to_another(end: str, found: bool) -> None:
    j = forward(ask(start("submitted")))
    first = j.case.specimens[specimen(j)].resource
    j.tell(ReportResource(first, end))  # type: ignore[arg-type]
    again = ReportSpecimen(specimen(j), "at_hand")
    if not found:
        when(j, again).then_refused(Reason.NOT_NOW, "they are with a centre")
        return
    j.tell(again)
    assert [one.state for one in specimen_lines(j.case)] == ["at_hand"]
    assert owed(j) == {"specimen_at_hand"}
    forward(j)
    second = j.case.specimens[specimen(j)].resource
    assert (second != first, j.case.resources[first].state, j.case.resources[second].state) == (True, end, "held")
