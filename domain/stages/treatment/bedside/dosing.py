"""Compares the cells of an infusion with what the protocol writes for the patient's weight [dose.written].

What is not known, weight or protocol, stands against nothing [dose.unknown]. Nothing here says how much to give.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from domain.case.state import Case
from domain.case.treatment import CellOrder, OrderStands
from domain.criteria.dosing import CellDose
from domain.criteria.observation import converted
from domain.stages.governing.cohort_place import seat_at

Unknown = Literal["", "protocol", "weight", "no_dose"]
"""Why there is no range: the protocol says nothing, no weight with a day is known, it has no dose for this weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRange:
    """Says from `least` to `most` cells the protocol writes for this patient now; 0 = not known, and `unknown` why.

    `kg` is the newest weight whose day is known, of the fact `weight`, taken on `weighed`, `days_old` ago. `too_old`:
    older than the protocol lets it be.
    """

    dose: CellDose | None = None
    least: int = 0
    most: int = 0
    unknown: Unknown = ""
    kg: Decimal | None = None
    weight: str = ""
    weighed: date | None = None
    days_old: int = 0

    @property
    def too_old(self) -> bool:
        """Return whether the weight is older than the protocol lets it be."""
        return self.dose is not None and 0 < self.dose.weight_days < self.days_old


@dataclass(frozen=True, slots=True)
class CellLine:
    """One infusion: what was authorised for it and what went in; `infusion` 0 = it is authorised and not yet given."""

    treatment: int
    infusion: int
    order: CellOrder | None
    given: str


def cell_range(case: Case, now: datetime) -> CellRange:
    """Return what the protocol writes for the patient at this instant."""
    seat = seat_at(case, case.protocol)  # the patient's dose level says it before the protocol does
    told = seat.doses if seat and seat.doses else case.noted(case.protocol).get("doses")
    doses = [one for one in told if isinstance(one, CellDose)] if isinstance(told, tuple) else []
    weighed = _weighed(case, now)
    if not doses:
        return _with(weighed, unknown="protocol")
    found = next((one for one in doses if one.holds_at(weighed.kg)), None)
    if found is None:
        return _with(weighed, unknown="weight" if weighed.kg is None else "no_dose")
    least, most = found.between(weighed.kg)
    return _with(weighed, dose=found, least=least, most=most)


def _with(
    weighed: CellRange, *, unknown: Unknown = "", dose: CellDose | None = None, least: int = 0, most: int = 0
) -> CellRange:
    return CellRange(
        dose=dose, least=least, most=most, unknown=unknown, kg=weighed.kg, weight=weighed.weight,
        weighed=weighed.weighed, days_old=weighed.days_old,
    )  # fmt: skip


def _weighed(case: Case, now: datetime) -> CellRange:
    """Return the newest weight whose day is known; nothing of an older one where that cannot be read any more."""
    weights = ((fact, one) for fact, one in case.samples.items() if one.observed.analyte == "weight")
    dated = [(one.taken.earliest, n, fact, one) for n, (fact, one) in enumerate(weights) if one.taken.earliest]
    if not dated:
        return CellRange()
    taken, _, fact, newest = max(dated, key=lambda known: known[:2])
    kg = converted("weight", newest.observed.value, newest.observed.unit)
    if kg is None:
        return CellRange()
    return CellRange(kg=kg, weight=fact, weighed=taken.date(), days_old=max((now.date() - taken.date()).days, 0))


def order_stands(written: CellRange, cells: int) -> OrderStands:
    """Return how so many cells stand to what the protocol writes."""
    if written.unknown:
        return "unknown"
    if cells < written.least:
        return "below"
    if cells > written.most:
        return "above"
    return "weight_old" if written.too_old else "within"


def cell_lines(case: Case) -> list[CellLine]:
    """Return what was authorised and given, in order, last what is authorised now; none where no number was told."""
    given = [
        CellLine(one.number, n.number, n.order, n.cells)
        for one in case.treatments
        for n in one.infusions
        if n.order or n.cells
    ]
    waits = case.treatment
    due = [CellLine(waits.number, 0, waits.order, "")] if waits and waits.order and waits.authorised else []
    return [*given, *due]
