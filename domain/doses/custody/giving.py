"""Records to whom a vector lot was given where the product is made in the body, and that it is recalled [P8].

Such a product has no lot of cells: the vector lot itself knows its patients [doses.vector-given].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never, get_args

from domain.core.errors import Reason, require
from domain.core.personal import Identity, Trace, TraceCode
from domain.core.roles import Action

VECTOR_LOT = "vector_lot"


@dataclass(frozen=True, slots=True)
class GiveVector:
    """What was made of this vector lot, or it itself, went into a patient's body; `unit` is what its label says."""

    case: Trace
    infusion: str
    unit: Trace = ""
    type: Literal["GiveVector"] = "GiveVector"


@dataclass(frozen=True, slots=True)
class RecallVector:
    """A recall has reached this vector lot: it is never given again, and who got it is looked after."""

    reason: Identity
    type: Literal["RecallVector"] = "RecallVector"


Command = GiveVector | RecallVector
BY = dict.fromkeys(get_args(Command), Action.ENGINE)
"""The case's own effect says who got it, and a recall's that it is recalled."""


@dataclass(frozen=True, slots=True)
class VectorGiven:
    """A vector lot went into a patient's body: never changes again."""

    case: Trace
    infusion: str
    unit: Trace
    type: Literal["VectorGiven"] = "VectorGiven"


@dataclass(frozen=True, slots=True)
class VectorRecalled:
    """The vector lot is recalled."""

    reason: Identity
    type: Literal["VectorRecalled"] = "VectorRecalled"


Event = VectorGiven | VectorRecalled


@dataclass(frozen=True, slots=True)
class GivenTo:
    """One giving of a vector lot: to which case, in which infusion of it, and the unit its label named."""

    case: TraceCode
    infusion: str
    unit: TraceCode


@dataclass(frozen=True, slots=True)
class Givings:
    """Holds to whom a vector lot was given, and whether it is recalled."""

    to: tuple[GivenTo, ...] = field(default=())
    recalled: bool = False


def decide(kind: str, givings: Givings, command: Command) -> Sequence[Event]:
    """Decide what happened to a vector lot; a repeat brings nothing new. Raises Refused.

    What went in is recorded whatever became of the lot: it cannot be taken out again.
    """
    require(kind == VECTOR_LOT, Reason.INVALID, "only a vector lot is given, and recalled, itself", "type")
    match command:
        case GiveVector():
            known = any(one.infusion == command.infusion for one in givings.to)
            return [] if known else [VectorGiven(command.case, command.infusion, command.unit)]
        case RecallVector():
            return [] if givings.recalled else [VectorRecalled(command.reason)]
        case _:
            assert_never(command)


def evolve(givings: Givings, event: Event) -> Givings:
    """Fold one event; of a patient whose keys are gone nobody can say who it was."""
    match event:
        case VectorGiven():
            given = GivenTo(_text(event.case), event.infusion, _text(event.unit))
            return replace(givings, to=(*givings.to, given))
        case VectorRecalled():
            return replace(givings, recalled=True)
        case _:
            assert_never(event)


def _text(value: Trace) -> str:
    return value if isinstance(value, str) else ""
