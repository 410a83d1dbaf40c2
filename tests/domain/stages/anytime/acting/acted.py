"""A corrective action at each of its steps, for tests of obligations and of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from domain.stages.anytime.corrective import CheckCorrectiveAction, CompleteCorrectiveAction, PlanCorrectiveAction
from domain.stages.treatment.infusion import CheckIdentity
from domain.stages.treatment.safety import ReportMalignancy
from tests.domain.journey import Journey

Step = Callable[[Journey], object]


def newest(j: Journey) -> str:
    return list(j.case.corrective)[-1]


def planning(j: Journey, done: int = 14, check: int = 60) -> PlanCorrectiveAction:
    day = j.now.date()
    alert = list(j.case.alerts)[-1]
    return PlanCorrectiveAction(alert, "train again", "ward", day + timedelta(days=done), day + timedelta(days=check))


def plan(j: Journey) -> None:
    if not j.case.alerts:
        j.tell(ReportMalignancy("T cell"))
    j.tell(planning(j))


def complete(j: Journey) -> None:
    j.tell(CompleteCorrectiveAction(newest(j), "trained"))


def done(j: Journey) -> None:
    plan(j)
    complete(j)


def check(j: Journey, *, helped: bool = True) -> None:
    j.tell(CheckCorrectiveAction(newest(j), helped, "none since"))


def in_vain(j: Journey) -> None:
    done(j)
    check(j, helped=False)


def near_miss(j: Journey) -> None:
    j.tell(CheckIdentity("nurse-1", "nurse-2", "unit-9", patient_matches=True, unit_matches=False))


SCENES_OF_ACTIONS: Mapping[str, tuple[str, Step, Step]] = {
    "corrective_plan": ("checked", plan, near_miss),
    "corrective_action": ("infused", complete, plan),
    "corrective_check": ("infused", check, done),
    "corrective_again": ("infused", plan, in_vain),
}
"""Kind of obligation → where it begins, what meets it, what makes it owed."""
