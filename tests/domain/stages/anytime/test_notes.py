"""What may happen at any stage: owners, notes, documents, holds; and cases taken over from a spreadsheet."""

from dataclasses import replace
from datetime import datetime

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason, Refused
from domain.core.when import When
from domain.stages.anytime.holding import HoldCase, Redate, ResumeCase, Snooze
from domain.stages.anytime.notes import (
    AddNote,
    AssignCase,
    AttachDocument,
    CaseAssigned,
    DocumentAttached,
    NoteAdded,
    SettleEffect,
)
from domain.stages.anytime.watching import PersonStateNoted, ProtocolStateNoted, noted
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.follow_up.visit_plan import last_due
from domain.stages.intake.importing import ImportFacts
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.dose import HoldDose
from tests.domain.course import CENTRE, DOCUMENT, LOT, OPENED, PROTOCOL, STEPS, UNIT, start
from tests.domain.journey import DAY, START, Journey, when
from tests.domain.refusals import No

IMPORTED = replace(OPENED, imported=True)


def facts(stage: Stage, **more: object) -> ImportFacts:
    return replace(ImportFacts(stage, "person-1", "", CENTRE, PROTOCOL, START + 9 * DAY), **more)  # type: ignore[arg-type]


INFUSED = (When.on((START - 400 * DAY).date()),)
REFUSALS = (
    No("records", AssignCase("", ""), Reason.INVALID, "a case has an owner or a team"),
    No("records", AddNote("note", ""), Reason.INVALID, "an empty note says nothing"),
    No("records", AttachDocument(DOCUMENT, "x", "image/png", 0), Reason.INVALID, "an empty document says nothing"),
    No("records", HoldCase("x"), Reason.ALREADY, "the case is on hold", lambda j: j.tell(HoldCase("x"))),
    No("home", HoldCase("x"), Reason.NOT_NOW, "the journey was left", lambda j: j.tell(LeaveJourney("declined"))),
    No("records", ResumeCase(), Reason.NOT_NOW, "the case is not on hold"),
    No("opened", facts(Stage.VISA), Reason.NOT_ALLOWED, "only a case opened as imported takes imported facts"),
    No("imported", facts(Stage.VISA, centre=""), Reason.INVALID, "from visa on a case has a centre"),
    No("imported", facts(Stage.FOLLOW_UP), Reason.INVALID, "a treated case names its infusions"),
    No("imported", facts(Stage.VISA, infusions=INFUSED), Reason.INVALID, "cells go in at the stage infusion"),
    No(
        "imported",
        lambda j: facts(Stage.FOLLOW_UP, infusions=(When.at(j.now + DAY),)),
        Reason.INVALID,
        "an infusion lies in the past",
    ),
    No(
        "imported",
        facts(Stage.INQUIRY),
        Reason.ALREADY,
        "the facts were imported",
        lambda j: j.tell(facts(Stage.INQUIRY)),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_owner_note_document() -> None:
    j = start("records")
    when(j, AssignCase("person-7", "team-2", "leave")).then(CaseAssigned("person-7", "team-2", "leave"))
    when(j, AddNote("call", "will send tomorrow")).then(NoteAdded("call", "will send tomorrow"))
    when(j, AttachDocument(DOCUMENT, "scan", "image/png", 9)).then(DocumentAttached(DOCUMENT, "scan", "image/png", 9))


def test_an_absent_owner_is_noted() -> None:
    j = start("records")
    j.source("person-1", absent_from=j.now, absent_until=j.now + DAY, cover="person-2")
    when(j).then(PersonStateNoted("person-1", 1, j.now, j.now + DAY, "person-2"))


def test_nothing_is_noted_of_what_nobody_knows() -> None:
    with pytest.raises(Refused, match="nothing can be noted of weather-1"):
        noted("weather-1", 1, {})


def test_instants_of_a_read_model_may_be_text() -> None:
    until = "2026-05-01T00:00:00+00:00"
    told = noted(PROTOCOL, 1, {"open": True, "open_until": until, "planned_infusions": 1, "title": "x"})
    assert isinstance(told, ProtocolStateNoted)
    assert told.open_until == datetime.fromisoformat(until)


@pytest.mark.parametrize("stage", [s for s in Stage if s != Stage.CLOSED])
def test_an_imported_case_goes_on_from_where_it_stands_and_nothing_past_is_chased(stage: Stage) -> None:
    treated = stage in (Stage.REDOSING, Stage.FOLLOW_UP)
    j = start("imported")
    j.tell(facts(stage, infusions=INFUSED if treated else (), consents=("data_processing",)))
    assert j.case.stage == stage or stage is Stage.INQUIRY
    assert all(o.due > j.now for o in j.all_owed())
    assert not [e for e in j.case.effects.values() if e.kind in ("remind", "escalate")]
    assert j.all_owed() or j.agenda.effects, "a dead end"
    j.wait(by=DAY)
    assert all(o.opened_at >= START for o in j.all_owed())


def test_an_imported_follow_up_owes_only_visits_to_come() -> None:
    j = start("imported")
    j.tell(facts(Stage.FOLLOW_UP, infusions=INFUSED, home=START - 300 * DAY))
    assert {o.kind for o in j.all_owed()} == {"visit"}
    assert j.owed("visit").about == "M18/1"
    assert [e.kind for e in j.agenda.effects] == []


def test_an_imported_follow_up_after_fifteen_years_is_over() -> None:
    j = start("imported")
    j.tell(facts(Stage.FOLLOW_UP, infusions=(When.on((START - 16 * 366 * DAY).date()),), home=START))
    assert j.case.stage == Stage.CLOSED
    assert not j.case.open


def test_an_imported_closed_case_with_cells_is_followed_up() -> None:
    j = start("imported")
    j.tell(facts(Stage.CLOSED, infusions=INFUSED, home=START))
    assert j.case.stage == Stage.FOLLOW_UP
    assert last_due(j.case)


def test_an_imported_case_before_its_infusion_can_be_infused() -> None:
    j = start("imported")
    hold = {"dose_lot": LOT, "dose_unit": UNIT, "dose_until": START + 30 * DAY}
    j.tell(facts(Stage.INFUSION, consents=("data_processing", "trial", "risks"), **hold))
    assert j.asked("reserve_dose") == []
    when(j, AuthoriseInfusion("Dr Li"))
    for step in ("checked", "thawed", "infused"):
        STEPS[step](j)
    assert len(j.case.infusions) == 1


def test_an_imported_case_at_visa_is_not_asked_for_its_price_again() -> None:
    j = start("imported")
    j.tell(facts(Stage.VISA, bed_until=START + 20 * DAY))
    asked = {e.kind for e in j.agenda.effects}
    assert asked == {"reserve_dose", "request_invitation_letter"}
    j.tell(HoldDose(LOT, UNIT, START + 20 * DAY))
    assert {o.kind for o in j.all_owed()} & {"quote", "estimate", "first_reply"} == set()


def test_a_case_that_was_to_be_imported_and_never_was_is_somebodys_to_answer() -> None:
    j = Journey().tell(IMPORTED)
    assert {o.kind for o in j.all_owed()} == {"first_reply"}
    assert (SettleEffect("x", "delivered").type, Snooze("x", START, "").type) == ("SettleEffect", "Snooze")
    assert Redate("x", START, "").type == "Redate"
