"""Says the dose levels of a trial as its protocol writes them, and what lies between two patients [cohorts.written]."""

from __future__ import annotations

from dataclasses import dataclass

from domain.core.errors import Reason, require
from domain.criteria.dosing import CellDose, require_dosable

MOST_LEVELS, LARGEST, LONGEST = 20, 1000, 366
"""No trial writes more levels, takes more patients into a cohort, or keeps two apart for longer, in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseLevel:
    """One dose level: its name, the cells of one infusion, and how many patients a cohort of it takes.

    `most`: how many patients the level takes in all its cohorts, 0 = the protocol does not say.
    """

    name: str
    doses: tuple[CellDose, ...] = ()
    cohort: int
    most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """The dose levels, the lowest first, and the days that lie between first infusions in one cohort.

    `between_days`: from one patient to the next. `after_first_days`: from the first patient of a cohort to the second,
    where that is longer. `toxicity_days`: for how long after the first infusion a toxicity counts as dose-limiting;
    a higher level is opened only once that is over for everybody of the cohort before.
    """

    levels: tuple[DoseLevel, ...]
    between_days: int = 0
    after_first_days: int = 0
    toxicity_days: int = 28

    def level(self, name: str) -> DoseLevel | None:
        """Return the level of this name; None where the protocol has none of it."""
        return next((one for one in self.levels if one.name == name), None)

    def rank(self, name: str) -> int:
        """Return which level it is, the lowest 1; 0 where the protocol has none of this name."""
        return next((n for n, one in enumerate(self.levels, 1) if one.name == name), 0)


def require_possible(told: Escalation | None) -> None:
    """Refuse levels that no cohort could be opened at. Raises Refused."""
    if told is None:
        return
    names = [one.name.strip() for one in told.levels]
    _holds(0 < len(names) <= MOST_LEVELS, f"from 1 to {MOST_LEVELS} dose levels, the lowest first")
    _holds(all(names) and len(set(names)) == len(names), "each dose level has a name of its own")
    for one in told.levels:
        require_dosable(one.doses)
        _holds(0 < one.cohort <= LARGEST, f"a cohort of {one.name} takes from 1 to {LARGEST} patients")
        _holds(one.most == 0 or one.cohort <= one.most <= LARGEST, f"{one.name} takes at least one whole cohort")
    for name in ("between_days", "after_first_days", "toxicity_days"):
        _holds(0 <= getattr(told, name) <= LONGEST, f"{name}: from 0 to {LONGEST} days")
    apart = told.after_first_days == 0 or told.after_first_days >= told.between_days
    _holds(apart, "after_first_days is at least between_days, or 0 where the first patient is like any other")


def _holds(holds: object, words: str) -> None:
    require(holds, Reason.INVALID, words, "escalation")
