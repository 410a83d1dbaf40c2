"""Holds what was given: one treatment is a lymphodepletion, or its omission, and the infusions planned with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.core.personal import Trace, TraceCode
from domain.core.when import When


@dataclass(frozen=True, slots=True)
class Infusion:
    """Cells that went in; never changes again."""

    number: int
    occurred: When
    lot: Trace
    fact: str
    unit: Trace = ""


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

    @property
    def complete(self) -> bool:
        """Every planned infusion was given, or the rest was given up."""
        return self.given_up or len(self.infusions) >= self.planned_infusions

    @property
    def untouched(self) -> bool:
        """Planned, and nothing of it has begun."""
        return not (self.infusions or self.gate or self.given_up or self.depletion != "none")
