"""Reckons when what is owed falls due: the instants, from a policy, a case and the date they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.case.obligation import (
    Event,
    Obligation,
    ObligationMissed,
    ObligationOpened,
    ObligationRedated,
    ObligationStepSkipped,
    ObligationStepTaken,
    Step,
)
from domain.case.state import Case
from domain.case.table import Owes
from domain.core.fact import Ids
from domain.core.policy import OPENING, Ladder, Policy


def opened(row: Owes, about: str, case: Case, now: datetime, ids: Ids, policy: Policy) -> ObligationOpened:
    """Return the event that opens a row's obligation; steps that would already be past are left out."""
    anchor = row.due(case, about) if row.due else None
    due, steps = _instants(row, about, anchor, case, now, policy)
    return ObligationOpened(ids(), row.kind, about, row.debtor, row.creditor, due, steps, policy.hash, anchor)


def moved(o: Obligation, row: Owes, case: Case, now: datetime, policy: Policy) -> ObligationRedated | None:
    """Return the event for an open obligation whose date in the world is another by now; None = it stands as it was."""
    anchor = row.due(case, o.about) if row.due else None
    if anchor is None or anchor == o.anchor:
        return None
    due, steps = _instants(row, o.about, anchor, case, now, policy)
    return ObligationRedated(o.id, due, steps, "the date it rests on is another", anchor)


def reckoned_anew(o: Obligation, case: Case, now: datetime, policy: Policy, reason: str) -> ObligationRedated | None:
    """Return the event that reckons an open obligation by this policy, from its opening; None = nothing would move.

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


def at_pace(o: Obligation, case: Case, now: datetime, policy: Policy, reason: str) -> ObligationRedated | None:
    """Return the event for an open obligation of a case whose urgency changed; None = it stays as it is.

    An urgent case's deadline only comes earlier: reckoned from its opening, or from now where that would be past.
    """
    if not case.urgent:
        return reckoned_anew(o, case, now, policy, reason)
    if o.state != "open" or o.by_hand or case.waits(o.kind, o.about):
        return None
    due, steps = _instants(o, o.about, o.anchor, case, o.opened_at, policy)
    if due <= now:
        due, steps = _instants(o, o.about, o.anchor, case, now, policy)
    ahead = tuple(s for s in steps if s.at > now)
    left = tuple(s for n, s in enumerate(o.steps) if n not in o.done)
    if due > o.due or (due, ahead) == (o.due, left):
        return None
    return ObligationRedated(o.id, due, ahead, reason, o.anchor, policy.hash)


Instants = tuple[datetime, tuple[Step, ...]]


def _instants(
    row: Owes | Obligation, about: str, anchor: datetime | None, case: Case, now: datetime, policy: Policy
) -> Instants:
    ladder = _ladder(row.kind, about, case, now, policy)
    country = case.country_of(row.debtor, about, policy)
    late = policy.ladder("catch_up", urgent=case.urgent)
    due = _due(ladder, late, anchor, now, country, policy)
    start = due if ladder.before_due else anchor if ladder.from_facts and anchor else now
    steps = (Step(policy.instant(start, r.after, country, OPENING), r.action, r.to) for r in ladder.rungs)
    return due, tuple(sorted((s for s in steps if now < s.at < due), key=lambda s: s.at))


def _ladder(kind: str, about: str, case: Case, opening: datetime, policy: Policy) -> Ladder:
    """The kind's ladder; what is chased again and again comes at ever longer intervals."""
    ladder = policy.ladder(kind, urgent=case.urgent)
    times = sum(o.kind == kind and o.about == about and o.opened_at < opening for o in case.obligations.values())
    return ladder.stretched(2 ** min(times, LONGEST)) if kind == "chase_again" else ladder


LONGEST = 3
"""How often the interval of `chase_again` doubles."""


def _due(
    ladder: Ladder, late: Ladder, anchor: datetime | None, now: datetime, country: str, policy: Policy
) -> datetime:
    if ladder.from_facts and ladder.due is not None and anchor is not None:
        due = policy.instant(anchor, ladder.due, country)
        if due > now:
            return due
    elif anchor is not None and anchor > now:
        return anchor
    if anchor is not None or ladder.due is None:
        ladder = late  # the facts came after the date they were due
    assert ladder.due is not None  # the policy reader refuses a catch_up without a due span
    return policy.instant(now, ladder.due, country)


def fallen_due(obligation: Obligation, now: datetime, policy: Policy) -> Sequence[Event]:
    """Return what time has brought for one open obligation: newest reminder, every escalation, the missed deadline."""
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
