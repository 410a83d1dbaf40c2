"""Holds what a workflow and its activities say to each other: opaque ids, codes and durations, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from traceback import extract_tb

from temporalio.exceptions import ApplicationError

from domain.core.errors import Refused

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
    """An effect to attempt now; `says` is shown beside it: to whom, and what it reminds of."""

    effect: str
    kind: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """A stage, and the version of the case at which it was entered."""

    stage: str
    version: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Tells what attending came to. `wake_in` is in seconds by the ledger's clock, None = nothing is to come.

    `entered`: every stage entered since the version that the loop had seen, also one that was left again.
    """

    stage: str
    version: int
    effects: list[Due]
    wake_in: float | None
    ended: bool
    superseded: bool = False
    waiting: str = ""
    entered: list[Entered] = field(default_factory=list)


def nameless(error: Exception) -> ApplicationError:
    """Return a failure as Temporal may keep it: kind and place, a refusal's reason, no text about a person."""
    place = extract_tb(error.__traceback__)[-1]
    said = str(error) if isinstance(error, Refused) else f"{PurePath(place.filename).name}:{place.lineno}"
    return ApplicationError(said, type=type(error).__name__)
