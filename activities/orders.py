"""What a workflow and its activities say to each other: opaque ids, codes and durations, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass

ATTEND = "attend"
RECORD_UNKNOWN = "record_unknown"


@dataclass(frozen=True, slots=True)
class Attend:
    """Look at a case for the engine of `epoch`, which has seen its version `seen`."""

    case: str
    epoch: int
    seen: int


@dataclass(frozen=True, slots=True)
class Order:
    """Make one attempt of one effect."""

    case: str
    effect: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Due:
    """An effect to attempt now."""

    effect: str
    kind: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What a look came to. `wake_in` in seconds by the ledger's clock, None = nothing is to come."""

    stage: str
    version: int
    effects: list[Due]
    wake_in: float | None
    ended: bool
    superseded: bool = False
    waiting: str = ""
