"""What it costs to move something: told of what is held, read by the plan of a slip, forgotten with the booking."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Reason
from domain.stages.travel.moving_costs import MovingCostRecorded, RecordMovingCost, movable
from domain.stages.treatment.arrival import MoveArrival
from domain.stages.treatment.bed import AskBedAgain, HoldBed
from domain.stages.treatment.dose import AskDoseAgain
from domain.stages.treatment.slip import SlipLine, SlipSum, slip, sums
from tests.domain.journey import DAY, Journey, policy, when
from tests.domain.refusals import No
from tests.domain.stages.treatment.test_arrival import later, lines, names, ready, unasked

REFUSALS = (
    No("admission", RecordMovingCost("boat", "USD", 1), Reason.NOT_FOUND, "there is: dose, bed, "),
    No("admission", RecordMovingCost("bed", "Dollar", 1), Reason.INVALID, "no such currency"),
    No("admission", RecordMovingCost("bed", "USD", -1), Reason.INVALID, "a cost is nothing or more"),
    No("admission", RecordMovingCost("bed", "USD", 3, 2), Reason.INVALID, "a range goes from low to high"),
    No("admission", RecordMovingCost("bed", "USD", 10**13), Reason.INVALID, "at most"),
    No(
        "admission",
        lambda j: RecordMovingCost("bed", "USD", 1, None, j.now + 4000 * DAY),
        Reason.INVALID,
        "at most 3660 days ahead",
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def line(j: Journey, step: str, days: int = 7) -> SlipLine:
    return next(one for one in lines(j, days) if one.step.name == step)


def test_the_plan_says_what_moving_costs_when_it_was_told_and_from_when_on() -> None:
    j = ready()
    assert (line(j, "ticket:1").cost, line(j, "ticket:1").told_by) == (None, "carrier")
    told, free = j.now, j.now + 2 * DAY
    when(j, RecordMovingCost("ticket:1", "USD", 150, 200, free)).then_told(
        MovingCostRecorded("ticket:1", 1, "USD", 150, 200, free)
    )
    known = line(j, "ticket:1")
    assert known.cost
    assert (known.cost.told, known.free, known.charged, known.lost) == (told, True, (0, 0), "ticket")
    j.away(2 * DAY)
    assert (line(j, "ticket:1").free, line(j, "ticket:1").charged) == (False, (150, 200))


def test_sums_are_by_currency_and_leave_out_what_was_asked_for() -> None:
    j = ready()
    j.tell(RecordMovingCost("ticket:1", "USD", 150, 200))
    j.tell(RecordMovingCost("lodging", "CNY", 900))
    assert sums(lines(j, 7)) == [SlipSum("USD", 150, 200), SlipSum("CNY", 900, 900)]
    j.tell(MoveArrival(later(j, 7), ("ticket:1",)))
    assert "ticket:1" not in unasked(j, 0)
    assert "USD" not in {one.currency for one in sums(lines(j, 0))}


def test_one_visa_that_is_too_short_and_over_is_paid_for_once() -> None:
    j = ready()
    person = next(iter(j.case.visas))
    j.tell(RecordMovingCost(f"visa:{person}", "USD", 80))
    j.case = replace(j.case, visas={person: replace(j.case.visas[person], stay_days=10)})
    assert {"visa", "stay"} <= {one.step.kind for one in lines(j, 200) if one.step.about == person}
    assert sums(lines(j, 200)) == [SlipSum("USD", 80, 80)]


def test_what_was_told_of_an_earlier_booking_counts_no_more() -> None:
    j = ready()
    j.tell(RecordMovingCost("bed", "USD", 500))
    assert line(j, "bed", 200).cost
    j.tell(AskBedAgain())
    j.tell(HoldBed("B-2", j.now + 100 * DAY))
    assert line(j, "bed", 200).cost is None
    assert "bed" in movable(j.case)


def test_a_hold_that_lapsed_says_so_and_that_the_unit_may_be_gone() -> None:
    j = ready()
    j.tell(RecordMovingCost("dose", "USD", 1000))
    assert "dose" not in names(j, 0)
    j.case = replace(j.case, dose=replace(j.case.dose, until=j.now + DAY))
    j.away(2 * DAY).look()
    gone = next(one for one in slip(j.case, later(j, 0), j.now, policy()) if one.step.kind == "dose")
    assert (gone.why, gone.lost, gone.cost, gone.asked) == ("lapsed", "dose_hold", None, True)


def test_what_nobody_held_is_not_lost() -> None:
    j = ready()
    j.case = replace(j.case, bed=j.case.bed.ended("refused", "f"))
    bed = line(j, "bed", 0)
    assert (bed.why, bed.lost, bed.told_by) == ("missing", "", "centre")


@given(low=st.integers(0, 10**6), more=st.integers(0, 10**6), days=st.integers(0, 30), ahead=st.integers(-5, 40))
def test_a_sum_is_never_less_than_nothing_nor_more_than_was_told(low: int, more: int, days: int, ahead: int) -> None:
    j = ready()
    j.tell(RecordMovingCost("ticket:1", "USD", low, low + more, j.now + ahead * DAY))
    found = sums(lines(j, days))
    if not days:
        assert found == []
        return
    assert found == [SlipSum("USD", 0, 0) if ahead > 0 else SlipSum("USD", low, low + more)]


def test_a_dose_asked_for_again_is_told_anew() -> None:
    j = ready()
    j.tell(RecordMovingCost("dose", "USD", 1000))
    j.tell(AskDoseAgain())
    assert next(one for one in lines(j, 300) if one.step.kind == "dose").cost is None
