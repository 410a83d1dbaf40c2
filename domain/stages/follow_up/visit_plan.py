"""Plans follow-up by what was infused: how long, and on which days, as the protocol says [follow-up.by-vector].

Fixed when the cells go in: a protocol that reads otherwise later changes no follow-up that has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domain.case.phases.follow_up import VisitPlan
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Rule, Takes
from domain.core.copying import replace
from domain.core.fact import Fact, Ids
from domain.core.policy import Policy
from domain.stages.treatment.recovery import day_0

YEAR = timedelta(days=365.25)
YEARS = 15
"""How long whoever got integrating vectors is followed, and whoever got what nobody described."""
FIRST: tuple[tuple[str, timedelta], ...] = (
    ("D28", timedelta(days=28)),
    ("M2", timedelta(days=61)),
    ("M3", timedelta(days=100)),
    ("M6", timedelta(days=183)),
    ("M9", timedelta(days=274)),
    ("M12", timedelta(days=365)),
    ("M18", timedelta(days=548)),
)
VISITS: tuple[tuple[str, timedelta], ...] = (*FIRST, *((f"Y{year}", year * YEAR) for year in range(2, YEARS + 1)))
"""Days after day 0 by which a visit's report is due, where the protocol says nothing; by [follow-up.schedule]."""


APART = timedelta(days=30)
"""The first yearly visit is no sooner than this after the last of the protocol's days."""


@dataclass(frozen=True, slots=True)
class FollowUpPlanned:
    """Follow-up after an infusion lasts so many years, with visits on these days after it; then yearly.

    No days = those of every follow-up. `infusion` counts the patient's infusions.
    """

    infusion: int
    years: int
    days: tuple[int, ...]
    type: Literal["FollowUpPlanned"] = "FollowUpPlanned"


Event = FollowUpPlanned
TAKES: tuple[Takes, ...] = ()
"""No command is told here: the plan follows from the protocol and the infusion."""


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a plan; that of the last infusion counts."""
    event = fact.event
    return replace(case, visit_plan=VisitPlan(event.infusion, event.years, event.days))


def planned_with_the_cells(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Plan follow-up when cells went in, by the protocol as the case knows it then.

    Nobody is followed for a shorter time than an earlier infusion asks for, counted from the last one.
    """
    known, count = case.visit_plan, len(case.infusions)
    due = case.stage is Stage.INFUSION and case.follow_up == "open" and count
    if not due or (known is not None and known.infusion == count):
        return []
    told = case.noted(case.protocol)
    before = known.years if known else YEARS if count > 1 else 0
    years = _years(told.get("vector_integrates"), told.get("follow_up_years"))
    return [FollowUpPlanned(count, max(before, years), tuple(told.get("visit_days", ())))]


def _years(integrates: object, said: object) -> int:
    """Fifteen at least, unless the vector is known not to integrate and the protocol gives a number."""
    years = said if isinstance(said, int) else 0
    return years if integrates is False and years else max(YEARS, years)


RULES = (
    Rule(
        "follow_up_planned",
        1,
        planned_with_the_cells,
        ("InfusionCompleted", "ProtocolStateNoted"),
        (FollowUpPlanned,),
    ),
)


def visits_of(case: Case) -> tuple[tuple[str, timedelta], ...]:
    """Return the visits of a case in order: name, and how long after day 0 its report is due."""
    known = case.visit_plan
    if known is None:
        return VISITS
    end = known.years * YEAR
    said = tuple((f"D{day}", timedelta(days=day)) for day in known.days) or FIRST
    first = tuple((name, after) for name, after in said if after <= end)
    last = first[-1][1] if first else timedelta(0)
    yearly = ((f"Y{year}", year * YEAR) for year in range(1, known.years + 1))
    return (*first, *((name, after) for name, after in yearly if after >= last + APART))


def last_due(case: Case) -> datetime | None:
    """Return when follow-up is over, counted from the last infusion; None while its date is unknown."""
    start = day_0(case)
    return start + (case.visit_plan.years if case.visit_plan else YEARS) * YEAR if start else None
