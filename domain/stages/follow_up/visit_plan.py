"""Plans follow-up by what was infused: how long, and on which days, as the protocol says [follow-up.by-vector].

Fixed when the cells go in: a protocol that reads otherwise later changes no follow-up that has begun.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from domain.case.phases.follow_up import VisitPlan
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Rule, Takes
from domain.core.about import About
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

    No days = those of every follow-up. `infusion` counts the patient's infusions. `zone`: years are those of the
    calendar there; empty = years of 365.25 days, as they were planned before.
    """

    infusion: int
    years: int
    days: tuple[int, ...]
    zone: str = ""
    schema_version: ClassVar[int] = 2
    type: Literal["FollowUpPlanned"] = "FollowUpPlanned"


Event = FollowUpPlanned
TAKES: tuple[Takes, ...] = ()
"""No command is told here: the plan follows from the protocol and the infusion."""


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a plan; that of the last infusion counts."""
    event = fact.event
    return replace(case, visit_plan=VisitPlan(event.infusion, event.years, event.days, event.zone))


def planned_with_the_cells(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Plan follow-up when cells went in, by the protocol as the case knows it then, in years of the case's calendar.

    Nobody is followed for a shorter time than an earlier infusion asks for, counted from the last one.
    """
    return [replace(plan, zone=case.zone) for plan in planned_by_days(case, now, ids, policy)]


def planned_by_days(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[FollowUpPlanned]:
    """Plan it in years of 365.25 days: the rule of before."""
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


GROUNDS = ("InfusionCompleted", "ProtocolStateNoted")
RULES = (Rule("follow_up_planned", 2, planned_with_the_cells, GROUNDS, (FollowUpPlanned,)),)
EARLIER = (Rule("follow_up_planned", 1, planned_by_days, GROUNDS, (FollowUpPlanned,)),)


def visits_of(case: Case) -> tuple[tuple[str, timedelta], ...]:
    """Return the visits of a case in order: name, and how long after day 0 its report is due."""
    known = case.visit_plan
    if known is None:
        return VISITS
    end = year_after(case, known.years)
    said = tuple((f"D{day}", timedelta(days=day)) for day in known.days) or FIRST
    first = tuple((name, after) for name, after in said if after <= end)
    last = first[-1][1] if first else timedelta(0)
    yearly = ((f"Y{year}", year_after(case, year)) for year in range(1, known.years + 1))
    return (*first, *((name, after) for name, after in yearly if after >= last + APART))


def about_visit(case: Case, visit: str) -> str:
    """Name a visit of the last infusion: re-dosing starts the count again."""
    return f"{visit}/{len(case.infusions)}"


def visit_due(case: Case, about: str) -> datetime | None:
    """Return when the report of a visit is due; None while the day of the infusion is unknown, or for no such visit."""
    start = day_0(case)
    return start + after if start and (after := dict(visits_of(case)).get(About.of(about).id)) else None


def following(case: Case) -> bool:
    """Return whether the patient is followed at home: follow-up is open, and nobody told of a death."""
    return case.follow_up == "open" and case.stage is Stage.FOLLOW_UP and not case.died


def last_due(case: Case) -> datetime | None:
    """Return when follow-up is over, counted from the last infusion; None while its date is unknown."""
    start = day_0(case)
    return start + year_after(case, case.visit_plan.years if case.visit_plan else YEARS) if start else None


def year_after(case: Case, years: int) -> timedelta:
    """Return how long so many years after day 0 last: to the end of that day by the patient's calendar.

    From the 29th of February they end on the 28th where the year has no other.
    """
    start, plan = day_0(case), case.visit_plan
    if start is None or plan is None or not plan.zone:
        return years * YEAR
    there = start.astimezone(ZoneInfo(plan.zone))
    last = min(there.day, monthrange(there.year + years, there.month)[1])
    day = date(there.year + years, there.month, last)
    return datetime.combine(day, time.max, there.tzinfo).astimezone(UTC) - start
