"""Says where a unit lies, and that it is stopped when its store was too warm, until quality decides [doses.excursion].

Which units an excursion stops is not told but read: those that lay in the store meanwhile, as the store stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from domain.core.personal import Identity


@dataclass(frozen=True, slots=True)
class PlaceUnit:
    """The unit lies in a store, at a position of it, since an instant; None = since now."""

    unit: str
    store: str
    position: str
    since: datetime | None = None
    type: Literal["PlaceUnit"] = "PlaceUnit"


@dataclass(frozen=True, slots=True)
class StopUnits:
    """Stop every unit that lay in a store while that was too warm or unwatched; safe to repeat."""

    type: Literal["StopUnits"] = "StopUnits"


@dataclass(frozen=True, slots=True)
class DecideStoppedUnit:
    """Quality assurance judges a stopped unit: to use it takes two people who say so, to discard it one."""

    unit: str
    outcome: Literal["use", "discard"]
    reason: Identity
    by: str = ""
    type: Literal["DecideStoppedUnit"] = "DecideStoppedUnit"


Command = PlaceUnit | StopUnits | DecideStoppedUnit


@dataclass(frozen=True, slots=True)
class UnitPlaced:
    """The unit lies in a store since then."""

    unit: str
    store: str
    position: str
    since: datetime
    type: Literal["UnitPlaced"] = "UnitPlaced"


@dataclass(frozen=True, slots=True)
class UnitStopped:
    """The unit lay in a store while that was too warm or unwatched; it is not used until quality assurance decides."""

    unit: str
    store: str
    excursion: str
    type: Literal["UnitStopped"] = "UnitStopped"


@dataclass(frozen=True, slots=True)
class UseOfUnitProposed:
    """One person judged that a stopped unit can be used; a second is needed."""

    unit: str
    reason: Identity
    by: str
    type: Literal["UseOfUnitProposed"] = "UseOfUnitProposed"


@dataclass(frozen=True, slots=True)
class UnitCleared:
    """Two people judged that a stopped unit can be used. `of` names what stopped it, empty = all that had."""

    unit: str
    reason: Identity
    by: str
    of: tuple[str, ...] = ()
    schema_version: ClassVar[int] = 2
    type: Literal["UnitCleared"] = "UnitCleared"


@dataclass(frozen=True, slots=True)
class UnitDiscarded:
    """A stopped unit was destroyed."""

    unit: str
    reason: Identity
    by: str
    type: Literal["UnitDiscarded"] = "UnitDiscarded"


Stored = UnitPlaced | UseOfUnitProposed | UnitCleared
"""What leaves the state of a unit as it is."""
Event = Stored | UnitStopped | UnitDiscarded


@dataclass(frozen=True, slots=True)
class StoreStay:
    """A unit lay at a position of a store from `since` to `until`; None = it lies there now."""

    store: str
    position: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnitBeside:
    """A unit of another lot that lies in the store a unit is put into, and where in it."""

    lot: str
    unit: str
    position: str


LIES = "lies"


def beside(known: Mapping[str, Mapping[str, Any]]) -> Sequence[UnitBeside]:
    """Return the units of other lots among what a command is decided with."""
    return [one for state in known.values() for one in state.get(LIES, ())]


def left(stays: Sequence[StoreStay], at: datetime) -> tuple[StoreStay, ...]:
    """Return the stays once the unit has left where it lay."""
    return tuple(replace(one, until=max(at, one.since)) if one.until is None else one for one in stays)


def mark(store: str, excursion: str) -> str:
    """Name an excursion of a store among those of all stores."""
    return f"{store} {excursion}"
