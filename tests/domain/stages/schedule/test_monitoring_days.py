"""The days after an infusion: planned from the protocol, each told, left out with a reason, or chased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.case.obligation import ObligationMissed
from domain.core.about import About, chased
from domain.core.errors import Reason
from domain.core.planned_check import PlannedCheck
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.follow_up.follow_up import ReturnHome
from domain.stages.schedule.monitoring_days import (
    DEFAULT,
    MonitoringPlanned,
    MonitoringRecorded,
    MonitoringSkipped,
    RecordMonitoring,
    SkipMonitoring,
    monitoring_tables,
)
from domain.stages.treatment.infusion import InfusionCompleted, PlanInfusions, RecordInfusion
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import PROTOCOL, STEPS, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.schedule.test_depletion_days import SHANGHAI

COUNTS = PlannedCheck(what="blood_count", days=(1, 3))
CELLS = PlannedCheck(what="persistence", days=(3,), window=2)
ROWS = (COUNTS, CELLS)


def infused(*rows: PlannedCheck) -> Journey:
    j = start("thawed")
    j.source(PROTOCOL, monitoring=rows)
    STEPS["infused"](j)
    j.deliver()
    return j


def owing(j: Journey) -> list[int]:
    return [About.of(o.about).number for o in j.all_owed("monitoring_day")]


def stands(j: Journey, day: int) -> dict[str, str]:
    lines = monitoring_tables(j.case)[-1].lines
    return {one.what: one.stands for line in lines if line.day == day for one in line.checks}


def to_day(j: Journey, day: int) -> Journey:
    """Morning of that day where the centre is."""
    zero = j.case.infusions[-1].occurred.earliest
    assert zero
    local = zero.astimezone(SHANGHAI) + timedelta(days=day)
    return j.wait(until=local.replace(hour=9).astimezone(UTC))


def of_the_protocol(j: Journey) -> None:
    j.source(PROTOCOL, monitoring=ROWS)
    STEPS["infused"](j)


def first_told(j: Journey) -> None:
    of_the_protocol(j)
    to_day(j, 1).tell(RecordMonitoring(1))


AT = "thawed"
REFUSALS = (
    No(AT, RecordMonitoring(1), Reason.NOT_NOW, "no days are planned after that infusion"),
    No(
        AT,
        RecordMonitoring(2),
        Reason.INVALID,
        "nothing is planned on that day; the days planned are: 1, 3",
        of_the_protocol,
    ),
    No(AT, RecordMonitoring(1), Reason.INVALID, "that day is still to come", of_the_protocol),
    No(AT, RecordMonitoring(1, infusion=2), Reason.NOT_NOW, "no days are planned", of_the_protocol),
    No(AT, SkipMonitoring(1, ""), Reason.INVALID, "say why it was not looked at", of_the_protocol),
    No(AT, SkipMonitoring(1, "x", ("response",)), Reason.INVALID, "not told of that day are: blood", of_the_protocol),
    No(AT, SkipMonitoring(1, "x"), Reason.ALREADY, "everything planned on that day is told", first_told),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_the_days_follow_from_the_protocol_when_the_cells_are_told() -> None:
    j = infused(*ROWS)
    assert [f.event for f in j.facts if isinstance(f.event, MonitoringPlanned)] == [MonitoringPlanned(1, ROWS, True)]
    assert owing(j) == [1]
    j.source(PROTOCOL, monitoring=(CELLS,)).look()
    assert owing(j) == [1], "what the protocol says later changes no plan that has begun"


def test_where_the_protocol_says_nothing_the_fields_default_is_planned() -> None:
    j = infused()
    assert MonitoringPlanned(1, DEFAULT, False) in [f.event for f in j.facts]
    days = [line.day for line in monitoring_tables(j.case)[0].lines]
    assert days == [0, 1, 2, 3, 4, 5, 6, 7, 14, 21, 28]


def test_cells_told_before_there_were_plans_have_none() -> None:
    j = start("thawed")
    j.record(InfusionCompleted(1, 1, "lot-a", "unit-1", "1e8", monitored=False)).look()
    assert j.case.infusions
    assert not j.case.monitoring
    assert not owing(j)


def test_a_day_is_told_by_noon_of_the_one_after_its_window_where_the_centre_is() -> None:
    j = infused(*ROWS)
    zero = j.case.infusions[0].occurred.earliest
    assert zero
    after = zero.astimezone(SHANGHAI).date() + 2 * DAY
    noon = datetime(after.year, after.month, after.day, 12, tzinfo=SHANGHAI)
    assert j.owed("monitoring_day").due == noon.astimezone(UTC)
    to_day(j, 1).tell(RecordMonitoring(1))
    to_day(j, 3).tell(RecordMonitoring(3, ("blood_count",)))
    assert j.owed("monitoring_day").due == noon.astimezone(UTC) + 4 * DAY, "what is left has a wider window"


def test_what_was_looked_at_is_told_and_the_next_day_is_owed() -> None:
    j = to_day(infused(*ROWS), 1)
    when(j, RecordMonitoring(1, finding="neutrophils 0.3")).then_told(
        MonitoringRecorded(1, 1, ("blood_count",), "neutrophils 0.3")
    )
    assert owing(j) == [3]
    to_day(j, 3)
    when(j, SkipMonitoring(3, "no sample", ("persistence",))).then_told(
        MonitoringSkipped(1, 3, ("persistence",), "no sample")
    )
    assert stands(j, 3) == {"blood_count": "owed", "persistence": "skipped"}
    j.tell(RecordMonitoring(3))
    assert stands(j, 3) == {"blood_count": "done", "persistence": "skipped"}
    assert not owing(j)
    assert {o.state for o in j.case.obligations.values() if o.kind == "monitoring_day"} == {"met"}


def test_more_words_of_a_day_do_not_make_what_was_left_out() -> None:
    j = to_day(infused(*ROWS), 3)
    j.tell(RecordMonitoring(3, ("blood_count",))).tell(SkipMonitoring(3, "no sample"))
    when(j, RecordMonitoring(3, finding="0.4")).then_refused(Reason.ALREADY, "name what was looked at")
    j.tell(RecordMonitoring(3, ("blood_count",), "0.4"))
    assert stands(j, 3) == {"blood_count": "done", "persistence": "skipped"}


def test_one_missed_day_is_pursuedat_a_time_and_the_next_is_owed() -> None:
    j = infused(COUNTS, PlannedCheck(what="clinical_check", days=(2,)))
    first = j.owed("monitoring_day")
    j.wait(until=first.due)
    assert ObligationMissed(first.id, late=False) in j.last
    assert owing(j) == [2]
    assert stands(j, 1) == {"blood_count": "missed"}
    j.wait(until=j.owed("monitoring_day").due)
    pursued = [o.about for o in j.all_owed() if o.kind.startswith("chase")]
    assert pursued == ["monitoring_day:1/1"], "the second miss waits until the first is settled"
    j.tell(SkipMonitoring(1, "nobody drew blood"))
    assert [o.about for o in j.all_owed("chase")] == ["monitoring_day:1/2"]


ENDED: tuple[Any, ...] = (ReportDeath("sepsis"), LeaveJourney("withdrawn"))


@pytest.mark.parametrize("ended", ENDED)
def test_nobody_owes_days_of_a_patient_who_died_or_left(ended: Any) -> None:
    j = infused(*ROWS)
    j.tell(ended)
    assert not owing(j)
    assert stands(j, 1) == {"blood_count": "ended"}


def test_nobody_owes_days_of_a_patient_who_is_home() -> None:
    j = infused(*ROWS)
    j.tell(ReturnHome(When.at(j.now)))
    assert not owing(j)


def test_a_second_infusion_starts_the_days_anew() -> None:
    j = start("thawed")
    j.source(PROTOCOL, monitoring=ROWS)
    j.tell(PlanInfusions(2))
    STEPS["infused"](j)
    j.tell(RecordInfusion("unit-2", deviation="told by telephone"))
    assert [o.about for o in j.all_owed("monitoring_day")] == ["2/1"]
    assert [table.infusion for table in monitoring_tables(j.case)] == [1, 2]
    assert monitoring_tables(j.case)[0].lines[0].checks[0].stands == "ended"


def test_a_corrected_day_stands_where_the_wrong_one_stood() -> None:
    j = to_day(infused(*ROWS), 3)
    j.tell(RecordMonitoring(3, ("blood_count",)))
    j.tell(CorrectFact(j.newest(MonitoringRecorded), RecordMonitoring(1), "wrong day"))
    assert stands(j, 1) == {"blood_count": "done"}
    assert stands(j, 3)["blood_count"] != "done"


@cache
def _fifth_day() -> Journey:
    return to_day(infused(*ROWS), 5)


@drawn(
    st.lists(st.tuples(st.sampled_from([1, 3, 4]), st.sampled_from(["made", "left out"]), st.booleans()), max_size=8)
)
def test_whatever_is_told_in_whatever_order_what_is_owed_was_not_told(told: list[tuple[int, str, bool]]) -> None:
    j = _fifth_day().fork()
    for day, how, part in told:
        which: Any = ("persistence",) if part else ()
        j.tried(RecordMonitoring(day, which) if how == "made" else SkipMonitoring(day, "moved", which))
    plan = j.case.monitoring[0]
    left = [f"1/{day}" for day in (1, 3) if plan.untold(day)]
    owed = {o.about for o in j.all_owed() if o.kind == "monitoring_day"}
    pursued = {chased(o.about)[1] for o in j.all_owed() if o.about.startswith("monitoring_day:")}
    over = [about for about in left if j.case.missed("monitoring_day", about)]
    assert owed | pursued == {*over[:1], *(about for about in left if about not in over)}
    for day in (1, 3):
        assert (not plan.untold(day)) == all(one in ("done", "skipped") for one in stands(j, day).values())
