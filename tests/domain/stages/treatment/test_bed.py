"""Bed track: held on a lease until the patient lies in it."""

from datetime import timedelta

import pytest

from domain.core.errors import Reason
from domain.stages.follow_up.closing import LeaveJourney, ReopenCase
from domain.stages.treatment.bed import AskBedAgain, BedAsked, BedHeld, BedLapsed, BedRefused, HoldBed, RefuseBed
from tests.domain.course import start
from tests.domain.journey import DAY, when
from tests.domain.refusals import No

REFUSALS = (
    No("priced", lambda j: HoldBed("B", j.now), Reason.INVALID, "the hold has ended already"),
    No("visa", RefuseBed("full"), Reason.ALREADY, "a bed is held"),
    No("accepted", AskBedAgain(), Reason.NOT_NOW, "no bed is needed now"),
    No("priced", AskBedAgain(), Reason.ALREADY, "a bed is asked for already"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_bed_is_held_and_its_renewal_is_owed() -> None:
    j = start("priced")
    when(j, HoldBed("B", j.now + DAY)).then_told(BedHeld("B", j.now + DAY)).then_opens("bed_hold_renewal")


def test_a_hold_ends_by_itself_and_is_asked_for_again() -> None:
    j = start("visa")
    assert j.case.bed.until
    j.wait(until=j.case.bed.until - timedelta(microseconds=1))
    assert j.case.bed.state == "held"
    when(j, at=j.case.bed.until).then_told(BedLapsed())
    assert [e.about for e in j.agenda.effects if e.kind == "hold_bed"] == ["centre-a/2"]


def test_a_longer_hold_is_asked_for_while_the_bed_is_kept() -> None:
    j = start("visa")
    when(j, AskBedAgain()).then_told(BedAsked(2)).then_asks("hold_bed")
    assert j.case.bed.good_at(j.now)


def test_no_bed_is_a_coordinators_to_find() -> None:
    j = start("priced")
    when(j, RefuseBed("full")).then_told(BedRefused("full")).then_opens("find_bed")
    when(j, AskBedAgain()).then_told(BedAsked(2)).then_asks("hold_bed")


def test_an_occupied_bed_is_no_hold_that_could_end() -> None:
    j = start("admitted")
    j.wait(by=100 * DAY)
    assert j.case.bed.state == "held"


def test_a_bed_is_given_back_and_asked_for_again_when_the_family_returns() -> None:
    j = start("visa")
    j.tell(LeaveJourney("declined"))
    j.deliver("release_bed")
    assert j.case.bed.state == "released"
    when(j, ReopenCase("they came back"))
    assert "hold_bed" in [e.kind for e in j.agenda.effects]
