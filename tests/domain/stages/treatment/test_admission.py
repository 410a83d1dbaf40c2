"""Admission [S6]: arrival, address, stay, admission, screening on site, consent to the trial."""

from datetime import timedelta
from unittest.mock import ANY

import pytest

from domain.case.phases.consents import RISK_ITEMS
from domain.case.stage import Exit, Stage
from domain.core.errors import Reason
from domain.stages.anytime.moving import StageEntered
from domain.stages.follow_up.closing import CannotBeUndone, JourneyLeft
from domain.stages.follow_up.follow_up import ReturnHome
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.treatment.admission import (
    AddressRegistered,
    AdmitPatient,
    ConfirmScreening,
    DecideStayExtension,
    FailScreening,
    FileStayExtension,
    PatientAdmitted,
    PatientArrived,
    RecordArrival,
    RegisterAddress,
    ScreeningConfirmed,
    ScreeningFailed,
    StayExtensionDecided,
    StayExtensionFiled,
)
from domain.stages.treatment.redosing import TreatmentPlanned
from tests.domain.course import patient, start
from tests.domain.journey import DAY, HOUR, when
from tests.domain.refusals import No

REFUSALS = (
    No("arrived", lambda j: RecordArrival(j.now), Reason.ALREADY, "the arrival is recorded"),
    No("admission", lambda j: RecordArrival(j.now + HOUR), Reason.INVALID, "the arrival lies in the future"),
    No("admission", RegisterAddress(), Reason.MISSING, "the arrival is not recorded"),
    No("admitted", AdmitPatient("E-2"), Reason.ALREADY, "the patient is admitted"),
    No("arrived", ConfirmScreening("Dr Li"), Reason.MISSING, "the patient is not admitted"),
    No("admitted", FailScreening("Dr Li", "infection", ""), Reason.INVALID, "a refusal names an alternative pathway"),
    No("admission", FileStayExtension(), Reason.MISSING, "no permitted stay is recorded"),
    No("arrived", DecideStayExtension(True), Reason.MISSING, "no extension was applied for"),
    No(
        "arrived",
        DecideStayExtension(True),
        Reason.INVALID,
        "a granted stay has an end",
        lambda j: j.tell(FileStayExtension()),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_the_stay_counts_from_entry_and_the_address_is_owed_within_a_day() -> None:
    j = start("admission")
    j.away(7 * DAY).look()
    assert any(o.about.startswith("arrival_checklist:") for o in j.all_owed("chase"))
    entered = j.now - HOUR
    when(j, RecordArrival(entered)).then_told(PatientArrived(entered, entered + 120 * DAY)).then_opens(
        "address_registration", "admission", "stay_end"
    )
    assert j.owed("address_registration").due == j.now + 24 * HOUR
    assert j.owed("stay_end").due == entered + 120 * DAY
    assert not [o for o in j.all_owed("chase") if o.about.startswith("arrival_checklist:")], "they are there"
    when(j, RegisterAddress("hotel")).then_told(AddressRegistered("hotel"))


def test_the_hospital_admits_and_owes_the_screening() -> None:
    when(start("arrived"), AdmitPatient("E-1")).then_told(PatientAdmitted("E-1")).then_opens("screening_result")


def test_an_extension_moves_the_end_of_the_stay_and_a_refusal_does_not() -> None:
    j = start("arrived")
    when(j, FileStayExtension()).then_told(StayExtensionFiled())
    refused = j.fork()
    until = j.now + 200 * DAY
    when(j, DecideStayExtension(True, until)).then_told(StayExtensionDecided(True, until)).then_opens("stay_end")
    assert j.owed("stay_end").due == until
    before = refused.owed("stay_end")
    when(refused, DecideStayExtension(False, until)).then_told(StayExtensionDecided(False, None))
    assert refused.owed("stay_end") == before


def test_screening_confirmed_moves_on_and_plans_the_treatment() -> None:
    when(start("admitted"), ConfirmScreening("Dr Li", "as expected")).then_told(
        ScreeningConfirmed("Dr Li", "as expected"),
        StageEntered(Stage.LYMPHODEPLETION, Stage.ADMISSION),
        TreatmentPlanned(1, 1),
    ).then_opens("gate")


def test_as_many_infusions_are_planned_as_the_protocol_says() -> None:
    j = start("admitted")
    j.source("protocol-a", planned_infusions=3)
    when(j, ConfirmScreening("Dr Li"))
    assert TreatmentPlanned(1, 3) in j.last


def test_without_the_consents_nobody_can_waive_the_case_waits_at_the_bedside() -> None:
    j = start("admission")
    j.tell(WithdrawConsent("risks", patient(j))).away(7 * DAY).tell(RecordArrival(j.now)).tell(AdmitPatient("E"))
    when(j, ConfirmScreening("Dr Li")).then_told(ScreeningConfirmed("Dr Li", ""))
    assert j.owed("trial_consent").debtor == "family"
    when(j, GiveConsent("risks", patient(j), "2", "hi", items=RISK_ITEMS))
    assert StageEntered(Stage.LYMPHODEPLETION, Stage.ADMISSION) in j.last


def test_a_failed_screening_ends_the_journey_with_another_way_and_a_way_home() -> None:
    j = start("admitted")
    when(j, FailScreening("Dr Li", "infection", "treat the infection at home")).then_told(
        ScreeningFailed("Dr Li", "infection", "treat the infection at home"),
        JourneyLeft(Exit.SCREEN_FAILED, Stage.ADMISSION, ""),
        CannotBeUndone("stay_in_country", ANY),
        CannotBeUndone("shared_dossier", ANY),
        StageEntered(Stage.CLOSED, Stage.ADMISSION),
    ).then_opens("return_home").then_asks("tell_centre_of_exit")
    assert j.case.open
    assert {o.kind for o in j.all_owed()} == {"return_home", "stay_end"}
    j.tell(ReturnHome())
    assert j.all_owed() == []


def test_an_arrival_that_is_overdue_is_chased() -> None:
    j = start("admission")
    due = j.owed("arrival").due
    assert due.date() == j.case.stay_plan["arrives"] + timedelta(days=1)
    j.wait(until=due)
    assert [o for o in j.all_owed("chase") if o.about.startswith("arrival:")]
