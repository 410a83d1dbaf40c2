"""Transplant track: referred, answered, given; more than once."""

import pytest

from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.treatment.transplant import (
    DeclineTransplant,
    RecordTransplant,
    ReferTransplant,
    TransplantDeclined,
    TransplantGiven,
    TransplantReferred,
)
from tests.domain.course import start
from tests.domain.journey import DAY, when
from tests.domain.refusals import No

REFUSALS = (
    No(
        "infused",
        ReferTransplant("Dr"),
        Reason.ALREADY,
        "the transplant team was asked",
        lambda j: j.tell(ReferTransplant("Dr")),
    ),
    No("infused", DeclineTransplant("x"), Reason.MISSING, "the transplant team was not asked"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_referred_and_given() -> None:
    j = start("infused")
    when(j, ReferTransplant("Dr Li")).then_told(TransplantReferred("Dr Li")).then_opens(
        "transplant_decision", "donor_search"
    ).then_asks("refer_transplant")
    day = When.on((j.now - DAY).date())
    when(j, RecordTransplant(1, "sibling", "", day)).then_told(TransplantGiven(1, "sibling", ""))
    assert (j.case.transplant, j.case.transplants) == ("done", 1)


def test_declined_and_asked_again() -> None:
    j = start("infused").tell(ReferTransplant("Dr Li"))
    when(j, DeclineTransplant("no donor")).then_told(TransplantDeclined("no donor"))
    when(j, ReferTransplant("Dr Li")).then_told(TransplantReferred("Dr Li")).then_asks("refer_transplant")


def test_a_transplant_nobody_referred_is_still_a_fact() -> None:
    when(start("handed_over"), RecordTransplant(None)).then(TransplantGiven(None, "", ""))
