"""Walks what is made of what: from one material to everything made of it, and from anything back to its donors.

A recall starts from any material or lot and ends at units and patients [doses.look-back].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.core.personal import TraceCode
from domain.doses.material import Material
from domain.doses.stock import Lot
from domain.doses.unit import IN_STOCK, Unit

Edge = tuple[str, str]
"""What was made, and the material it was made of."""
Way = Literal["made_into", "made_of"]


def reach(edges: Iterable[Edge], starts: Iterable[str], way: Way) -> frozenset[Edge]:
    """Return every edge on the way from the starts to all that was made of them, or back to all they are made of."""
    steps: defaultdict[str, set[Edge]] = defaultdict(set)
    for edge in edges:
        steps[edge[1] if way == "made_into" else edge[0]].add(edge)
    walked, ahead, seen = set[Edge](), list(starts), set(starts)
    while ahead:
        for edge in steps[ahead.pop()]:
            walked.add(edge)
            beyond = edge[0] if way == "made_into" else edge[1]
            if beyond not in seen:
                seen.add(beyond)
                ahead.append(beyond)
    return frozenset(walked)


def streams_of(edges: Iterable[Edge]) -> frozenset[str]:
    """Return everything that stands at an end of an edge."""
    return frozenset(stream for edge in edges for stream in edge)


@dataclass(frozen=True, slots=True)
class UnitFound:
    """One dose that was made of what was asked for. `case` is whose it is or was last; empty = nobody's."""

    lot: str
    unit: str
    state: str
    case: TraceCode


@dataclass(frozen=True, slots=True)
class Trace:
    """Holds what stands around some materials or lots at an instant: what they are made of, what was made of them.

    `written`: lots that only name the code of one of them since they were registered, and are not linked to it.
    """

    starts: Sequence[str]
    made_of: frozenset[Edge]
    made_into: frozenset[Edge]
    materials: Mapping[str, Material]
    lots: Mapping[str, Lot]
    written: Sequence[str]

    @property
    def affected(self) -> Sequence[str]:
        """Return the lots made of the starts, those that only name a code among them."""
        found = {*self._below, *self.written}
        return sorted(stream for stream in found if stream in self.lots)

    @property
    def given(self) -> Sequence[str]:
        """Return the vector lots among the starts, and made of them, that went into somebody's body themselves."""
        return sorted(one for one in self._below if one in self.materials and self.materials[one].given.to)

    @property
    def _below(self) -> frozenset[str]:
        return frozenset(self.starts) | streams_of(self.made_into)


def units_of(trace: Trace, now: datetime) -> Sequence[UnitFound]:
    """Return every unit of every affected lot as it stands then, by lot and unit; then what was given of vector lots.

    Of a vector lot given itself the unit is what its label named, and the number of the giving where it named none.
    """
    units = [_found(stream, unit, now) for stream in trace.affected for unit in trace.lots[stream].units.values()]
    for stream in trace.given:
        for number, one in enumerate(trace.materials[stream].given.to, 1):
            units.append(UnitFound(stream, one.unit or str(number), "used", one.case))
    return units


def _found(lot: str, unit: Unit, now: datetime) -> UnitFound:
    if unit.state == "free" and not unit.stopped:  # of a million most
        return UnitFound(lot, unit.id, IN_STOCK, "")
    return UnitFound(lot, unit.id, unit.shown_at(now), _whose(unit, now))


def _whose(unit: Unit, now: datetime) -> str:
    """Whose it is or was last; what lies in stock, or is stopped there, is nobody's."""
    nobodys = unit.state == "free" or unit.free_at(now) or not isinstance(unit.case, str)
    return "" if nobodys else str(unit.case)


def patients_of(units: Iterable[UnitFound]) -> Mapping[str, Sequence[UnitFound]]:
    """Return the units each case has or had, those infused first; destroyed and returned ones are nobody's."""
    found: defaultdict[str, list[UnitFound]] = defaultdict(list)
    for unit in units:
        if unit.case and unit.state != "destroyed":
            found[unit.case].append(unit)
    return {case: sorted(of, key=lambda unit: unit.state != "used") for case, of in sorted(found.items())}
