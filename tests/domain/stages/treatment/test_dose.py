"""Dose track: one unit for one patient, on a lease; what is not needed any more is given back."""

from datetime import timedelta

import pytest

from domain.core.errors import Reason
from domain.stages.anytime.watching import LotStateNoted
from domain.stages.follow_up.acquired import ConfirmDestruction
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.treatment.dose import (
    AskDoseAgain,
    DoseAsked,
    DoseHeld,
    DoseLapsed,
    DoseLost,
    DoseRefused,
    HoldDose,
    RefuseDose,
)
from tests.domain.course import LOT, UNIT, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

REFUSALS = (
    No("priced", lambda j: HoldDose(LOT, "", j.now + DAY), Reason.INVALID, "a held dose is a unit of a lot"),
    No("priced", lambda j: HoldDose(LOT, UNIT, j.now), Reason.INVALID, "the hold has ended already"),
    No("thawed", lambda j: HoldDose(LOT, UNIT, j.now + DAY), Reason.NOT_NOW, "a unit is thawing"),
    No("dose_held", RefuseDose("none_available"), Reason.ALREADY, "a dose is held"),
    No("accepted", AskDoseAgain(), Reason.NOT_NOW, "no dose is needed now"),
    No("priced", AskDoseAgain(), Reason.ALREADY, "a dose is asked for already"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def held(j: Journey, days: int = 10, unit: str = UNIT) -> HoldDose:
    return HoldDose(LOT, unit, j.now + days * DAY)


def test_a_dose_is_asked_for_only_when_the_price_is_agreed() -> None:
    assert start("quoted").asked("reserve_dose") == []
    assert len(start("priced").asked("reserve_dose")) == 1


def test_a_held_unit_makes_its_lot_known() -> None:
    j = start("priced")
    hold = held(j)
    when(j, hold).then_told(
        DoseHeld(LOT, UNIT, hold.until), LotStateNoted(LOT, 1, "released", j.sources[LOT][1]["expires"])
    ).then_opens("dose_hold_renewal")


def test_a_hold_ends_by_itself_and_is_asked_for_again() -> None:
    j = start("priced")
    j.tell(held(j))
    j.now += 10 * DAY - timedelta(microseconds=1)
    j.look()
    assert j.case.dose.state == "held"
    when(j, at=j.now + timedelta(microseconds=1)).then_told(DoseLapsed())
    assert [e.kind for e in j.agenda.effects if e.kind == "reserve_dose"] == ["reserve_dose"]


def test_nobody_needs_to_look_for_a_hold_to_have_ended() -> None:
    """Compared with now when asked, though nothing ticked it."""
    j = start("dose_held")
    assert j.case.dose.until
    assert j.case.dose.good_at(j.case.dose.until - timedelta(microseconds=1))
    assert not j.case.dose.good_at(j.case.dose.until)


def test_a_hold_is_made_longer_without_being_lost() -> None:
    j = start("dose_held")
    when(j, AskDoseAgain()).then_told(DoseAsked(2)).then_asks("reserve_dose")
    assert j.case.dose.good_at(j.now)
    when(j, held(j, 20)).then_told(DoseHeld(LOT, UNIT, j.now + 20 * DAY)).then_asks()
    assert j.asked("release_dose") == []


def test_another_unit_gives_the_first_one_back() -> None:
    j = start("dose_held")
    first = j.case.dose.fact
    when(j, held(j, 20, "unit-2")).then_asks("release_dose")
    [release] = j.asked("release_dose")
    assert (release.about, j.case.units[release.about]) == (first, (LOT, UNIT))
    j.deliver()
    assert (j.case.dose.state, j.case.dose.ref) == ("held", "unit-2")


def test_no_unit_is_a_coordinators_to_find() -> None:
    j = start("priced")
    when(j, RefuseDose("none_available")).then_told(DoseRefused("none_available")).then_opens("find_dose")
    when(j, AskDoseAgain()).then_asks("reserve_dose")


@pytest.mark.parametrize("state", ["quarantined", "recalled"])
def test_a_held_unit_of_a_lot_that_is_not_released_is_no_dose(state: str) -> None:
    j = start("dose_held")
    j.source(LOT, state=state)
    when(j).then_told(LotStateNoted(LOT, 2, state, j.sources[LOT][1]["expires"]), DoseLost(state)).then_asks(
        "reserve_dose"
    )


def test_a_recall_during_the_thaw_does_not_pretend_the_unit_is_back() -> None:
    j = start("thawed")
    j.source(LOT, state="recalled").look()
    assert j.case.dose.state == "held"


def test_a_hold_that_comes_after_the_journey_was_left_is_given_back() -> None:
    j = start("priced")
    j.tell(LeaveJourney("declined")).deliver()
    when(j, held(j)).then_told(
        DoseHeld(LOT, UNIT, j.now + 10 * DAY), LotStateNoted(LOT, 1, "released", j.sources[LOT][1]["expires"])
    ).then_asks("release_dose")
    j.deliver()
    assert j.case.dose.state == "released"
    j.tell(ConfirmDestruction(submission(j)))
    assert not j.case.open


def test_the_used_dose_is_neither_renewed_nor_released() -> None:
    j = start("infused")
    assert j.case.dose.state == "done"
    assert j.all_owed("dose_hold_renewal") == []
    assert j.asked("release_dose") == []
