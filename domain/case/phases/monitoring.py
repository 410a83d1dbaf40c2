"""Says what is looked at after an infusion, on which day, and what was told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from domain.core.personal import ClinicalCode
from domain.core.planned_check import PlannedCheck


@dataclass(frozen=True, slots=True)
class MonitoringDay:
    """Holds what was told of one day after an infusion: checks that were made, and those left out and why.

    Each list names checks as the plan does.
    """

    day: int
    done: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    finding: ClinicalCode = ""
    reason: ClinicalCode = ""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Holds what is to be looked at after one infusion, by the day from it, and what was told of each day.

    `by_protocol`: the protocol says so, else the default of the field.
    """

    infusion: int
    checks: tuple[PlannedCheck, ...]
    by_protocol: bool
    told: tuple[MonitoringDay, ...] = ()

    @property
    def days(self) -> tuple[int, ...]:
        """Return every day on which something is planned, in order."""
        return tuple(sorted({day for row in self.checks for day in row.days}))

    def on(self, day: int) -> tuple[PlannedCheck, ...]:
        """Return the checks of a day."""
        return tuple(row for row in self.checks if day in row.days)

    def told_of(self, day: int) -> MonitoringDay:
        """Return what was told of a day, which may be nothing."""
        return next((told for told in self.told if told.day == day), MonitoringDay(day))

    def untold(self, day: int) -> tuple[PlannedCheck, ...]:
        """Return the checks of a day that were neither made nor left out."""
        told = self.told_of(day)
        return tuple(row for row in self.on(day) if row.what not in told.done + told.skipped)


@dataclass(frozen=True)
class Monitored:
    """Holds the days after each infusion that was planned for."""

    monitoring: tuple[Monitoring, ...] = ()
    limiting: Mapping[str, date] = field(default_factory=dict)  # fact of a dose-limiting toxicity → its day
