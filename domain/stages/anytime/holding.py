"""The clock in people's hands: hold and resume a case, snooze reminders, move a deadline, apply a new policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.case.obligation import Obligation, ObligationRedated
from domain.case.reckoning import reckoned_anew
from domain.case.stage import EVERY_STAGE, Stage, stages
from domain.case.state import NEVER_HELD, Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.roles import Action


@dataclass(frozen=True, slots=True)
class HoldCase:
    """Stop moving on and stop reminding, until resumed."""

    reason: Clinical
    type: Literal["HoldCase"] = "HoldCase"


@dataclass(frozen=True, slots=True)
class ResumeCase:
    """Go on; what was owed is put off by as long as the hold lasted, except what ends by itself in the world."""

    type: Literal["ResumeCase"] = "ResumeCase"


@dataclass(frozen=True, slots=True)
class Snooze:
    """No reminders of this obligation before `until`; its deadline and who is called in stay."""

    obligation: str
    until: datetime
    reason: str
    type: Literal["Snooze"] = "Snooze"


@dataclass(frozen=True, slots=True)
class Redate:
    """A supervisor moves a deadline."""

    obligation: str
    due: datetime
    reason: str
    type: Literal["Redate"] = "Redate"


@dataclass(frozen=True, slots=True)
class ApplyPolicy:
    """A supervisor has every open obligation of the case reckoned by the policy with this hash (SHA-256, hex)."""

    policy: str
    reason: str
    type: Literal["ApplyPolicy"] = "ApplyPolicy"


Command = HoldCase | ResumeCase | Snooze | Redate | ApplyPolicy


@dataclass(frozen=True, slots=True)
class CaseHeld:
    """The case stands still; `round` counts the holds."""

    reason: Clinical
    round: int
    type: Literal["CaseHeld"] = "CaseHeld"


@dataclass(frozen=True, slots=True)
class CaseResumed:
    """The case moves again."""

    type: Literal["CaseResumed"] = "CaseResumed"


Event = CaseHeld | CaseResumed

TAKES = (
    Takes(HoldCase, (CaseHeld,), at=stages(Stage.INQUIRY, Stage.FOLLOW_UP), settles=("closed_door",)),
    Takes(
        ResumeCase,
        (CaseResumed, ObligationRedated),
        at=stages(Stage.INQUIRY, Stage.FOLLOW_UP),
        settles=("hold_review",),
    ),
    Takes(Snooze, (ObligationRedated,), at=EVERY_STAGE),
    Takes(Redate, (ObligationRedated,), at=EVERY_STAGE, by=Action.SUPERVISE),
    Takes(ApplyPolicy, (ObligationRedated,), at=EVERY_STAGE, by=Action.SUPERVISE),
)


def decide(
    case: Case, command: Command, now: datetime, ids: Ids, policy: Policy
) -> Sequence[Event | ObligationRedated]:
    """Decide a command about the clock: return the events it brings about. Raises Refused."""
    match command:
        case HoldCase():
            require(case.on_hold is None, Reason.ALREADY, "the case is on hold")
            require(case.exit is None, Reason.NOT_NOW, "the journey was left")
            return [CaseHeld(command.reason, case.hold_round + 1)]
        case ResumeCase():
            return _resume(case, now)
        case Snooze():
            return [_snooze(case, command, now)]
        case Redate():
            return [_redate(case, command, now)]
        case ApplyPolicy():
            require(command.policy == policy.hash, Reason.STALE, "another policy is in use here by now", "policy")
            require(command.reason, Reason.INVALID, "deadlines move for a reason", "reason")
            return reckoned_by(case, now, policy, command.reason)
        case _:
            assert_never(command)


def _resume(case: Case, now: datetime) -> Sequence[Event | ObligationRedated]:
    if case.on_hold is None:
        raise Refused(Reason.NOT_NOW, "the case is not on hold")
    counted = [o for o in case.obligations.values() if o.state == "open" and o.anchor is None]
    return [CaseResumed(), *(_put_off(o, case.on_hold, now) for o in counted if o.kind not in NEVER_HELD)]


def _put_off(o: Obligation, since: datetime, now: datetime) -> ObligationRedated:
    by = now - max(since, o.opened_at)
    ahead = tuple(replace(s, at=s.at + by) for n, s in enumerate(o.steps) if n not in o.done)
    return ObligationRedated(o.id, o.due + by, ahead, "hold", o.anchor)


def _open_obligation(case: Case, obligation: str) -> Obligation:
    known = case.obligations.get(obligation)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such obligation in this case", "obligation")
    require(known.state == "open", Reason.NOT_NOW, f"the obligation is {known.state}", "obligation")
    return known


def _snooze(case: Case, c: Snooze, now: datetime) -> ObligationRedated:
    known = _open_obligation(case, c.obligation)
    require(now < c.until, Reason.INVALID, "that lies in the past", "until")
    require(c.until < known.due, Reason.INVALID, "a snooze ends before the deadline; redate it instead", "until")
    left = [s for n, s in enumerate(known.steps) if n not in known.done]
    early = [s for s in left if s.at < c.until and s.action == "remind"]
    kept = [s for s in left if s not in early] + [replace(s, at=c.until) for s in early[-1:]]
    return ObligationRedated(known.id, known.due, tuple(sorted(kept, key=lambda s: s.at)), c.reason, known.anchor)


def _redate(case: Case, c: Redate, now: datetime) -> ObligationRedated:
    """Steps move with a deadline put off; brought forward, reminders beyond it fall away, escalations do not."""
    known = _open_obligation(case, c.obligation)
    require(now < c.due, Reason.INVALID, "a deadline lies ahead", "due")
    by = max(c.due - known.due, timedelta(0))
    left = [replace(s, at=s.at + by) for n, s in enumerate(known.steps) if n not in known.done]
    ahead = [replace(s, at=min(s.at, c.due)) for s in left if s.at < c.due or s.action == "escalate"]
    return ObligationRedated(known.id, c.due, tuple(ahead), c.reason, known.anchor)


def reckoned_by(case: Case, now: datetime, policy: Policy, reason: str) -> Sequence[ObligationRedated]:
    """Return what of the case's open obligations this policy would re-date."""
    found = (reckoned_anew(o, case, now, policy, reason) for o in case.obligations.values())
    return [event for event in found if event is not None]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about the clock."""
    event = fact.event
    match event:
        case CaseHeld():
            return replace(case, on_hold=fact.at, hold_round=event.round)
        case CaseResumed():
            return replace(case, on_hold=None)
        case _:
            assert_never(event)


OWES = (
    Owes(
        "hold_review",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: [str(c.hold_round)] if c.on_hold else [],
        lambda c, _: c.on_hold is None and not c.exit,
    ),
)
