"""Consents: the doctor at home is written to with one only, risks are accepted one by one, and a withdrawal stops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.case.effect import EffectWithdrawn
from domain.case.phases.consents import ASKS_FOR_THE_DOCTOR, BEFORE_CELLS, RISK_ITEMS, RiskItem
from domain.core.errors import Reason
from domain.core.fact import Fact
from domain.core.when import When
from domain.stages.intake import people
from domain.stages.intake.inquiry import CaseOpened
from domain.stages.intake.people import AddPerson, ConsentGiven, ConsentWithdrawn, GiveConsent, Purpose, WithdrawConsent
from domain.stages.records.records import RequestRecord
from domain.stages.treatment.redosing import DecideRedosing
from domain.stages.treatment.transplant import ReferTransplant
from tests.domain.course import CENTRE, STEPS, patient, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

DOCTOR: Purpose = "share_with_home_doctor"


def withdraw_from_doctor(j: Journey) -> Journey:
    return j.tell(WithdrawConsent(DOCTOR, patient(j)))


def as_opened_before(j: Journey) -> Journey:
    """The same case as one that was opened before this consent was asked for."""
    j.case = replace(j.case, consent_rules=0, consents={k: c for k, c in j.case.consents.items() if DOCTOR not in k})
    return j


REFUSALS = (
    No(
        "answered",
        lambda j: GiveConsent("share_with_hospital", patient(j), "1", "hi", "centre-nowhere"),
        Reason.NOT_FOUND,
        "no such centre, and nobody of this case",
    ),
    No(
        "answered",
        lambda j: GiveConsent("cross_border", patient(j), "1", "hi", "the ministry"),
        Reason.NOT_FOUND,
        "no such centre, and nobody of this case",
    ),
    No("answered", lambda j: GiveConsent("trial", patient(j), " ", "hi"), Reason.INVALID, "a consent names the"),
    No(
        "answered",
        lambda j: GiveConsent("trial", patient(j), "1", "hi", items=("gvhd",)),
        Reason.INVALID,
        "only risks are accepted one by one",
    ),
    No(
        "answered",
        lambda j: GiveConsent(DOCTOR, patient(j), "1", "hi", patient(j)),
        Reason.NOT_FOUND,
        "no such doctor at home",
    ),
    No(
        "records",
        lambda j: WithdrawConsent("risks", patient(j), items=("gvhd",)),
        Reason.MISSING,
        "this risk is not accepted",
        lambda j: j.tell(WithdrawConsent("risks", patient(j), items=("gvhd",))),
    ),
    No("records", RequestRecord("labs", "home_oncologist"), Reason.MISSING, "consent to share", withdraw_from_doctor),
    No(
        "infused",
        ReferTransplant("Dr Li"),
        Reason.MISSING,
        "the risks of a transplant are not accepted",
        lambda j: j.tell(WithdrawConsent("risks", patient(j), items=("transplant",))),
    ),
    No(
        "assessed",
        DecideRedosing("Dr Li"),
        Reason.MISSING,
        "the risks of another dose are not accepted",
        lambda j: j.tell(WithdrawConsent("risks", patient(j), items=("redosing",))),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_recipient_is_a_centre_of_the_catalogue_or_somebody_of_the_case() -> None:
    j = start("opened")
    doctor = j.case.home_doctor
    assert doctor
    j.tell(GiveConsent("cross_border", patient(j), "1", "hi", doctor.id))
    j.tell(GiveConsent("cross_border", patient(j), "1", "hi", CENTRE))
    j.source("centre-proposed", paused=False, country="", zone="UTC")
    when(j, GiveConsent("cross_border", patient(j), "1", "hi", "centre-proposed")).then_refused(
        Reason.NOT_FOUND, "no such centre"
    )


def test_a_consent_of_before_with_an_unknown_recipient_stands_and_can_be_taken_back() -> None:
    j = start("opened").record(ConsentGiven("cross_border", "centre-nowhere", "", "", "hi"))
    assert j.case.consented("cross_border", "centre-nowhere")
    j.tell(WithdrawConsent("cross_border", patient(j), "centre-nowhere"))
    assert not j.case.consented("cross_border", "centre-nowhere")


def test_the_consent_names_the_doctor_whom_the_case_knows() -> None:
    j = start("opened")
    doctor = j.case.home_doctor
    assert doctor
    given = ConsentGiven(DOCTOR, doctor.id, patient(j), "2", "hi")
    when(j, GiveConsent(DOCTOR, patient(j), "2", "hi")).then_told(given)


def test_a_withdrawal_stops_what_the_doctor_is_asked_at_once_and_a_new_consent_asks_anew() -> None:
    j = start("records")
    j.tell(RequestRecord("labs", "home_oncologist"))
    [asked] = j.asked("request_record_from_doctor")
    assert asked.pending
    withdraw_from_doctor(j)
    assert EffectWithdrawn(asked.id) in j.last
    j.wait(by=20 * DAY)
    assert not [e for e in j.case.effects.values() if e.to == "home_oncologist" and e.state != "withdrawn"]
    j.tell(GiveConsent(DOCTOR, patient(j), "2", "hi"))
    assert [e.pending for e in j.asked("request_record_from_doctor")] == [True]


def test_the_hand_over_waits_for_the_consent() -> None:
    j = withdraw_from_doctor(start("assessed").fork())
    from_here = start("follow_up")
    assert from_here.asked("send_handover")
    withdraw_from_doctor(from_here)
    assert not [e for e in from_here.asked("send_handover") if e.pending]
    assert not j.case.shares_with_doctor


def test_a_case_of_before_goes_on_as_it_was_opened() -> None:
    j = as_opened_before(start("records"))
    j.tell(RequestRecord("labs", "home_oncologist"))
    assert [e.pending for e in j.asked("request_record_from_doctor")] == [True]
    assert not j.all_owed("doctor_consent")
    assert CaseOpened("", "IN", "hi", "UTC", "other", False, "", "", False, "").consent_rules < ASKS_FOR_THE_DOCTOR


def test_nobody_is_asked_about_a_doctor_who_is_not_there() -> None:
    j = start("records")
    people = {i: p for i, p in j.case.people.items() if p.role != "home_oncologist"}
    assert replace(j.case, people=people, consents={}).shares_with_doctor


@pytest.mark.parametrize("item", RISK_ITEMS)
def test_each_risk_is_withdrawn_by_itself(item: RiskItem) -> None:
    j = start("records")
    assert j.case.consented("risks")
    when(j, WithdrawConsent("risks", patient(j), items=(item,))).then_told(
        ConsentWithdrawn("risks", "", patient(j), (item,))
    )
    assert [one for one in RISK_ITEMS if not j.case.accepts_risk(one)] == [item]
    assert j.case.consented("risks") == (item not in BEFORE_CELLS)
    j.tell(GiveConsent("risks", patient(j), "2", "hi", items=(item,)))
    assert all(j.case.accepts_risk(one) for one in RISK_ITEMS)


def test_risks_accepted_as_a_whole_before_are_all_of_them() -> None:
    j = start("answered")
    told = ConsentGiven("risks", "", patient(j), "1", "hi")
    assert told.items == ()
    j.tell(GiveConsent("risks", patient(j), "1", "hi", items=("gvhd",)))
    whole: Fact[people.Event] = Fact(told, "fact-9", 99, j.now, When.at(j.now), "person-1")
    assert all(people.evolve(j.case, whole).accepts_risk(one) for one in RISK_ITEMS)


@pytest.mark.parametrize(
    ("at", "step", "kind"),
    [("lymphodepletion", "gated", "confirm_depletion_start"), ("authorised", "checked", "confirm_thaw")],
)
def test_a_withdrawn_risk_stops_what_the_hospital_is_asked_to_give(at: str, step: str, kind: str) -> None:
    j = start(at)
    STEPS[step](j)
    [asked] = j.asked(kind)
    assert asked.pending
    j.tell(WithdrawConsent("risks", patient(j), items=("gvhd",)))
    assert not [e for e in j.case.effects.values() if e.kind == kind and e.pending]


def test_another_doctor_needs_a_consent_of_their_own() -> None:
    j = start("records")
    j.tell(AddPerson("home_oncologist", "Dr New", "Asia/Kolkata", "en"))
    new = [p.id for p in j.case.people.values() if p.role == "home_oncologist"][-1]
    j.tell(GiveConsent(DOCTOR, patient(j), "1", "hi", new))
    assert j.case.consented(DOCTOR, new)


def test_a_signed_form_without_items_accepts_all_that_it_names() -> None:
    j = start("answered").tell(GiveConsent("risks", patient(start("answered")), "1", "hi"))
    assert next(c.items for c in j.case.consents.values() if c.purpose == "risks") == RISK_ITEMS
