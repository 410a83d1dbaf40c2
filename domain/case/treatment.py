"""Holds what was given: one treatment is a lymphodepletion, or its omission, and the infusions planned with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from domain.core.personal import ClinicalCode, Trace, TraceCode
from domain.core.when import When

OrderStands = Literal["not_told", "unknown", "within", "below", "above", "weight_old"]
"""How a number of cells stands to what the protocol writes for the weight; unknown = one of the two is not known."""


@dataclass(frozen=True, slots=True)
class CellOrder:
    """How many cells were authorised, and from `least` to `most` what the protocol wrote for the patient then.

    `weight` is the fact they rest on where the weight counts, `fact` the authorisation; `despite` the reason.
    """

    cells: ClinicalCode
    stands: OrderStands
    least: ClinicalCode
    most: ClinicalCode
    weight: str
    despite: ClinicalCode
    fact: str


@dataclass(frozen=True, slots=True)
class Infusion:
    """Cells that went in; never changes again.

    `vector` is the vector lot behind what is made in the body, once it knows the patient; `vector_code` what its label
    calls it, and `vector_named` the fact that says so.
    """

    number: int
    occurred: When
    lot: Trace
    fact: str
    unit: Trace = ""
    monitored: bool = False
    cells: ClinicalCode = ""
    order: CellOrder | None = None
    vector: TraceCode = ""
    vector_code: TraceCode = ""
    vector_named: str = ""


@dataclass(frozen=True, slots=True)
class DrugDays:
    """One drug of a plan as the protocol writes it, and its days counted from the infusion, day 0."""

    drug: ClinicalCode
    dose: ClinicalCode
    unit: ClinicalCode
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DepletionPlan:
    """Holds the days of lymphodepletion planned before `infusion_day` by one variant of the protocol."""

    variant: ClinicalCode
    infusion_day: date
    drugs: tuple[DrugDays, ...]

    @property
    def days(self) -> tuple[int, ...]:
        """Return every day on which something is planned, in order."""
        return tuple(sorted({day for drug in self.drugs for day in drug.days}))

    def on(self, day: int) -> date:
        """Return the date of a day."""
        return self.infusion_day + timedelta(days=day)


@dataclass(frozen=True, slots=True)
class DepletionDay:
    """Holds what was told of one day: given as planned, reduced or left out, and why; `on` None = unknown."""

    day: int
    outcome: Literal["given", "reduced", "omitted"]
    on: date | None
    told: ClinicalCode = ""
    reason: ClinicalCode = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """One lymphodepletion (or its omission) and the infusions planned with it. Re-dosing adds another."""

    number: int
    planned_infusions: int = 1
    gate: str = ""
    depletion: Literal["none", "started", "completed", "omitted", "stopped"] = "none"
    window_closes: datetime | None = None
    authorised: str = ""
    identity_checked: str = ""
    unit: TraceCode = ""  # the unit whose identity was checked
    thawed: str = ""
    infusions: tuple[Infusion, ...] = ()
    given_up: bool = False
    plan: DepletionPlan | None = None
    days: tuple[DepletionDay, ...] = ()
    order: CellOrder | None = None

    @property
    def complete(self) -> bool:
        """Every planned infusion was given, or the rest was given up."""
        return self.given_up or len(self.infusions) >= self.planned_infusions

    @property
    def untouched(self) -> bool:
        """Planned, and nothing of it has begun."""
        return not (self.infusions or self.gate or self.given_up or self.depletion != "none")
