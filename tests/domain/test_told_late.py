"""What happened and is written down when the case has gone on: recorded with its own date, and what follows follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.case.stage import Exit, Stage
from domain.core.errors import Reason
from domain.core.fact import Command
from domain.core.when import When
from domain.journey import ACCEPTED
from domain.stages.anytime.moving import MoveOn, missing
from domain.stages.eligibility.review_again import PROGRESSED
from domain.stages.follow_up.closing import CannotBeUndone, JourneyLeft, LeaveJourney
from domain.stages.follow_up.follow_up import ReturnHome
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.records import ReceiveRecord, RecordReceived, RequestRecord
from domain.stages.travel.travel import BookTravel
from domain.stages.travel.visa import FileVisa, GrantVisa, RecordPassport, StayPermitted, VisaGranted
from domain.stages.treatment.admission import FailScreening, RecordArrival
from domain.stages.treatment.adverse_events import InfectionReported, ReportInfection, ReportStay
from domain.stages.treatment.infusion import DestroyUnit, RecordInfusion
from domain.stages.treatment.lymphodepletion import (
    CompleteDepletion,
    DepletionCompleted,
    DepletionGiven,
    RecordDepletion,
    StopDepletion,
)
from domain.stages.treatment.observations import Command as Reported
from domain.stages.treatment.recovery import DecidePathway, DischargePatient
from domain.stages.treatment.redosing import DecideRedosing
from tests.domain.course import DOCUMENT, STEPS, UNIT, item, patient, start
from tests.domain.journey import DAY, Journey, when


def yesterday(j: Journey) -> When:
    return When.on((j.now - DAY).date())


@pytest.mark.parametrize("at", ["infusion", "thawed", "infused", "follow_up"])
def test_a_day_of_chemotherapy_is_written_down_after_its_stage_and_nothing_begins_again(at: str) -> None:
    j = start(at)
    before = j.case.treatment
    told = yesterday(j)
    when(j, RecordDepletion("Flu", -4, told)).then_told(DepletionGiven(1, "Flu", -4))
    assert j.facts[-1].occurred == told
    assert before
    assert j.case.treatment
    assert replace(j.case.treatment, days=before.days) == before
    assert -4 in {day.day for day in j.case.treatment.days}
    assert j.case.stage is start(at).case.stage


def test_chemotherapy_of_an_earlier_treatment_is_told_while_the_next_one_is_planned() -> None:
    j = start("infused").tell(DecideRedosing("Dr"))
    when(j, RecordDepletion("Flu", occurred=yesterday(j))).then_told(DepletionGiven(1, "Flu", None))
    when(j, RecordDepletion("Cy", treatment=1)).then_told(DepletionGiven(1, "Cy", None))
    assert j.case.treatment
    assert (j.case.treatment.number, j.case.treatment.depletion) == (2, "none")


def test_chemotherapy_told_after_the_journey_was_left_says_what_cannot_be_undone() -> None:
    j = start("gated").tell(LeaveJourney("withdrawn"))
    assert "lymphodepletion" not in j.case.undone
    when(j, RecordDepletion("Flu/Cy", -5, yesterday(j)))
    kinds = [type(e) for e in j.last]
    assert kinds.index(DepletionGiven) < kinds.index(CannotBeUndone)
    assert "physician on call" in j.case.undone["lymphodepletion"]


def test_the_end_of_chemotherapy_told_late_opens_the_window_it_would_have_opened() -> None:
    j = start("depleting")
    j.tell(MoveOn(Stage.INFUSION, "told by telephone", ("lymphodepletion completed or left out",)))
    assert j.case.stage is Stage.INFUSION
    day = yesterday(j)
    assert day.latest
    when(j, CompleteDepletion(9, day)).then_told(DepletionCompleted(1, day.latest + 9 * DAY))
    when(j, StopDepletion("x")).then_refused(Reason.NOT_NOW, "lymphodepletion is not under way")


def test_what_a_hospital_reports_of_the_patient_is_taken_at_every_stage() -> None:
    for command in Reported.__args__:
        assert [stage for stage, taken in ACCEPTED.items() if command not in taken] == [], command


@pytest.mark.parametrize("command", [ReportInfection("lung", "RSV", 3), ReportStay("fever")], ids=lambda c: c.type)
def test_an_infection_at_home_makes_the_centre_look_again_before_anybody_travels(command: Command) -> None:
    j = start("granted")
    when(j, command).then_opens("review_again").then_asks("tell_centre_of_progression")
    when(j, BookTravel(j.now + DAY)).then_refused(Reason.LAPSED, PROGRESSED)


def test_an_infection_at_the_centre_is_the_gates_to_ask_about() -> None:
    j = start("lymphodepletion")
    when(j, ReportInfection("lung", "RSV", 3)).then_told(InfectionReported("lung", "RSV", 3, None, ""))
    assert not j.case.progressed


def arrived_without_a_visa() -> Journey:
    j = start("filed")
    lacking = tuple(need.name for need in missing(j.case, j.now))
    j.tell(MoveOn(Stage.ADMISSION, "the patient is here", lacking))
    return j.tell(RecordArrival(j.now - DAY))


def test_a_visa_told_after_the_arrival_counts_the_stay_from_the_arrival() -> None:
    j = arrived_without_a_visa()
    entered = j.case.entered
    assert entered
    assert j.case.stay_until is None
    when(j, GrantVisa(patient(j), entered + DAY / 2, 90)).then_told(
        VisaGranted(patient(j), entered + DAY / 2, 90, 1), StayPermitted(entered + 90 * DAY)
    ).then_opens("stay_end")
    assert j.case.visas[patient(j)].state == "used"


def test_a_visa_that_ended_before_the_arrival_was_no_visa() -> None:
    j = arrived_without_a_visa()
    assert j.case.entered
    told = GrantVisa(patient(j), j.case.entered - DAY, 90)
    when(j, told).then_refused(Reason.INVALID, "the visa has ended already")


@pytest.mark.parametrize("at", ["lymphodepletion", "infusion", "follow_up"])
def test_papers_that_come_while_treatment_runs_are_taken(at: str) -> None:
    j = start(at)
    carer = next(p.id for p in j.case.people.values() if p.role == "carer")
    j.tell(RecordPassport(carer, (j.now + 900 * DAY).date()))
    j.tell(FileVisa(carer, "S2")).tell(GrantVisa(carer, j.now + 30 * DAY, 60))
    assert j.case.visas[carer].state == "granted"


def test_a_document_asked_for_before_treatment_is_received_during_it() -> None:
    j = start("admitted").tell(RequestRecord("imaging"))
    asked = item(j)
    STEPS["lymphodepletion"](j)
    assert j.case.stage is Stage.LYMPHODEPLETION
    when(j, ReceiveRecord(asked, DOCUMENT, "en")).then_told(RecordReceived(asked, DOCUMENT, "en"))


def test_who_goes_home_before_anybody_decided_is_home() -> None:
    j = start("infused")
    day = yesterday(j)
    j.tell(ReturnHome(day))
    assert j.case.home == day.earliest
    j.tell(DecidePathway("observe", "Dr"))
    assert j.case.stage is Stage.FOLLOW_UP
    assert "fit_home" not in {o.kind for o in j.case.obligations.values() if o.state == "open"}


def test_a_screening_that_fails_after_its_stage_ends_the_journey_with_its_alternative() -> None:
    j = start("lymphodepletion")
    when(j, FailScreening("Dr", "organ_function", "palliative care at home"))
    assert JourneyLeft(Exit.SCREEN_FAILED, Stage.LYMPHODEPLETION, "") in j.last


def test_what_nothing_can_make_late_is_still_refused() -> None:
    j = start("infused").tell(WithdrawConsent("data_processing", patient(start("infused"))))
    when(j, DestroyUnit(UNIT, "x")).then_refused(Reason.NOT_NOW)
    when(start("visa"), RecordInfusion(UNIT)).then_refused(Reason.NOT_NOW)
    when(start("visa"), DischargePatient("Dr")).then_refused(Reason.NOT_NOW)
