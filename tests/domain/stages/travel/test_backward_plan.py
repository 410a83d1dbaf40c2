"""The plan backwards from the infusion: by when what, what is late, and that it moves as a whole."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.track import Track
from domain.core.errors import Refused
from domain.stages.travel.backward_plan import BEFORE, STEPS, PlanStep, backward_plan, planned_infusion
from domain.stages.treatment.arrival import MoveArrival
from tests.domain.course import PROTOCOL, start
from tests.domain.journey import DAY, Journey, policy
from tests.domain.stages.travel.arranged import ask_lodging, confirm_lodging


def plan(j: Journey, infusion: date | None = None) -> dict[str, PlanStep]:
    return {step.kind: step for step in backward_plan(j.case, infusion, j.now, policy())}


def test_every_step_has_a_lead_and_stands_in_the_order_of_the_journey() -> None:
    assert set(policy().lead_times) == BEFORE
    steps = list(plan(start("planned")).values())
    assert [step.kind for step in steps] == list(STEPS)
    assert steps[-1].kind == "infusion"
    late = sorted(steps, key=lambda step: step.by)
    assert {step.kind for step in late[:4]} == {"acceptance", "price", "dose", "bed"}


def test_the_infusion_follows_from_the_arrival_and_everything_from_the_infusion() -> None:
    j = start("planned")
    day = planned_infusion(j.case, policy())
    assert day == j.case.stay_plan["arrives"] + 21 * DAY
    found = plan(j)
    assert found["infusion"].by.date() == day
    assert found["arrival"].by.date() == j.case.stay_plan["arrives"]
    assert found["depletion"].by == found["infusion"].by - 5 * DAY


def test_what_is_done_is_not_late_and_what_is_not_is_once_its_day_has_passed() -> None:
    j = start("planned")
    found = plan(j)
    assert found["acceptance"].done
    assert not found["acceptance"].late
    assert found["lodging"].late, "nothing was arranged, and the arrival is near"
    assert not found["infusion"].late
    ask_lodging()(j)
    assert plan(j)["lodging"].late
    confirm_lodging(j)
    assert plan(j)["lodging"].done
    assert not plan(start("arrived"))["ticket"].late


@given(days=st.integers(0, 300))
def test_the_plan_moves_as_a_whole_with_the_arrival(days: int) -> None:
    j = start("planned")
    before = plan(j)
    arrives = j.case.stay_plan["arrives"] + days * DAY
    asked = plan(j, before["infusion"].by.date() + days * DAY)
    assert {step.by - before[kind].by for kind, step in asked.items()} == {timedelta(days=days)}
    if days:
        j.tell(MoveArrival(arrives))
        assert {kind: step.by for kind, step in plan(j).items()} == {kind: step.by for kind, step in asked.items()}


def test_without_a_day_it_says_so_and_with_one_it_plans() -> None:
    j = start("visa")
    with pytest.raises(Refused, match=re.escape("no stay is planned yet (PlanStay): name the day of the infusion")):
        plan(j)
    assert plan(j, date(2026, 9, 1))["arrival"].by.date() == date(2026, 8, 11)
    with pytest.raises(Refused, match="a plan is made for a day at most "):
        plan(j, date(2100, 1, 1))


def test_what_the_product_does_without_is_never_late() -> None:
    j = start("planned")
    told = j.source(PROTOCOL, product_class="in_vivo", depletion_planned=False).look()
    told.case = replace(told.case, dose=Track())
    late = told.fork().away(90 * DAY)
    assert {"dose", "depletion"}.isdisjoint(kind for kind, step in plan(late).items() if step.late)
    late.source(PROTOCOL, product_class="allogeneic", depletion_planned=None).look()
    assert {"dose", "depletion"} <= {kind for kind, step in plan(late).items() if step.late}
