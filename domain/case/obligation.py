"""Tracks who owes what to whom until when: opened, chased and ended from the state of the case, never by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.core.copying import replace
from domain.core.fact import Fact
from domain.core.policy import Party


@dataclass(frozen=True, slots=True)
class Step:
    """One instant of a ladder, in UTC."""

    at: datetime
    action: Literal["remind", "escalate"]
    to: Party


@dataclass(frozen=True, slots=True)
class ObligationOpened:
    """Somebody owes something from now on; every instant is fixed here, with the policy's hash.

    `anchor` is the date in the world that the deadline follows from, None = counted from now.
    """

    obligation: str
    kind: str
    about: str
    debtor: Party
    creditor: Party
    due: datetime
    steps: tuple[Step, ...]
    policy: str
    anchor: datetime | None = None
    type: Literal["ObligationOpened"] = "ObligationOpened"


@dataclass(frozen=True, slots=True)
class ObligationStepTaken:
    """A reminder or an escalation fell due; the message itself is the effect that follows."""

    obligation: str
    step: int
    late: bool
    type: Literal["ObligationStepTaken"] = "ObligationStepTaken"


@dataclass(frozen=True, slots=True)
class ObligationStepSkipped:
    """A reminder was overtaken by a newer one or by the deadline, so it was not sent."""

    obligation: str
    step: int
    type: Literal["ObligationStepSkipped"] = "ObligationStepSkipped"


@dataclass(frozen=True, slots=True)
class ObligationMet:
    """What was owed has been done in time."""

    obligation: str
    type: Literal["ObligationMet"] = "ObligationMet"


@dataclass(frozen=True, slots=True)
class ObligationMissed:
    """The deadline passed with nothing done."""

    obligation: str
    late: bool
    type: Literal["ObligationMissed"] = "ObligationMissed"


@dataclass(frozen=True, slots=True)
class ObligationWithdrawn:
    """It is no longer owed, though it was not done."""

    obligation: str
    type: Literal["ObligationWithdrawn"] = "ObligationWithdrawn"


@dataclass(frozen=True, slots=True)
class ObligationRedated:
    """The instants of an open obligation moved: a person, a policy they applied, or the date it rests on.

    `policy` is the hash of the policy that was applied, empty for any other reason.
    """

    obligation: str
    due: datetime
    steps: tuple[Step, ...]
    reason: str
    anchor: datetime | None = None
    policy: str = ""
    type: Literal["ObligationRedated"] = "ObligationRedated"
    schema_version: ClassVar[int] = 2


Event = (
    ObligationOpened
    | ObligationStepTaken
    | ObligationStepSkipped
    | ObligationMet
    | ObligationMissed
    | ObligationWithdrawn
    | ObligationRedated
)


@dataclass(frozen=True, slots=True)
class Obligation:
    """One obligation as it stands. `done` are the steps taken or skipped; `by_hand`: people have set its instants.

    `holder` is who of the debtor's role has it in hand, `offered` who was asked to take it; empty = nobody.
    """

    id: str
    kind: str
    about: str
    debtor: Party
    creditor: Party
    opened_at: datetime
    due: datetime
    steps: tuple[Step, ...]
    anchor: datetime | None = None
    done: frozenset[int] = frozenset()
    state: Literal["open", "met", "missed", "withdrawn"] = "open"
    by_hand: bool = False
    holder: str = ""
    offered: str = ""

    @property
    def next_at(self) -> datetime:
        """Return when this obligation next does something by itself, while open."""
        return min([step.at for n, step in enumerate(self.steps) if n not in self.done] + [self.due])


def overdue_since(o: Obligation, obligations: Iterable[Obligation]) -> datetime | None:
    """Return when what `o` chases was due, None for what chases nothing."""
    if not o.kind.startswith("chase"):
        return None
    return max((m.due for m in obligations if m.state == "missed" and f"{m.kind}:{m.about}" == o.about), default=None)


def evolve(obligations: Mapping[str, Obligation], fact: Fact[Event]) -> Mapping[str, Obligation]:
    """Fold one obligation event."""
    event = fact.event
    if isinstance(event, ObligationOpened):
        opened = Obligation(
            event.obligation,
            event.kind,
            event.about,
            event.debtor,
            event.creditor,
            fact.why.computed_for if fact.why else fact.at,  # the instant its own instants were reckoned from
            event.due,
            event.steps,
            event.anchor,
        )
        return {**obligations, opened.id: opened}
    known = obligations.get(event.obligation)
    if known is None:
        return obligations
    by_hand = isinstance(event, ObligationRedated) and fact.why is None and not event.policy
    changed = _changed(known, event)
    return {**obligations, known.id: replace(changed, by_hand=True) if by_hand else changed}


def _changed(known: Obligation, event: Event) -> Obligation:
    match event:
        case ObligationOpened():
            return known
        case ObligationStepTaken() | ObligationStepSkipped():
            return replace(known, done=known.done | {event.step})
        case ObligationMet():
            return replace(known, state="met")
        case ObligationMissed():
            return replace(known, state="missed")
        case ObligationWithdrawn():
            return replace(known, state="withdrawn")
        case ObligationRedated():
            return _redated(known, event)
        case _:
            assert_never(event)


def _redated(known: Obligation, event: ObligationRedated) -> Obligation:
    """Steps that were taken keep their numbers; the new ones are counted on from there."""
    past = tuple(step for n, step in enumerate(known.steps) if n in known.done)
    steps = past + event.steps
    return replace(known, due=event.due, steps=steps, anchor=event.anchor, done=frozenset(range(len(past))))
