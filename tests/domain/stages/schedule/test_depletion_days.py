"""Lymphodepletion day by day: planned from the protocol, each day told with what was given, or chased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.case.obligation import ObligationMissed
from domain.case.treatment import DrugDays
from domain.catalogue.product import Depletion
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.schedule.depletion_days import (
    DepletionDayOmitted,
    DepletionPlanned,
    OmitDepletionDay,
    PlanDepletion,
    PlannedDrug,
    day_lines,
    variants,
)
from domain.stages.treatment.lymphodepletion import (
    CompleteDepletion,
    DepletionGiven,
    OmitDepletion,
    RecordDepletion,
    StopDepletion,
)
from domain.stages.treatment.observations import ReportDeath, ReportTrialHold
from tests.domain.course import STEPS, start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.schedule.planned import CY, FLU, day_0, days_owed, gated_by_days, names_days, plan

SHANGHAI = ZoneInfo("Asia/Shanghai")
DRUGS = tuple(PlannedDrug(d.drug, d.dose, d.unit, d.days) for d in (FLU, CY))


def gated(*rows: Depletion) -> Journey:
    j = start("lymphodepletion")
    names_days(j, *rows)
    STEPS["gated"](j)
    j.deliver()
    return j


def planned(*rows: Depletion) -> Journey:
    j = gated(*rows)
    plan(j)
    return j


def become(j: Journey) -> list[tuple[int, str]]:
    return [(line.day, line.outcome) for line in day_lines(j.case)]


def two_variants(j: Journey) -> None:
    names_days(j, replace(FLU, variant="A"), replace(CY, variant="B"))
    STEPS["gated"](j)


def day_five_given(j: Journey) -> None:
    gated_by_days(j)
    plan(j)
    j.tell(RecordDepletion("Flu/Cy", -5))


def over(j: Journey) -> None:
    day_five_given(j)
    j.tell(CompleteDepletion())


def stopped(j: Journey) -> None:
    day_five_given(j)
    j.tell(StopDepletion("sepsis"))


AT, FAR = "lymphodepletion", PlanDepletion(date(2062, 3, 4))
REFUSALS = (
    No(AT, lambda j: PlanDepletion(day_0(j)), Reason.NOT_NOW, "the protocol names no days of lymphodepletion"),
    No(AT, lambda j: PlanDepletion(day_0(j)), Reason.INVALID, "the variant is one of: A, B", two_variants),
    No(AT, lambda j: PlanDepletion(day_0(j), "C"), Reason.INVALID, "the variant is one of: A, B", two_variants),
    No(
        AT,
        PlanDepletion(date(2062, 3, 4)),
        Reason.INVALID,
        "an infusion is planned within 60 days of today",
        gated_by_days,
    ),
    No(AT, lambda j: PlanDepletion(day_0(j)), Reason.ALREADY, "these days are planned already", day_five_given),
    No(AT, lambda j: PlanDepletion(day_0(j)), Reason.NOT_NOW, "lymphodepletion is over", stopped),
    No(
        AT,
        OmitDepletionDay(-5, "fever"),
        Reason.INVALID,
        "that is no planned day; those planned are: none",
        gated_by_days,
    ),
    No(
        AT,
        OmitDepletionDay(-2, "fever"),
        Reason.INVALID,
        "that is no planned day; those planned are: -5, -4, -3",
        day_five_given,
    ),
    No(
        AT,
        OmitDepletionDay(-4, "fever", treatment=7),
        Reason.INVALID,
        "that is no planned day; those planned are: none",
        day_five_given,
    ),
    No(AT, OmitDepletionDay(-4, ""), Reason.INVALID, "say why nothing was given", day_five_given),
    No(AT, OmitDepletionDay(-5, "fever"), Reason.ALREADY, "that day was told as given", day_five_given),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_the_hospital_plans_the_days_of_the_protocol_and_owes_each() -> None:
    j = gated()
    assert j.owed("depletion_plan").state == "open"
    command = PlanDepletion(day_0(j))
    when(j, command).then_told(DepletionPlanned(1, "", command.infusion_day, DRUGS))
    assert days_owed(j) == [-5, -4, -3]
    assert not j.all_owed("depletion_plan")


def test_without_days_in_the_protocol_nothing_but_the_report_is_owed() -> None:
    j = start("gated")
    assert not j.all_owed("depletion_plan") + j.all_owed("depletion_day")
    assert j.owed("depletion_report").state == "open"


def test_a_row_without_a_variant_belongs_to_each() -> None:
    j = gated(FLU, replace(CY, variant="A"), replace(CY, variant="B", days=(-6,)))
    assert variants(j.case) == ("A", "B")
    j.tell(PlanDepletion(day_0(j), "B"))
    assert days_owed(j) == [-6, -5, -4, -3]


def test_a_day_is_due_at_noon_of_the_next_where_the_centre_is() -> None:
    j = planned()
    due = {o.about: o.due for o in j.all_owed("depletion_day")}
    after = day_0(j) - timedelta(days=4)
    assert due["1/-5"] == datetime(after.year, after.month, after.day, 12, tzinfo=SHANGHAI).astimezone(UTC)


def test_a_day_is_met_by_what_was_given_reduced_or_left_out() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu 30, Cy 500", -5))
    j.tell(RecordDepletion("Flu 20", -4, reduced="creatinine clearance 48 mL/min"))
    when(j, OmitDepletionDay(-3, "fever")).then_told(DepletionDayOmitted(1, -3, "fever"))
    assert become(j) == [(-5, "given"), (-4, "reduced"), (-3, "omitted")]
    assert not days_owed(j)
    assert {o.state for o in j.case.obligations.values() if o.kind == "depletion_day"} == {"met"}
    line = day_lines(j.case)[1]
    assert (line.told, line.reason) == ("Flu 20", "creatinine clearance 48 mL/min")
    assert line.drugs == (DrugDays("fludarabine", "30", "mg/m2/d", FLU.days), DrugDays(*_of(CY)))


def _of(row: Depletion) -> tuple[str, str, str, tuple[int, ...]]:
    return row.drug, row.dose, row.unit, row.days


def test_a_day_nobody_tells_of_is_chased_and_shown_as_late() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu/Cy", -5)).tell(RecordDepletion("Flu/Cy", -4))
    last = j.owed("depletion_day")
    j.wait(until=last.due)
    assert ObligationMissed(last.id, late=False) in j.last
    assert "chase" in {o.kind for o in j.all_owed() if o.about == "depletion_day:1/-3"}
    assert become(j)[-1] == (-3, "late")
    j.tell(RecordDepletion("Flu", -3))
    assert become(j)[-1] == (-3, "given")
    assert "depletion_day:1/-3" not in {o.about for o in j.all_owed()}


def test_when_the_infusion_slips_the_days_not_told_yet_move() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu/Cy", -5))
    before = {o.about: o.due for o in j.all_owed("depletion_day")}
    j.tell(PlanDepletion(day_0(j) + timedelta(days=2)))
    after = {o.about: o.due for o in j.all_owed("depletion_day")}
    assert days_owed(j) == [-4, -3]
    assert {about: due - before[about] for about, due in after.items()} == dict.fromkeys(before, 2 * DAY)


def test_a_day_told_with_its_number_plans_the_others_where_there_is_one_variant() -> None:
    j = gated()
    given = When.at(j.now - HOUR)
    j.tell(RecordDepletion("Flu/Cy", -5, given))
    on = (j.now - HOUR).astimezone(SHANGHAI).date()
    assert DepletionPlanned(1, "", on + timedelta(days=5), DRUGS) in j.last
    assert days_owed(j) == [-4, -3]


@pytest.mark.parametrize(
    "told", [RecordDepletion("Flu", -9), RecordDepletion("Flu"), RecordDepletion("Flu", -5, When.unknown())]
)
def test_nothing_is_planned_by_a_day_that_says_too_little(told: RecordDepletion) -> None:
    j = gated()
    j.tell(told)
    assert j.case.treatment
    assert j.case.treatment.plan is None
    assert j.owed("depletion_plan").state == "open"


def test_nothing_is_planned_by_a_day_where_there_are_several_variants() -> None:
    j = gated(replace(FLU, variant="A"), replace(CY, variant="B"))
    j.tell(RecordDepletion("Flu/Cy", -5))
    assert j.owed("depletion_plan").state == "open"


def test_days_are_owed_until_the_patient_is_in_follow_up_and_then_stay_untold() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu/Cy", -5))
    for step in ("infusion", "authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
        j.deliver()
    owing = {o.about for o in j.all_owed()}
    assert {"depletion_day:1/-4", "depletion_day:1/-3"} <= owing
    for step in ("discharged", "assessed", "follow_up"):
        STEPS[step](j)
        j.deliver()
    assert not [o for o in j.all_owed() if "depletion_day" in (o.kind, o.about.partition(":")[0])]
    assert become(j) == [(-5, "given"), (-4, "late"), (-3, "late")]


@pytest.mark.parametrize("ended", [OmitDepletion("protocol"), ReportDeath("sepsis"), ReportTrialHold("FDA")])
def test_nobody_owes_days_that_will_not_come(ended: object) -> None:
    j = planned()
    j.tell(ended)  # type: ignore[arg-type]
    assert not days_owed(j)


def test_days_after_a_break_off_are_shown_as_broken_off() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu/Cy", -5)).tell(StopDepletion("sepsis"))
    assert not days_owed(j)
    assert become(j) == [(-5, "given"), (-4, "broken_off"), (-3, "broken_off")]


def test_a_corrected_day_stands_where_the_wrong_one_stood() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu/Cy", -4))
    j.tell(CorrectFact(j.newest(DepletionGiven), RecordDepletion("Flu/Cy", -5, reduced="weight"), "chart"))
    assert become(j) == [(-5, "reduced"), (-4, "planned"), (-3, "planned")]
    assert days_owed(j) == [-4, -3]


def test_what_was_told_before_days_had_reasons_is_as_planned() -> None:
    j = planned()
    j.tell(RecordDepletion("Flu/Cy", -5))
    assert DepletionGiven(1, "Flu/Cy", -5) in j.last
    assert become(j)[0] == (-5, "given")


@drawn(st.lists(st.sampled_from([-5, -4, -3, -2]), max_size=8), st.integers(0, 7))
def test_whatever_is_told_in_whatever_order_what_is_owed_is_what_was_not_told(told: list[int], shift: int) -> None:
    j = planned()
    for n, day in enumerate(told):
        if n == shift:
            j.tell(PlanDepletion(day_0(j) + timedelta(days=1 + shift)))
        j.tried(OmitDepletionDay(day, "fever") if day == -3 else RecordDepletion("Flu", day))
    assert days_owed(j) == sorted({-5, -4, -3} - set(told))
    assert {line.day for line in day_lines(j.case)} == {-5, -4, -3} | {d for d in told if d != -3}
