"""Says by what the patient is known at the bedside, and which thawed units were not given there."""

from __future__ import annotations

from dataclasses import dataclass

from domain.core.personal import TraceCode


@dataclass(frozen=True, slots=True)
class Wristband:
    """Holds what a scan of the patient's wristband reads: the hospital's number and the chain of identity."""

    code: TraceCode
    chain: TraceCode
    fact: str


@dataclass(frozen=True, slots=True)
class DestroyedUnit:
    """Names a unit that was thawed and destroyed, the lot it was of, and the fact that says so."""

    fact: str
    lot: TraceCode
    unit: TraceCode


@dataclass(frozen=True)
class AtBedside:
    """Holds what is compared before cells go in, and the units that were thawed and went into nobody."""

    wristband: Wristband | None = None
    destroyed_units: tuple[DestroyedUnit, ...] = ()
