"""Says what a case notes of its own place in a cohort: whether it is its turn, and from when on [cohorts.stagger]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain.catalogue.protocols.cohorts import Cohorts, Subject, SubjectState
from domain.catalogue.protocols.escalation import Escalation
from domain.criteria.dosing import CellDose, cell_dose_of


@dataclass(frozen=True, slots=True)
class Seat:
    """What a case notes of its own place: cohort and level, whether it is its turn, from when on, and what holds it.

    `ahead` counts those of the cohort whose turn comes before. `last` is the day of the infusion before, which was the
    first patient's where `after_first`; None = nobody was infused yet. `opened`: some cohort was ever opened.
    """

    case: str
    state: SubjectState
    cohort: int = 0
    level: str = ""
    doses: tuple[CellDose, ...] = ()
    ahead: int = 0
    last: date | None = None
    after_first: bool = False
    not_before: date | None = None
    held: date | None = None
    opened: bool = False


def seat_of(row: Mapping[str, Any]) -> Seat:
    """Read a seat back from the JSON of a read model."""
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in ("last", "not_before", "held")}
    return Seat(**{**row, **days, "doses": tuple(map(cell_dose_of, row["doses"]))})


def seats(book: Cohorts, plan: Escalation | None) -> tuple[Seat, ...]:
    """Return what each case notes of its place; of those who left, nothing."""
    return tuple(_seat(book, plan, one) for one in book.subjects if one.state != "left") if plan else ()


def _seat(book: Cohorts, plan: Escalation, one: Subject) -> Seat:
    cohort = next((known for known in book.cohorts if known.number == one.cohort), None)
    if cohort is None:
        return Seat(one.case, one.state, one.cohort, opened=bool(book.cohorts))
    level, others = plan.level(cohort.level), book.of(cohort.number)
    doses = level.doses if level else ()
    if one.state == "infused":  # nothing is to be waited for; a second part of the dose is of the same level
        return Seat(one.case, one.state, one.cohort, cohort.level, doses, opened=True)
    ready = [other.case for other in others if other.state == "ready"]
    before = ready.index(one.case) if one.case in ready else len(ready)
    days = sorted(other.infused for other in others if other.infused)
    after_first = len(days) == 1
    wait = max(plan.between_days, plan.after_first_days) if after_first else plan.between_days
    not_before = days[-1] + timedelta(days=wait) if days else None
    return Seat(
        one.case, one.state, one.cohort, cohort.level, doses, before, days[-1] if days else None, after_first,
        not_before, book.held_for(cohort, plan), opened=True,
    )  # fmt: skip
