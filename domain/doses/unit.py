"""One dose of a lot: held for one patient at a time, committed before anything irreversible, used once [P8].

A hold is a lease: it ends by itself at `until`, and its unit is free from that instant on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.core.personal import Identity, Trace

UnitState = Literal["free", "held", "committed", "used", "set_aside", "destroyed"]


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
class SettleUnit:
    """Quality assurance: a committed unit or one set aside goes back to stock or is destroyed; not the registrar."""

    unit: str
    outcome: Literal["returned", "destroyed"]
    reason: Identity
    by: str = ""
    type: Literal["SettleUnit"] = "SettleUnit"


Command = HoldUnit | ExtendHold | FreeUnit | CommitUnit | UseUnit | SettleUnit


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
class UnitSettled:
    """Quality assurance decided on a unit."""

    unit: str
    outcome: Literal["returned", "destroyed"]
    reason: Identity
    by: str
    type: Literal["UnitSettled"] = "UnitSettled"


Event = UnitHeld | HoldExtended | UnitFreed | UnitSetAside | UnitCommitted | UnitUsed | UnitSettled


@dataclass(frozen=True, slots=True)
class Unit:
    """One dose. `case`, `effect` and `until` belong to its last hold."""

    id: str
    state: UnitState = "free"
    case: Trace = ""
    effect: str = ""
    until: datetime | None = None

    def free_at(self, now: datetime) -> bool:
        """Return whether it can be held for somebody: nobody's, or its hold has ended."""
        return self.state == "free" or (self.state == "held" and self.until is not None and self.until <= now)

    def held_at(self, now: datetime) -> bool:
        """Return whether its hold stands."""
        return self.state == "held" and not self.free_at(now)

    def of(self, case: Trace) -> bool:
        """Return whether its last hold was this case's; nobody can say so of an erased one."""
        return isinstance(case, str) and bool(case) and self.case == case


def evolve(unit: Unit, event: Event) -> Unit:
    """Fold one event of this unit."""
    match event:
        case UnitHeld():
            after = Unit(unit.id, "held", event.case, event.effect, event.until)
        case HoldExtended():
            after = replace(unit, until=event.until)
        case UnitFreed():
            after = replace(unit, state="free", until=None)
        case UnitSetAside():
            after = replace(unit, state="set_aside", until=None)
        case UnitCommitted():
            after = replace(unit, state="committed", until=None)
        case UnitUsed():
            after = replace(unit, state="used")
        case UnitSettled():
            after = replace(unit, state="free" if event.outcome == "returned" else "destroyed")
        case _:
            assert_never(event)
    return after
