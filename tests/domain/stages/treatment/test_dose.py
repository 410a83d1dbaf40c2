"""Dose track: one unit for one patient, on a lease; what is not needed any more is given back."""

from datetime import timedelta

import pytest

from domain.core.errors import Reason
from domain.stages.anytime.holding import HoldCase
from domain.stages.anytime.watching import LotStateNoted
from domain.stages.follow_up.acquired import ConfirmDestruction
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.treatment.dose import (
    AskDoseAgain,
    AskDoseOutOfTurn,
    DoseAsked,
    DoseAskedOutOfTurn,
    DoseHeld,
    DoseLapsed,
    DoseLost,
    DoseOffered,
    DoseRefused,
    HoldDose,
    OfferDose,
    RefuseDose,
    waits,
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
    No("priced", AskDoseOutOfTurn("progresses"), Reason.NOT_NOW, "the case does not wait for a dose"),
    No("dose_held", OfferDose(LOT, "only", 1, 1), Reason.NOT_NOW, "the case does not wait for a dose"),
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


def test_a_case_waits_since_its_first_refusal_until_it_has_a_unit() -> None:
    j = start("priced")
    assert not waits(j.case, j.now)
    j.tell(RefuseDose("others_first"))
    since = j.case.dose_waits_since
    assert since == j.now
    assert waits(j.case, j.now)
    j.now += DAY
    j.tell(AskDoseAgain())
    j.tell(RefuseDose("none_available"))
    assert j.case.dose_waits_since == since, "asking again costs no time waited"
    j.tell(held(j))
    assert not waits(j.case, j.now)
    j.now += 10 * DAY
    j.tell(RefuseDose("none_available"))
    assert j.case.dose_waits_since == j.now, "who had a unit waits anew"


def test_an_offer_says_why_it_is_this_case_and_has_a_unit_asked_for() -> None:
    j = start("priced")
    j.tell(RefuseDose("none_available"))
    since = j.now
    offered = OfferDose(LOT, "longest", 1, 3)
    when(j, offered).then_told(DoseOffered(LOT, "longest", j.case.urgent, since, 1, 3)).then_asks("reserve_dose")
    assert "find_dose" not in {o.kind for o in j.all_owed() if o.state == "open"}
    No("priced", offered, Reason.NOT_NOW, "the case does not wait for a dose").check()


def test_a_supervisor_lets_a_case_go_first_with_a_reason_until_it_has_a_unit() -> None:
    j = start("priced")
    j.tell(RefuseDose("others_first"))
    when(j, AskDoseOutOfTurn("progresses")).then_told(DoseAskedOutOfTurn(2, "progresses")).then_asks("reserve_dose")
    j.tell(RefuseDose("none_available"))
    assert j.case.dose_out_of_turn
    j.tell(held(j))
    assert not j.case.dose_out_of_turn


def test_a_case_on_hold_keeps_no_unit_from_others() -> None:
    j = start("priced")
    j.tell(RefuseDose("none_available"))
    j.tell(HoldCase("the family asks for time"))
    assert not waits(j.case, j.now)


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
