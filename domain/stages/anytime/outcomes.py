"""Records what came of an effect: the outcome of an attempt, or that a message came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case import effect
from domain.case.effect import (
    Effect,
    EffectDelivered,
    EffectPutOff,
    EffectRefused,
    EffectUnknown,
    EffectWithdrawn,
    Event,
    MessageBounced,
)
from domain.case.release import given_back, perhaps_acquired
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Policy
from domain.core.roles import Action


@dataclass(frozen=True, slots=True)
class ReportBounce:
    """A message came back; only the engine says this."""

    effect: str
    code: str
    detail: Identity = ""
    type: Literal["ReportBounce"] = "ReportBounce"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """Record what one attempt of an effect came to; only the engine says this."""

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

TAKES = (
    Takes(
        RecordOutcome,
        (EffectDelivered, EffectRefused, EffectUnknown, EffectPutOff),
        at=EVERY_STAGE,
        by=Action.ENGINE,
    ),
    Takes(ReportBounce, (MessageBounced,), at=EVERY_STAGE, by=Action.ENGINE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide an outcome or a bounce: return the events it brings about. Raises Refused."""
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


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event of an effect; what a delivered release gave back is no longer held."""
    folded = replace(case, effects=effect.evolve(case.effects, fact))
    if isinstance(fact.event, EffectWithdrawn):
        return perhaps_acquired(folded, case.effects.get(fact.event.effect))
    done = folded.effects.get(fact.event.effect) if isinstance(fact.event, EffectDelivered) else None
    return given_back(folded, done.kind, done.about, fact.id) if done else folded
