"""Who owes what to whom until when: opened, chased and ended from the state of the case, never by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal, assert_never

from domain.core.copying import replace
from domain.core.policy import OPENING, Ladder, Party, Policy

if TYPE_CHECKING:
    from domain.case.state import Case
    from domain.core.fact import Fact, Ids


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
    """One obligation as it stands. `done` are the steps taken or skipped; `by_hand`: people have set its instants."""

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

    @property
    def next_at(self) -> datetime:
        """When this obligation next does something by itself, while open."""
        return min([step.at for n, step in enumerate(self.steps) if n not in self.done] + [self.due])


def overdue_since(o: Obligation, obligations: Iterable[Obligation]) -> datetime | None:
    """When what `o` chases was due, None for what chases nothing."""
    if not o.kind.startswith("chase"):
        return None
    return max((m.due for m in obligations if m.state == "missed" and f"{m.kind}:{m.about}" == o.about), default=None)


@dataclass(frozen=True, slots=True)
class Owes:
    """A row of a stage's table: `owed` yields what about, `met` tells done from dropped, `due` anchors a date."""

    kind: str
    debtor: Party
    creditor: Party
    owed: Callable[[Case], Iterable[str]]
    met: Callable[[Case, str], bool]
    due: Callable[[Case, str], datetime | None] | None = None


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


def opened(row: Owes, about: str, case: Case, now: datetime, ids: Ids, policy: Policy) -> ObligationOpened:
    """The event that opens a row's obligation; steps that would already be past are left out."""
    anchor = row.due(case, about) if row.due else None
    due, steps = _instants(row, about, anchor, case, now, policy)
    return ObligationOpened(ids(), row.kind, about, row.debtor, row.creditor, due, steps, policy.hash, anchor)


def moved(o: Obligation, row: Owes, case: Case, now: datetime, policy: Policy) -> ObligationRedated | None:
    """The event for an open obligation whose date in the world is another by now; None = it stands as it was."""
    anchor = row.due(case, o.about) if row.due else None
    if anchor is None or anchor == o.anchor:
        return None
    due, steps = _instants(row, o.about, anchor, case, now, policy)
    return ObligationRedated(o.id, due, steps, "the date it rests on is another", anchor)


def reckoned_anew(o: Obligation, case: Case, now: datetime, policy: Policy, reason: str) -> ObligationRedated | None:
    """The event that reckons an open obligation by this policy, from its opening; None = nothing ahead would move.

    What people have set stays, and so does what the policy would put into the past: nobody is late by a new rule.
    """
    if o.state != "open" or o.by_hand or case.waits(o.kind, o.about):
        return None
    due, steps = _instants(o, o.about, o.anchor, case, o.opened_at, policy)
    ahead = tuple(s for s in steps if s.at > now)
    left = tuple(s for n, s in enumerate(o.steps) if n not in o.done)
    if due <= now or (due, ahead) == (o.due, left):
        return None
    return ObligationRedated(o.id, due, ahead, reason, o.anchor, policy.hash)


Instants = tuple[datetime, tuple[Step, ...]]


def _instants(
    row: Owes | Obligation, about: str, anchor: datetime | None, case: Case, now: datetime, policy: Policy
) -> Instants:
    ladder = _ladder(row.kind, about, case, now, policy)
    country = case.country_of(row.debtor, about, policy)
    due = _due(ladder, anchor, now, country, policy)
    start = due if ladder.before_due else now
    steps = (Step(policy.instant(start, r.after, country, OPENING), r.action, r.to) for r in ladder.rungs)
    return due, tuple(sorted((s for s in steps if now < s.at < due), key=lambda s: s.at))


def _ladder(kind: str, about: str, case: Case, opening: datetime, policy: Policy) -> Ladder:
    """The kind's ladder; what is chased again and again comes at ever longer intervals."""
    ladder = policy.ladders[kind]
    times = sum(o.kind == kind and o.about == about and o.opened_at < opening for o in case.obligations.values())
    return ladder.stretched(2 ** min(times, LONGEST)) if kind == "chase_again" else ladder


LONGEST = 3
"""How often the interval of `chase_again` doubles."""


def _due(ladder: Ladder, anchor: datetime | None, now: datetime, country: str, policy: Policy) -> datetime:
    if anchor is not None and anchor > now:
        return anchor
    if anchor is not None or ladder.due is None:
        ladder = policy.ladders["catch_up"]  # the facts came after the date they were due
    assert ladder.due is not None  # the policy reader refuses a catch_up without a due span
    return policy.instant(now, ladder.due, country)


def fallen_due(obligation: Obligation, now: datetime, policy: Policy) -> Sequence[Event]:
    """What time has brought for one open obligation: newest reminder, every escalation, the missed deadline."""
    past = [n for n, step in enumerate(obligation.steps) if n not in obligation.done and step.at <= now]
    missed = obligation.due <= now
    reminders = {obligation.steps[n].to: n for n in past if obligation.steps[n].action == "remind"}
    newest = set() if missed else set(reminders.values())  # one for each addressee
    events: list[Event] = []
    for n in past:
        step = obligation.steps[n]
        if step.action == "remind" and n not in newest:
            events.append(ObligationStepSkipped(obligation.id, n))
        else:
            events.append(ObligationStepTaken(obligation.id, n, now - step.at > policy.late_after))
    if missed:
        events.append(ObligationMissed(obligation.id, now - obligation.due > policy.late_after))
    return events
