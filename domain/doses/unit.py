"""One dose of a lot: held for one patient at a time, committed before anything irreversible, used once [P8].

A hold is a lease: it ends by itself at `until`, and its unit is free from that instant on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.core.personal import Identity, Trace
from domain.doses import storage
from domain.doses.custody import transit
from domain.doses.states import KEPT, OVER, UnitState
from domain.doses.states import after as moved
from domain.doses.storage import StoreStay


@dataclass(frozen=True, slots=True)
class HoldUnit:
    """Hold the first free unit for a case until `until`; `effect` is the request it answers."""

    case: Trace
    effect: str
    until: datetime
    type: Literal["HoldUnit"] = "HoldUnit"


@dataclass(frozen=True, slots=True)
class ExtendHold:
    """Hold it longer, while the hold still stands."""

    unit: str
    case: Trace
    until: datetime
    type: Literal["ExtendHold"] = "ExtendHold"


@dataclass(frozen=True, slots=True)
class FreeUnit:
    """The case no longer needs it. A committed unit may have left its storage: quality assurance decides."""

    unit: str
    case: Trace
    type: Literal["FreeUnit"] = "FreeUnit"


@dataclass(frozen=True, slots=True)
class CommitUnit:
    """Compare and set before lymphodepletion or thaw: lot released, unit held for this case, at this instant."""

    unit: str
    case: Trace
    type: Literal["CommitUnit"] = "CommitUnit"


@dataclass(frozen=True, slots=True)
class UseUnit:
    """A committed unit went into the patient."""

    unit: str
    case: Trace
    type: Literal["UseUnit"] = "UseUnit"


@dataclass(frozen=True, slots=True)
class DestroyThawedUnit:
    """The case's own unit was thawed at the bedside and destroyed there, not infused."""

    unit: str
    case: Trace
    type: Literal["DestroyThawedUnit"] = "DestroyThawedUnit"


@dataclass(frozen=True, slots=True)
class SettleUnit:
    """Quality assurance: a committed unit or one set aside goes back to stock or is destroyed; not the registrar."""

    unit: str
    outcome: Literal["returned", "destroyed"]
    reason: Identity
    by: str = ""
    type: Literal["SettleUnit"] = "SettleUnit"


Command = (
    HoldUnit
    | ExtendHold
    | FreeUnit
    | CommitUnit
    | UseUnit
    | DestroyThawedUnit
    | SettleUnit
    | storage.Command
    | transit.Command
)


@dataclass(frozen=True, slots=True)
class UnitHeld:
    """One unit is held for one case until `until`."""

    unit: str
    case: Trace
    effect: str
    until: datetime
    type: Literal["UnitHeld"] = "UnitHeld"


@dataclass(frozen=True, slots=True)
class HoldExtended:
    """The hold lasts longer."""

    unit: str
    until: datetime
    type: Literal["HoldExtended"] = "HoldExtended"


@dataclass(frozen=True, slots=True)
class UnitFreed:
    """The unit is back in stock; it never left its storage."""

    unit: str
    type: Literal["UnitFreed"] = "UnitFreed"


@dataclass(frozen=True, slots=True)
class UnitSetAside:
    """A committed unit is not needed; it waits for quality assurance."""

    unit: str
    type: Literal["UnitSetAside"] = "UnitSetAside"


@dataclass(frozen=True, slots=True)
class UnitCommitted:
    """The unit is this patient's; the hold no longer ends by itself."""

    unit: str
    type: Literal["UnitCommitted"] = "UnitCommitted"


@dataclass(frozen=True, slots=True)
class UnitUsed:
    """The unit went into the patient: never changes again."""

    unit: str
    type: Literal["UnitUsed"] = "UnitUsed"


@dataclass(frozen=True, slots=True)
class ThawedUnitDestroyed:
    """The unit was destroyed at its patient's bedside after its thaw; the case says why."""

    unit: str
    type: Literal["ThawedUnitDestroyed"] = "ThawedUnitDestroyed"


@dataclass(frozen=True, slots=True)
class UnitSettled:
    """Quality assurance decided on a unit."""

    unit: str
    outcome: Literal["returned", "destroyed"]
    reason: Identity
    by: str
    type: Literal["UnitSettled"] = "UnitSettled"


Event = (
    UnitHeld
    | HoldExtended
    | UnitFreed
    | UnitSetAside
    | UnitCommitted
    | UnitUsed
    | ThawedUnitDestroyed
    | UnitSettled
    | storage.Event
    | transit.Event
)


IN_STOCK = "in_stock"


@dataclass(frozen=True, slots=True)
class Unit:
    """One dose. `case`, `effect` and `until` belong to its last hold.

    `stays` is where it lay, the newest last; `stopped` are excursions of a store that nobody has judged for it yet,
    `judged` those that two people have; `proposed_by` is the first of the two. `stopped_at`: since when one of them
    is not judged. `left`: it left its storage for its patient, and never goes back to stock.
    """

    id: str
    state: UnitState = "free"
    case: Trace = ""
    effect: str = ""
    until: datetime | None = None
    stays: tuple[StoreStay, ...] = ()
    stopped: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    proposed_by: str = ""
    left: bool = False
    stopped_at: datetime | None = None

    def free_at(self, now: datetime) -> bool:
        """Return whether it can be held for somebody: nobody's or its hold has ended, and it is not stopped."""
        lapsed = self.state == "held" and self.until is not None and self.until <= now
        return not self.stopped and (self.state == "free" or lapsed)

    def held_at(self, now: datetime) -> bool:
        """Return whether its hold stands."""
        return self.state == "held" and self.until is not None and now < self.until

    def kept_at(self, now: datetime) -> bool:
        """Return whether it is somebody's then, for a time or until it is settled."""
        return self.state in KEPT or self.held_at(now)

    @property
    def stopped_in_store(self) -> tuple[str, ...]:
        """Return what stopped it where it lay, not on its way."""
        return tuple(one for one in self.stopped if not one.startswith(transit.ON_WAY))

    @property
    def lies(self) -> StoreStay | None:
        """Return where it lies; None = nobody said, or it has left."""
        return self.stays[-1] if self.stays and self.stays[-1].until is None else None

    def shown_at(self, now: datetime) -> str:
        """Return the word for how it stands: in stock, stopped, or its state."""
        if self.free_at(now):
            return IN_STOCK
        return "stopped" if self.stopped and self.state not in OVER else self.state

    def of(self, case: Trace) -> bool:
        """Return whether its last hold was this case's; nobody can say so of an erased one."""
        return isinstance(case, str) and bool(case) and self.case == case


def name_of(event: Event) -> str:
    """Return what an event is called in the table of states."""
    return f"{event.type} {event.outcome}" if isinstance(event, UnitSettled) else event.type


def evolve(unit: Unit, event: Event, at: datetime) -> Unit:
    """Fold one event of this unit, recorded at that instant."""
    if isinstance(event, storage.Stored):
        return _stored(unit, event)
    if isinstance(event, transit.Event):
        return _sent(unit, event)
    after = replace(unit, state=moved(unit.state, name_of(event)))
    match event:
        case UnitHeld():
            after = replace(after, case=event.case, effect=event.effect, until=event.until)
        case HoldExtended():
            after = replace(after, until=event.until)
        case UnitFreed() | UnitSetAside() | UnitCommitted():
            after = replace(after, until=None)
        case storage.UnitStopped():
            mark = storage.mark(event.store, event.excursion)
            since = unit.stopped_at if unit.stopped_in_store else at
            after = replace(after, until=None, stopped=(*after.stopped, mark), proposed_by="", stopped_at=since)
        case UnitUsed() | ThawedUnitDestroyed() | UnitSettled() | storage.UnitDiscarded():
            pass
        case _:
            assert_never(event)
    return replace(after, stays=storage.left(after.stays, at)) if after.state in OVER else after


def _stored(unit: Unit, event: storage.Stored) -> Unit:
    match event:
        case storage.UnitPlaced():
            stay = StoreStay(event.store, event.position, event.since)
            return replace(unit, stays=(*storage.left(unit.stays, event.since), stay))
        case storage.UseOfUnitProposed():
            return replace(unit, proposed_by=event.by)
        case storage.UnitCleared():
            cleared = event.of or unit.stopped
            rest = tuple(one for one in unit.stopped if one not in cleared)
            return replace(unit, stopped=rest, judged=(*unit.judged, *cleared), proposed_by="")
        case _:
            assert_never(event)


def _sent(unit: Unit, event: transit.Event) -> Unit:
    after = replace(unit, state=moved(unit.state, event.type))
    match event:
        case transit.UnitLeft():
            there = (StoreStay(event.shipper, event.shipment, event.at),) if event.shipper else ()
            return replace(after, left=True, until=None, stays=(*storage.left(unit.stays, event.at), *there))
        case transit.UnitArrived():
            return replace(after, stays=storage.left(unit.stays, event.at))
        case transit.UnitStoppedOnWay():
            mark = transit.mark(event.shipment, event.number, event.finding)
            return replace(after, stopped=(*unit.stopped, mark), proposed_by="")
        case _:
            assert_never(event)
