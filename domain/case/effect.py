"""What the journey asks of the world: each effect is wanted by a fact, requested once, and ends in an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, assert_never

from domain.core.copying import replace
from domain.core.errors import Reason, Refused
from domain.core.personal import Identity
from domain.core.policy import Party, Policy

if TYPE_CHECKING:
    from domain.case.state import Case
    from domain.core.fact import Fact

BY_PERSON = "settled_by_person"
IMPLIED = "implied by the answer"
State = Literal["requested", "delivered", "refused", "unknown", "withdrawn"]


@dataclass(frozen=True, slots=True)
class EffectRequested:
    """Something is wanted of somebody; the effect id is the idempotency key sent outside."""

    effect: str
    kind: str
    about: str
    to: Party
    type: Literal["EffectRequested"] = "EffectRequested"


@dataclass(frozen=True, slots=True)
class EffectDelivered:
    """The far side has it. `possible_repeat`: it may have it twice, and cannot tell."""

    effect: str
    attempt: int
    receipt: str
    possible_repeat: bool = False
    type: Literal["EffectDelivered"] = "EffectDelivered"


@dataclass(frozen=True, slots=True)
class EffectRefused:
    """The far side said no, for good."""

    effect: str
    attempt: int
    code: str
    detail: Identity = ""
    type: Literal["EffectRefused"] = "EffectRefused"


@dataclass(frozen=True, slots=True)
class EffectUnknown:
    """Nobody can tell whether it arrived. Tried again from `not_before`; None = a person must find out."""

    effect: str
    attempt: int
    not_before: datetime | None
    type: Literal["EffectUnknown"] = "EffectUnknown"


@dataclass(frozen=True, slots=True)
class EffectPutOff:
    """It is quiet where the recipient is; it goes out from `not_before`. The due time does not move."""

    effect: str
    not_before: datetime
    type: Literal["EffectPutOff"] = "EffectPutOff"


@dataclass(frozen=True, slots=True)
class EffectWithdrawn:
    """It is no longer wanted and had not been delivered."""

    effect: str
    type: Literal["EffectWithdrawn"] = "EffectWithdrawn"


@dataclass(frozen=True, slots=True)
class MessageBounced:
    """A message that had been handed in came back: it was not read. `code` as in RFC 3463."""

    effect: str
    code: str
    detail: Identity = ""
    type: Literal["MessageBounced"] = "MessageBounced"


@dataclass(frozen=True, slots=True)
class ReportBounce:
    """A message came back; only the engine says this."""

    effect: str
    code: str
    detail: Identity = ""
    type: Literal["ReportBounce"] = "ReportBounce"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What one attempt of an effect came to; only the engine says this."""

    effect: str
    attempt: int
    outcome: Literal["delivered", "refused", "unknown", "put_off"]
    receipt: str = ""
    code: str = ""
    detail: Identity = ""
    possible_repeat: bool = False
    not_before: datetime | None = None
    type: Literal["RecordOutcome"] = "RecordOutcome"


Command = RecordOutcome | ReportBounce
Event = (
    EffectRequested | EffectDelivered | EffectRefused | EffectUnknown | EffectPutOff | EffectWithdrawn | MessageBounced
)


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect as it stands; `tries` counts the attempts whose outcome was unknown.

    `settled`: a person has dealt with a refusal or a bounce, nothing more is owed for it.
    """

    id: str
    kind: str
    about: str
    to: Party
    requested_at: datetime
    state: State = "requested"
    tries: int = 0
    not_before: datetime | None = None
    settled: bool = False
    bounced: bool = False

    @property
    def pending(self) -> bool:
        """Whether it is still to be attempted, now or later."""
        return self.state == "requested" or (self.state == "unknown" and self.not_before is not None)

    def due(self, now: datetime) -> bool:
        """Whether an attempt may be made now."""
        return self.pending and (self.not_before is None or self.not_before <= now)


def not_answered(_: Case, __: str) -> bool:
    """Nothing comes back that would show the delivery."""
    return False


@dataclass(frozen=True, slots=True)
class Wants:
    """A row of a stage's table: `wanted` yields what about; `answered` tells that the far side must have it.

    An answer may come before the attempt that would have recorded its own delivery: it implies delivery.
    """

    kind: str
    to: Party
    wanted: Callable[[Case], Iterable[str]]
    answered: Callable[[Case, str], bool] = not_answered


def decide(case: Case, command: Command, now: datetime, policy: Policy) -> Sequence[Event]:
    """What an outcome or a bounce brings about."""
    known = case.effects.get(command.effect)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such effect in this case", "effect")
    match command:
        case RecordOutcome():
            return _outcome(known, command, now, policy)
        case ReportBounce():
            again = known.bounced or known.state in ("refused", "withdrawn")
            return [] if again else [MessageBounced(known.id, command.code, command.detail)]
        case _:
            assert_never(command)


def _outcome(known: Effect, command: RecordOutcome, now: datetime, policy: Policy) -> Sequence[Event]:
    """The outcome of an attempt. What is already known for certain stays; a late certainty ends an unknown."""
    if known.state in ("delivered", "refused"):
        return []
    c = command
    match c.outcome:
        case "delivered":
            return [EffectDelivered(c.effect, c.attempt, c.receipt, c.possible_repeat)]
        case "refused":
            return [EffectRefused(c.effect, c.attempt, c.code, c.detail)]
        case "unknown":
            waits = policy.retry_unknown
            again = now + waits[known.tries] if known.tries < len(waits) else None
            return [] if known.state == "withdrawn" else [EffectUnknown(c.effect, c.attempt, again)]
        case "put_off":
            later = c.not_before if c.not_before and c.not_before > now else None
            return [EffectPutOff(c.effect, later)] if later and known.state == "requested" else []
        case _:
            assert_never(c.outcome)


def evolve(effects: Mapping[str, Effect], fact: Fact[Event]) -> Mapping[str, Effect]:
    """Fold one effect event."""
    event = fact.event
    if isinstance(event, EffectRequested):
        new = Effect(event.effect, event.kind, event.about, event.to, fact.at)
        return {**effects, new.id: new}
    known = effects.get(event.effect)
    return effects if known is None else {**effects, known.id: _changed(known, event)}


def _changed(known: Effect, event: Event) -> Effect:
    match event:
        case EffectRequested():
            return known
        case EffectDelivered() | MessageBounced():
            came_back = isinstance(event, MessageBounced)
            settled = known.bounced and not came_back
            return replace(
                known, state="delivered", not_before=None, bounced=known.bounced or came_back, settled=settled
            )
        case EffectRefused():
            return replace(known, state="refused", not_before=None, settled=event.code == BY_PERSON)
        case EffectUnknown():
            return replace(known, state="unknown", tries=known.tries + 1, not_before=event.not_before)
        case EffectPutOff():
            return replace(known, not_before=event.not_before)
        case EffectWithdrawn():
            return replace(known, state="withdrawn", not_before=None)
        case _:
            assert_never(event)
