"""Follows a unit that left its storage for its patient: on its way, arrived, stopped, judged [doses.custody].

What happens on the way is told in the patient's case, handover by handover; the lot is told how the unit stands, and
from then on nobody else can ever have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.core.personal import Trace


@dataclass(frozen=True, slots=True)
class FollowUnit:
    """Say how a unit stands that left for its patient: since when, in which shipper, arrived or not; safe to repeat.

    `found` are the findings by which it was stopped, the oldest first; `judged` how many of them quality assurance
    decided on and how. `shipper` is a store, empty = none whose logger is read.
    """

    unit: str
    case: Trace
    shipment: str
    left: datetime
    shipper: str = ""
    arrived: datetime | None = None
    found: tuple[str, ...] = ()
    judged: int = 0
    outcome: Literal["", "use", "discard"] = ""
    by: str = ""
    type: Literal["FollowUnit"] = "FollowUnit"


Command = FollowUnit


@dataclass(frozen=True, slots=True)
class UnitLeft:
    """The unit left its storage for its patient; it never goes back to stock."""

    unit: str
    shipment: str
    shipper: str
    at: datetime
    type: Literal["UnitLeft"] = "UnitLeft"


@dataclass(frozen=True, slots=True)
class UnitArrived:
    """The unit is where it was sent to."""

    unit: str
    shipment: str
    at: datetime
    type: Literal["UnitArrived"] = "UnitArrived"


@dataclass(frozen=True, slots=True)
class UnitStoppedOnWay:
    """Something was not as it should be on its way; it is not used until quality assurance decides."""

    unit: str
    shipment: str
    finding: str
    number: int
    type: Literal["UnitStoppedOnWay"] = "UnitStoppedOnWay"


Event = UnitLeft | UnitArrived | UnitStoppedOnWay

ON_WAY = "shipment "
"""What names a finding on the way, among all that stops a unit, begins with this; no store is called so."""


def mark(shipment: str, number: int, finding: str) -> str:
    """Name a finding on the way among all that stops a unit."""
    return f"{ON_WAY}{shipment} {number} {finding}"


def marks(c: FollowUnit) -> tuple[str, ...]:
    """Return the names of all findings that are told of."""
    return tuple(mark(c.shipment, number, finding) for number, finding in enumerate(c.found, 1))
