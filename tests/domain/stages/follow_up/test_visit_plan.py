"""Follow-up by what was infused: fifteen years for integrating vectors, else as the protocol says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.case.phases.follow_up import VisitPlan
from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.follow_up.follow_up import FollowUpEnded, RecordVisit
from domain.stages.follow_up.visit_plan import VISITS, YEAR, FollowUpPlanned, last_due, visits_of
from domain.stages.treatment.infusion import PlanInfusions, RecordInfusion
from domain.stages.treatment.recovery import day_0
from tests.domain.course import PROTOCOL, STEPS, start, visit_every_time
from tests.domain.journey import DAY, Journey, when

TO_FOLLOW_UP = ("discharged", "assessed", "follow_up", "home", "handed_over")


def infused(**says: Any) -> Journey:
    j = start("thawed")
    j.source(PROTOCOL, **says)
    STEPS["infused"](j)
    j.deliver()
    return j


def followed(**says: Any) -> Journey:
    j = infused(**says)
    for step in TO_FOLLOW_UP:
        STEPS[step](j)
        j.deliver()
    return j


def planned(j: Journey) -> list[FollowUpPlanned]:
    found = [f.event for f in j.facts if isinstance(f.event, FollowUpPlanned)]
    assert {plan.zone for plan in found} <= {j.case.zone}
    return [replace(plan, zone="") for plan in found]


def test_where_the_protocol_says_nothing_fifteen_years_are_planned() -> None:
    j = infused()
    assert planned(j) == [FollowUpPlanned(1, 15, ())]
    assert [name for name, _ in visits_of(j.case)] == [name for name, _ in VISITS]


@pytest.mark.parametrize(
    ("zone", "first", "years", "ends"),
    [
        ("Asia/Kolkata", "2026-03-01T04:00+05:30", 15, "2041-03-01T23:59:59.999999+05:30"),
        ("Asia/Kolkata", "2028-02-29T04:00+05:30", 15, "2043-02-28T23:59:59.999999+05:30"),
        ("Asia/Kolkata", "2028-02-29T04:00+05:30", 4, "2032-02-29T23:59:59.999999+05:30"),
        ("Europe/Berlin", "2026-02-28T23:30+00:00", 15, "2041-03-01T23:59:59.999999+01:00"),
        ("UTC", "2026-02-28T23:30+00:00", 2, "2028-02-28T23:59:59.999999+00:00"),
    ],
)
def test_years_are_those_of_the_calendar_where_the_patient_lives(zone: str, first: str, years: int, ends: str) -> None:
    j = infused()
    given = replace(j.case.infusions[-1], occurred=When.at(datetime.fromisoformat(first)))
    last = replace(j.case.treatments[-1], infusions=(given,))
    case = replace(j.case, treatments=(last,), visit_plan=VisitPlan(1, years, (), zone))
    assert last_due(case) == datetime.fromisoformat(ends)
    assert dict(visits_of(case))[f"Y{years}"] == datetime.fromisoformat(ends) - datetime.fromisoformat(first)


def test_what_was_planned_before_goes_on_by_days() -> None:
    case = replace(infused().case, visit_plan=VisitPlan(1, 15, ()))
    assert visits_of(case) == VISITS
    start_ = day_0(case)
    assert start_
    assert last_due(case) == start_ + 15 * YEAR


@pytest.mark.parametrize(
    ("integrates", "says", "years"),
    [(True, 0, 15), (True, 5, 15), (True, 20, 20), (False, 5, 5), (False, 0, 15), (None, 5, 15), (None, 16, 16)],
)
def test_only_a_vector_that_does_not_integrate_shortens_it(integrates: bool | None, says: int, years: int) -> None:
    j = infused(vector_integrates=integrates, follow_up_years=says)
    assert planned(j) == [FollowUpPlanned(1, years, ())]
    assert visits_of(j.case)[-1][0] == f"Y{years}"


def test_visits_are_on_the_protocols_days_and_then_yearly_to_the_end() -> None:
    j = followed(vector_integrates=False, follow_up_years=3, visit_days=(28, 90, 180))
    names = [name for name, _ in visits_of(j.case)]
    assert names == ["D28", "D90", "D180", "Y1", "Y2", "Y3"]
    assert j.owed("visit").about == "D90/1"
    when(j, RecordVisit("M3", True)).then_refused(Reason.INVALID, "no such scheduled visit")
    end = last_due(j.case)
    assert end
    visit_every_time(j, end - DAY)
    j.wait(until=end + DAY)
    assert j.case.follow_up == "completed"
    assert [f.event for f in j.facts if isinstance(f.event, FollowUpEnded)] == [FollowUpEnded("completed", "")]
    assert j.case.stage is Stage.CLOSED


def test_what_the_protocol_says_later_changes_no_follow_up_that_has_begun() -> None:
    j = followed(vector_integrates=False, follow_up_years=5)
    j.source(PROTOCOL, follow_up_years=2).look()
    assert planned(j) == [FollowUpPlanned(1, 5, ())]


def test_a_case_of_before_is_followed_as_it_was() -> None:
    """Its ledger has no plan, and none is made once it is in follow-up, whatever the protocol says by now."""
    j = followed()
    j.facts = [f for f in j.facts if not isinstance(f.event, FollowUpPlanned)]
    j.case = j.refold()
    j.source(PROTOCOL, vector_integrates=False, follow_up_years=2).look()
    assert planned(j) == []
    assert visits_of(j.case) == VISITS
    assert j.owed("visit").about == "M2/1"


def test_a_later_infusion_never_shortens_what_an_earlier_one_asks_for() -> None:
    j = start("thawed")
    j.tell(PlanInfusions(2))
    STEPS["infused"](j)
    j.source(PROTOCOL, vector_integrates=False, follow_up_years=5)
    j.tell(RecordInfusion("unit-2", deviation="told by telephone"))
    assert planned(j) == [FollowUpPlanned(1, 15, ()), FollowUpPlanned(2, 15, ())]


@drawn(
    st.sampled_from([True, False, None]),
    st.integers(0, 50),
    st.lists(st.integers(1, 300), max_size=6, unique=True).map(lambda days: tuple(sorted(days))),
)
def test_visits_run_in_order_each_once_up_to_the_end(
    integrates: bool | None, years: int, days: tuple[int, ...]
) -> None:
    j = infused(vector_integrates=integrates, follow_up_years=years, visit_days=days)
    visits = visits_of(j.case)
    start_, end = day_0(j.case), last_due(j.case)
    assert start_
    assert end
    assert [after for _, after in visits] == sorted({after for _, after in visits})
    assert len({name for name, _ in visits}) == len(visits)
    assert end - 30 * DAY < start_ + visits[-1][1] <= end
    assert integrates is False or end >= start_ + 15 * YEAR
