"""A protocol whose lymphodepletion has days, and where a case stands that is treated by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.catalogue.product import Depletion
from domain.core.about import About
from domain.stages.schedule.depletion_days import PlanDepletion
from domain.stages.treatment.lymphodepletion import RecordDepletion
from tests.domain.course import PROTOCOL, STEPS
from tests.domain.journey import DAY, Journey

FLU = Depletion(drug="fludarabine", dose="30", unit="mg/m2/d", days=(-5, -4, -3))
CY = Depletion(drug="cyclophosphamide", dose="500", unit="mg/m2/d", days=(-5, -4))


def names_days(j: Journey, *rows: Depletion) -> Journey:
    """The protocol reads like this."""
    return j.source(PROTOCOL, lymphodepletion=rows or (FLU, CY))


def gated_by_days(j: Journey) -> None:
    names_days(j)
    STEPS["gated"](j)


def plan(j: Journey) -> None:
    j.tell(PlanDepletion(day_0(j)))


def one_day_planned(j: Journey) -> None:
    names_days(j, Depletion(drug="fludarabine", days=(-5,)))
    STEPS["gated"](j)
    plan(j)


def tell_of_the_day(j: Journey) -> None:
    j.tell(RecordDepletion("Flu", -5))


SCENES_OF_DAYS = {"depletion_plan": (gated_by_days, plan), "depletion_day": (one_day_planned, tell_of_the_day)}
"""What is owed → how it comes to be owed, and what meets it."""


def day_0(j: Journey) -> date:
    """Six days from now."""
    return (j.now + 6 * DAY).date()


def days_owed(j: Journey) -> Sequence[int]:
    return sorted(About.of(o.about).number for o in j.all_owed("depletion_day"))
