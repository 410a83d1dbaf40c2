"""Keeps what the journey asks of the world: each effect is wanted by a fact, requested once, and ends in an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.core.copying import replace
from domain.core.fact import Fact
from domain.core.personal import Identity
from domain.core.policy import Party

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
        """Return whether it is still to be attempted, now or later."""
        return self.state == "requested" or (self.state == "unknown" and self.not_before is not None)

    def due(self, now: datetime) -> bool:
        """Return whether an attempt may be made now."""
        return self.pending and (self.not_before is None or self.not_before <= now)


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
