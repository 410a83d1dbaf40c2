"""Inquiry [S1]: people, consents, the first answer; an emergency is pointed to local care."""

from dataclasses import replace
from unittest.mock import ANY

import pytest

from domain.case.obligation import ObligationMet, ObligationOpened
from domain.case.stage import Exit, Stage
from domain.core.case_number import case_number_of
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.anytime.moving import StageEntered
from domain.stages.follow_up.closing import JourneyLeft
from domain.stages.intake.inquiry import (
    AcknowledgeScope,
    AdviseLocalCare,
    CaseOpened,
    FamilyAnswered,
    LocalCareAdvised,
    ReplyToFamily,
    ScopeAcknowledged,
    SetUrgency,
    UrgencySet,
)
from domain.stages.intake.people import (
    AddPerson,
    ChangeContact,
    ConsentGiven,
    ConsentWithdrawn,
    ContactChanged,
    GiveConsent,
    PersonAdded,
    WithdrawConsent,
)
from tests.domain.course import CENTRE, OPENED, patient, start
from tests.domain.journey import START, Journey, given, when
from tests.domain.refusals import No


def _of(role: str, j: Journey) -> str:
    return next(p.id for p in j.case.people.values() if p.role == role)


def consent(purpose: str, role: str = "patient", recipient: str = "") -> object:
    return lambda j: GiveConsent(purpose, _of(role, j), "1", "hi", recipient)  # type: ignore[arg-type]


MINOR = replace(OPENED, minor=True)
REFUSALS = (
    No("opened", OPENED, Reason.ALREADY, "the case is open already"),
    No("", replace(OPENED, patient_name=""), Reason.INVALID, "a patient needs a name"),
    No("", replace(OPENED, country="India"), Reason.INVALID, "no such country: two capital letters (ISO 3166)"),
    No("", replace(OPENED, country="XX"), Reason.INVALID, "no such country"),
    No("", replace(OPENED, zone="Asia/Nowhere"), Reason.INVALID, "no such time zone"),
    No("", replace(OPENED, zone="localtime"), Reason.INVALID, "no such time zone"),
    No("", replace(OPENED, zone="posix/Asia/Kolkata"), Reason.INVALID, "no such time zone"),
    No("", replace(OPENED, zone="../etc/passwd"), Reason.INVALID, "no such time zone"),
    No("", replace(OPENED, zone=""), Reason.INVALID, "no such time zone"),
    No("", ReplyToFamily("call"), Reason.NOT_FOUND, "no such case"),
    No("opened", SetUrgency(False, "x"), Reason.ALREADY, "the case already stands so"),
    No(
        "opened",
        SetUrgency(True, "blasts"),
        Reason.MISSING,
        "open deadlines would move: first_reply to 2026-03-02 12:00 UTC; say `move`, or `keep` them as they are",
    ),
    No("opened", AddPerson("patient", "Twin", "UTC", "en"), Reason.ALREADY, "a case has one patient"),
    No("opened", AddPerson("carer", "", "UTC", "en"), Reason.INVALID, "a carer needs a name"),
    No("opened", ChangeContact("nobody", "", "", "UTC", "en"), Reason.NOT_FOUND, "no such person in this case"),
    No("opened", AcknowledgeScope("nobody", "1"), Reason.NOT_FOUND, "no such person in this case"),
    No("opened", consent("trial", "carer"), Reason.NOT_ALLOWED, "only the patient or the legal representative decides"),
    No("opened", consent("share_with_hospital"), Reason.INVALID, "this consent names its recipient"),
    No("opened", consent("trial", recipient=CENTRE), Reason.INVALID, "this consent has no recipient"),
    No("opened", lambda j: WithdrawConsent("trial", patient(j)), Reason.MISSING, "this consent is not given"),
    No(
        "",
        consent("trial"),
        Reason.NOT_ALLOWED,
        "for a minor the legal representative decides",
        lambda j: j.tell(MINOR),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_an_inquiry_becomes_a_case_with_a_number_and_the_family_is_owed_an_answer() -> None:
    when(given(), OPENED).then(
        CaseOpened(ANY, "IN", "hi", "Asia/Kolkata", "other", False, "person-1", "team-1", False, "", consent_rules=1),
        PersonAdded(ANY, "patient", "Asha", "a@example.org", "", "Asia/Kolkata", "hi", False),
        ObligationOpened(ANY, "first_reply", "inquiry", Party.COORDINATOR, Party.FAMILY, ANY, ANY, ANY),
    )


def test_the_number_can_be_said_on_the_phone() -> None:
    j = given(lambda j: j.tell(OPENED))
    assert case_number_of(j.case.number) == j.case.number
    assert not case_number_of(j.case.number[:-1] + str((int(j.case.number[-1]) + 1) % 10))


def test_a_case_without_an_owner_is_a_supervisors_to_assign() -> None:
    when(given(), replace(OPENED, owner="", team="")).then_opens("first_reply", "owner")


def test_the_answer_is_owed_within_a_working_day() -> None:
    j = given(lambda j: j.tell(OPENED))
    assert j.owed("first_reply").due.date() == (START.date().replace(day=3))


def test_the_first_answer_turns_the_debt_round() -> None:
    j = start("opened")
    when(j, ReplyToFamily("call", "spoke with the sister")).then(
        FamilyAnswered("call", "spoke with the sister"),
        ObligationOpened(ANY, "family_reply", "consent/0", Party.FAMILY, Party.COORDINATOR, ANY, ANY, ANY),
        ObligationMet(ANY),
    )


def test_an_emergency_is_pointed_to_local_care_and_that_is_an_answer() -> None:
    when(start("opened"), AdviseLocalCare("call")).then_told(LocalCareAdvised("call"))
    when(start("opened"), SetUrgency(True, "blasts", "keep")).then_told(UrgencySet(True, "blasts"))


def test_the_last_missing_consent_moves_the_case_on() -> None:
    j = start("answered")
    who = patient(j)
    when(j, AcknowledgeScope(who, "1")).then_told(ScopeAcknowledged(who, "1"))
    when(j, GiveConsent("data_processing", who, "1", "hi")).then_told(
        ConsentGiven("data_processing", "", who, "1", "hi"), StageEntered(Stage.RECORDS, Stage.INQUIRY)
    )


def test_for_a_child_the_legal_representative_consents() -> None:
    j = given(lambda j: j.tell(MINOR).tell(AddPerson("legal_representative", "Mother", "UTC", "en")))
    mother = _of("legal_representative", j)
    when(j, GiveConsent("trial", mother, "1", "hi")).then(ConsentGiven("trial", "", mother, "1", "hi"))
    when(j, WithdrawConsent("trial", mother)).then(ConsentWithdrawn("trial", "", mother))


def test_a_person_can_be_reached_differently() -> None:
    j = start("opened")
    when(j, ChangeContact(patient(j), "new@example.org", "+971 4 555 0100", "Asia/Dubai", "en")).then(
        ContactChanged(patient(j), "new@example.org", "+971 4 555 0100", "Asia/Dubai", "en")
    )
    assert j.case.patient
    assert (j.case.patient.mail, j.case.patient.zone) == ("new@example.org", "Asia/Dubai")


def test_taking_back_the_consent_to_process_health_data_ends_the_journey() -> None:
    j = start("records")
    when(j, WithdrawConsent("data_processing", patient(j))).then_told(
        ConsentWithdrawn("data_processing", "", patient(j)),
        JourneyLeft(Exit.WITHDRAWN, Stage.RECORDS, ""),
        StageEntered(Stage.CLOSED, Stage.RECORDS),
    )
