"""Says whose turn it is where cases of a product wait for a unit [doses.turns].

Urgent cases first, then who has waited longest; one that a supervisor lets go first goes before both. A free unit is
for the first it fits: whoever it does not fit, or who has a unit already, keeps it from nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.doses.allocation import DoseWanted, Judged, PassedBecause, StockedLot, judged
from domain.doses.states import KEPT

WhyItsTurn = Literal["out_of_turn", "urgent", "longest", "only", "fits"]
"""Why this case: let go first by a supervisor, urgent before others, waiting longest of its urgency, the only one that
waits, or the first it fits: those before it have no use for the unit, or one of their own in view."""


@dataclass(frozen=True, slots=True)
class DoseTurn:
    """One case that waits for a unit, since when, and what it asks of one; `asked`: it is being given one now."""

    wanted: DoseWanted
    since: datetime
    urgent: bool = False
    out_of_turn: bool = False
    asked: bool = False

    @property
    def order(self) -> tuple[bool, bool, datetime, str]:
        """Return what the list is ordered by [doses.turns]."""
        return not self.out_of_turn, not self.urgent, self.since, self.wanted.case


def in_turn(turns: Iterable[DoseTurn]) -> Sequence[DoseTurn]:
    """Return who waits, the first to get a unit first."""
    return sorted(turns, key=lambda one: one.order)


def shared_out(stock: Sequence[StockedLot], turns: Iterable[DoseTurn], now: datetime) -> Mapping[str, str]:
    """Return for whom a free unit is, and of which lot it is: each in turn the soonest to expire that is left and fits.

    `stock` is in the order in which units are used up.
    """
    taken: Counter[str] = Counter()
    found: dict[str, str] = {}
    for turn in in_turn(turns):
        if _has_one(stock, turn, now):
            continue
        for one in stock:
            if _free(judged(one, turn.wanted, now)) > taken[one.stream]:
                taken[one.stream] += 1
                found[turn.wanted.case] = one.stream
                break
    return found


def kept_for(stock: Sequence[StockedLot], turns: Iterable[DoseTurn], own: DoseTurn, now: datetime) -> Mapping[str, int]:
    """Return how many free units of each lot are for those whose turn is before this case's."""
    before = [one for one in turns if one.wanted.case != own.wanted.case and one.order < own.order]
    return Counter(shared_out(stock, before, now).values())


def after_others(verdict: Judged, kept: int) -> Judged:
    """Return how the units of a lot stand to a case where so many of the free ones are for others first."""
    found: dict[str, PassedBecause | None] = {}
    for unit, because in verdict.items():
        others = because is None and kept > 0
        kept -= others
        found[unit] = "others_first" if others else because
    return found


def why_its_turn(turns: Sequence[DoseTurn], case: str) -> WhyItsTurn:
    """Return why of all that wait it is this case that is offered a unit."""
    ordered = in_turn(turns)
    first, others = ordered[0], ordered[1:]
    if first.wanted.case != case:
        return "fits"
    if first.out_of_turn:
        return "out_of_turn"
    if not others:
        return "only"
    return "urgent" if first.urgent and not all(one.urgent for one in others) else "longest"


def _free(verdict: Judged) -> int:
    return sum(because is None for because in verdict.values())


def _has_one(stock: Iterable[StockedLot], turn: DoseTurn, now: datetime) -> bool:
    """Whether the case has a unit in one of the lots already: for good, or held."""
    units = (unit for one in stock for unit in one.lot.units.values() if unit.of(turn.wanted.case))
    return any(unit.held_at(now) or (unit.state in KEPT and not unit.stopped) for unit in units)
