"""Which form is signed before cells: the trial's, or that of the treatment outside one [people.consent-access]."""

from __future__ import annotations

from typing import Any

import pytest

from domain.case.consenting import Form, consent_gone, consents_to_cells, form_asked
from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.treatment.admission import AdmitPatient, ConfirmScreening
from domain.stages.treatment.lymphodepletion import SignGate
from tests.domain.course import PROTOCOL, patient, start
from tests.domain.journey import Journey, when
from tests.domain.stages.treatment.bedside import arrives_unsigned, outside_a_trial

SIGN = SignGate("Dr Li", no_active_infection=True, organ_function_fine=True)
ASKED: tuple[tuple[dict[str, Any], Form], ...] = (
    ({}, "trial"),
    ({"access": "trial"}, "trial"),
    ({"access": "approved_use"}, "treatment"),
    ({"access": "compassionate_use"}, "treatment"),
    ({"access": "hospital_programme"}, "treatment"),
    ({"access": "hospital_programme", "route": "cn_translated"}, "treatment"),
    ({"access": "hospital_programme", "route": "cn_order_818"}, "trial"),
)


def owed(j: Journey) -> set[str]:
    return {o.kind for o in j.all_owed()} & {"trial_consent", "treatment_consent"}


@pytest.mark.parametrize(("told", "form"), ASKED)
def test_the_protocol_says_which_form_is_asked_for(told: dict[str, Any], form: Form) -> None:
    j = arrives_unsigned(start("admission").source(PROTOCOL, **told))
    assert form_asked(j.case) == form
    assert owed(j) == {f"{form}_consent"}


def test_outside_a_trial_the_case_goes_on_with_consent_to_the_treatment_alone() -> None:
    j = outside_a_trial(start("admission"))
    j.tell(AdmitPatient("E")).tell(ConfirmScreening("Dr Li"))
    assert (j.case.stage, owed(j)) == (Stage.ADMISSION, {"treatment_consent"})
    j.tell(GiveConsent("treatment", patient(j), "2", "hi"))
    assert (j.case.stage, owed(j)) == (Stage.LYMPHODEPLETION, set())


def test_in_a_trial_consent_to_treatment_is_not_enough() -> None:
    j = arrives_unsigned(start("admission"))
    j.tell(AdmitPatient("E")).tell(ConfirmScreening("Dr Li")).tell(GiveConsent("treatment", patient(j), "2", "hi"))
    assert (j.case.stage, owed(j)) == (Stage.ADMISSION, {"trial_consent"})


def test_what_was_signed_while_nobody_said_how_the_product_is_come_by_stays_good() -> None:
    j = start("lymphodepletion").source(PROTOCOL, access="approved_use").look()
    assert form_asked(j.case) == "treatment"
    assert not j.case.consented("treatment")
    j.tell(SIGN)
    assert not consent_gone(j.case)


def test_an_amendment_on_the_way_asks_for_the_other_form() -> None:
    j = outside_a_trial(start("admission"))
    j.source(PROTOCOL, access="trial").look()
    assert owed(j) == {"trial_consent"}


def test_the_gate_stays_closed_when_the_consent_to_the_treatment_was_taken_back() -> None:
    j = start("lymphodepletion").source(PROTOCOL, access="approved_use").look()
    who = patient(j)
    j.tell(GiveConsent("treatment", who, "2", "hi")).tell(WithdrawConsent("trial", who))
    assert consents_to_cells(j.case)
    j.tell(WithdrawConsent("treatment", who))
    assert consent_gone(j.case)
    when(j, SIGN).then_refused(Reason.MISSING, "consent to the treatment is not given")


def test_a_form_of_the_trial_does_not_outlive_the_consent_to_the_treatment_taken_back() -> None:
    j = start("lymphodepletion").source(PROTOCOL, access="approved_use").look()
    who = patient(j)
    j.tell(GiveConsent("treatment", who, "2", "hi"))
    assert j.case.consented("trial")
    j.tell(WithdrawConsent("treatment", who))
    assert consent_gone(j.case)
    when(j, SIGN).then_refused(Reason.MISSING, "consent to the treatment is not given")
    j.tell(GiveConsent("treatment", who, "2", "hi"))
    assert not consent_gone(j.case)
