"""Moving an arrival: what does not hold on the new day is listed in order, and asked for as far as a person says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Reason, Refused
from domain.stages.travel.letter import LetterAsked
from domain.stages.travel.postponing import PostponeAdmission
from domain.stages.travel.travel import TravelStopped
from domain.stages.travel.visa import FileVisa
from domain.stages.treatment.admission import RecordArrival
from domain.stages.treatment.arrival import ArrivalMoved, MoveArrival
from domain.stages.treatment.bed import BedAsked, HoldBed
from domain.stages.treatment.dose import DoseAsked
from domain.stages.treatment.slip import SlipLine, next_day, slip
from tests.domain.course import LOT, PROTOCOL, patient, start
from tests.domain.journey import DAY, HOUR, Journey, policy, when
from tests.domain.refusals import No

STAGES = ("planned", "granted", "fit", "booking", "admission")
FOR_THE_DAY = ["ticket:1", "lodging", "interpreter", "depletion"]


def later(j: Journey, days: int) -> date:
    """So many days after the planned arrival."""
    arrives = j.case.stay_plan["arrives"]
    assert isinstance(arrives, date)
    return arrives + days * DAY


def lines(j: Journey, days: int) -> Sequence[SlipLine]:
    return slip(j.case, later(j, days), j.now, policy())


def names(j: Journey, days: int) -> list[str]:
    return [line.step.name for line in lines(j, days)]


def unasked(j: Journey, days: int) -> list[str]:
    return [line.step.name for line in lines(j, days) if not line.asked]


def ready(dose: int = 200) -> Journey:
    """Booked, and every lease lasts for months: the dose, for so many days."""
    j = start("admission")
    j.case = replace(j.case, dose=replace(j.case.dose, until=j.now + dose * DAY))
    return j


REFUSALS = (
    No("invited", lambda j: MoveArrival((j.now + DAY).date()), Reason.MISSING, "no stay is planned yet"),
    No("arrived", lambda j: MoveArrival((j.now + DAY).date()), Reason.NOT_NOW, "no journey is being prepared"),
    No("planned", lambda j: MoveArrival((j.now - DAY).date()), Reason.INVALID, "the day of arrival is over"),
    No("planned", lambda _: MoveArrival(date(2099, 1, 1)), Reason.INVALID, "an arrival is planned at most"),
    No("planned", lambda j: MoveArrival(later(j, 0)), Reason.ALREADY, "the arrival is planned for that day already"),
    No("planned", lambda j: MoveArrival(later(j, 3), ("visas",)), Reason.INVALID, "has no open step 'visas'; it has: "),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_week_later_only_what_was_made_for_the_day_moves() -> None:
    assert names(ready(), 7) == FOR_THE_DAY
    assert names(ready(), 0) == []


def test_months_later_everything_is_named_in_the_order_of_the_plan() -> None:
    j = ready()
    who = patient(j)
    order = ["acceptance", "dose", "bed", "letter", f"visa:{who}", "fitness", *FOR_THE_DAY]
    assert names(j, 200) == order
    j.source(PROTOCOL, open=False).look()
    assert names(j, 200) == [order[0], "protocol", *order[1:]]


def test_a_step_says_until_when_it_holds_is_needed_and_what_the_price_says_of_it() -> None:
    j = ready(30)
    dose = next(line for line in lines(j, 60) if line.step.kind == "dose")
    assert (dose.why, dose.mend, dose.step.until) == ("ends", "ask_again", j.now + 30 * DAY)
    assert dose.step.needed.date() == later(j, 60) + policy().dose_margin
    assert dose.price is None
    assert {line.why for line in lines(j, 7)} == {"moves"}


def test_a_lot_that_expires_before_the_hold_ends_counts() -> None:
    j = ready()
    assert "dose" not in names(j, 7)
    j.source(LOT, state="released", expires=j.now + 12 * DAY).look()
    assert "dose" in names(j, 7)


def test_a_move_asks_for_what_was_accepted_and_names_what_was_left_out() -> None:
    j = ready()
    plan = {line.step.kind: line.step for line in lines(j, 200)}
    before, arrives = later(j, 0), later(j, 200)
    accepted = ("dose", "bed", "letter", "ticket:1")
    left = tuple(step for step in plan.values() if step.name not in accepted)
    chosen = tuple(step for step in plan.values() if step.name in accepted)
    when(j, MoveArrival(arrives, accepted, "infection")).then_told(
        ArrivalMoved(arrives, before, chosen, left, "infection"),
        DoseAsked(j.case.dose.round),
        BedAsked(j.case.bed.round),
        LetterAsked("expired", j.case.letter.round),
        TravelStopped("arrival_moved", answered=False),
    )
    assert j.case.stay_plan["arrives"] == arrives
    assert unasked(j, 0) == [step.name for step in left]
    assert {e.kind for e in j.agenda.effects} >= {
        "reserve_dose", "hold_bed", "void_letter", "tell_family_of_arrival", "tell_centre_of_arrival"
    }  # fmt: skip


def test_a_new_application_is_owed_once_there_is_a_letter_and_until_it_is_filed() -> None:
    j = ready()
    who = patient(j)
    j.tell(MoveArrival(later(j, 200), (f"visa:{who}", "fitness")))
    assert {"visa_application", "fit_to_travel"} <= {o.kind for o in j.agenda.obligations}
    assert unasked(j, 0)[:3] == ["acceptance", "dose", "bed"]
    j.tell(FileVisa(who, "S2"))
    assert "visa_application" not in {o.kind for o in j.agenda.obligations}


def test_an_answer_that_still_ends_too_soon_stands_in_the_plan_again() -> None:
    j = ready()
    j.tell(MoveArrival(later(j, 200), ("bed",)))
    assert "bed" not in unasked(j, 0)
    j.tell(HoldBed("B-2", j.now + 100 * DAY))
    assert "bed" in unasked(j, 0)
    j.tell(HoldBed("B-2", j.now + 300 * DAY))
    assert "bed" not in names(j, 0)


def test_a_postponed_admission_bounds_the_new_day() -> None:
    j = start("admission")
    j.tell(PostponeAdmission(later(j, 9), "no bed"))
    assert next_day(j.case, j.now) == later(j, 9)
    with pytest.raises(Refused, match="the hospital admits only from"):
        slip(j.case, later(j, 8), j.now, policy())
    j.tell(MoveArrival(later(j, 9)))
    assert not j.case.shut


@given(stage=st.sampled_from(STAGES), days=st.integers(0, 700))
def test_a_plan_carried_out_as_a_whole_leaves_nothing_unasked(stage: str, days: int) -> None:
    j = start(stage)
    every = tuple(unasked(j, days))
    if not every:
        assert days == 0
        return
    j.tell(MoveArrival(later(j, days), every))
    assert j.case.moved
    assert j.case.moved.left_out == ()
    assert unasked(j, 0) == []


@given(stage=st.sampled_from(STAGES), days=st.integers(1, 700))
def test_what_is_left_out_stays_in_the_plan(stage: str, days: int) -> None:
    j = start(stage)
    every = unasked(j, days)
    j.tell(MoveArrival(later(j, days)))
    stopped = j.case.travel.round > 1  # tickets that are not bought yet are not bought where a door is shut
    assert unasked(j, 0) == [name for name in every if not (stopped and name == "ticket:1")]


@given(stage=st.sampled_from(STAGES))
def test_the_same_day_moves_nothing(stage: str) -> None:
    j = start(stage)
    j.tried(MoveArrival(later(j, 0)))
    assert j.refused
    assert j.refused.reason is Reason.ALREADY
    assert j.case.moved is None
    assert not {"ticket:1", "lodging", "interpreter", "depletion"} & set(names(j, 0))


def test_nothing_is_planned_once_the_patient_is_there() -> None:
    j = start("admission")
    j.away(7 * DAY).tell(RecordArrival(j.now - HOUR))
    with pytest.raises(Refused, match="no journey is being prepared"):
        slip(j.case, (j.now + DAY).date(), j.now, policy())
