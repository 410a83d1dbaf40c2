"""Says by what the patient is known at the bedside."""

from __future__ import annotations

from dataclasses import dataclass

from domain.core.personal import TraceCode


@dataclass(frozen=True, slots=True)
class Wristband:
    """Holds what a scan of the patient's wristband reads: the hospital's number and the chain of identity."""

    code: TraceCode
    chain: TraceCode
    fact: str


@dataclass(frozen=True)
class AtBedside:
    """Holds what is compared before cells go in."""

    wristband: Wristband | None = None
