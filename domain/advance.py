"""What follows by itself: rules, then what is owed, then what is asked of the world, until nothing more follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.case import Event, evolve
from domain.effects import EffectRequested, EffectWithdrawn
from domain.fact import Draft, Fact, Ids, Why
from domain.journey import OWES, RULES, WANTS
from domain.obligations import (
    Obligation,
    ObligationMet,
    ObligationStepTaken,
    ObligationWithdrawn,
    Owes,
    fallen_due,
    opened,
)
from domain.policy import Party, Policy
from domain.state import Case
from domain.table import Rule
from domain.when import When

ROUNDS = 50
CHASED = ("chase", "chase_again")


class NoFixpoint(Exception):
    """Rules undo each other; the message names them."""


def advance(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    """Every event that follows from the facts and from time at `now`. A second call adds nothing."""
    drafts: list[Draft[Event]] = []
    fired: list[str] = []
    for _ in range(ROUNDS):
        new = _round(case, now, ids, policy)
        if not new:
            return drafts
        fired += [d.why.rule for d in new if d.why]
        for draft in new:
            case = evolve(case, as_fact(draft, case.version + 1, now))
        drafts += new
    raise NoFixpoint(f"no end after {ROUNDS} rounds: {', '.join(sorted(set(fired[-20:])))}")


def as_fact(draft: Draft[Event], version: int, now: datetime) -> Fact[Event]:
    """A draft as the fold will see it once recorded."""
    occurred = draft.occurred or When.at(now)
    actor = "engine" if draft.why else ""
    return Fact(draft.event, draft.id, version, now, occurred, actor, draft.why, draft.corrects)


def _round(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """The first table with something to say; later tables see a case the earlier ones have settled."""
    if case.version == 0:
        return []
    for rule in RULES:
        if events := rule.follows(case, now, ids, policy):
            return [_draft(case, event, rule, now, ids, policy) for event in events]
    return _time(case, now, ids, policy) or _debts(case, now, ids, policy) or _wishes(case, now, ids, policy)


TIME = Rule("time_passed", 1, lambda *_: [])
DEBTS = Rule("what_is_owed", 1, lambda *_: [])
WISHES = Rule("what_is_asked", 1, lambda *_: [])


def _draft(case: Case, event: Event, rule: Rule, now: datetime, ids: Ids, policy: Policy) -> Draft[Event]:
    rests_on = tuple(dict.fromkeys(case.seen[t] for t in rule.rests_on if t in case.seen))
    return Draft(event, ids(), None, Why(rule.name, rule.version, policy.hash, now, rests_on))


def _time(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Steps and deadlines that fell due; a taken step asks for its message at once."""
    drafts: list[Draft[Event]] = []
    for o in case.obligations.values():
        if o.state != "open" or (case.on_hold is not None and o.kind != "hold_review"):
            continue
        for event in fallen_due(o, now, policy):
            drafts.append(_draft(case, event, TIME, now, ids, policy))
            if isinstance(event, ObligationStepTaken):
                step = o.steps[event.step]
                message = EffectRequested(ids(), step.action, f"{o.id}/{event.step}", step.to)
                drafts.append(_draft(case, message, TIME, now, ids, policy))
    return drafts


def _debts(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Open what is owed and not open, end what is open and no longer owed."""
    owed = {(row.kind, about): row for row in OWES for about in row.owed(case)}
    owed |= {("chase_again" if again else "chase", about): row for again, about, row in _overdue(case, owed)}
    events: list[Event] = []
    for (kind, about), row in owed.items():
        newest = case.latest(kind, about)
        if newest is None or newest.state in ("met", "withdrawn") or (newest.state == "missed" and kind in CHASED):
            events.append(opened(row, about, case, now, ids, policy))
    events += [_ended(case, o, owed) for o in _no_longer(case.obligations.values(), owed)]
    return [_draft(case, event, DEBTS, now, ids, policy) for event in events]


def _no_longer(all_of: Iterable[Obligation], owed: dict[tuple[str, str], Owes]) -> Sequence[Obligation]:
    return [o for o in all_of if o.state == "open" and (o.kind, o.about) not in owed]


def _ended(case: Case, o: Obligation, owed: dict[tuple[str, str], Owes]) -> ObligationMet | ObligationWithdrawn:
    if o.kind in CHASED:
        kind, about = o.about.split(":", 1)
        done = _met(case, kind, about)
    else:
        done = _met(case, o.kind, o.about)
    return ObligationMet(o.id) if done else ObligationWithdrawn(o.id)


def _met(case: Case, kind: str, about: str) -> bool:
    return any(row.met(case, about) for row in OWES if row.kind == kind)


def _overdue(case: Case, owed: dict[tuple[str, str], Owes]) -> Iterable[tuple[bool, str, Owes]]:
    """What was missed and is still owed: a coordinator chases it, then a supervisor, until it is settled."""
    for kind, about in owed:
        if case.missed(kind, about) and kind not in CLOSES_BY_ITSELF:
            name = f"{kind}:{about}"
            again = case.missed("chase", name)
            debtor, creditor = (Party.SUPERVISOR, Party.FAMILY) if again else (Party.COORDINATOR, Party.SUPERVISOR)
            yield again, name, Owes("chase_again" if again else "chase", debtor, creditor, _nothing, lambda *_: False)


def _nothing(_: Case) -> Iterable[str]:
    return ()


CLOSES_BY_ITSELF = ("family_reply",)
"""Missing these already has its own consequence."""


def _wishes(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Ask for what is wanted and was not asked; withdraw what was asked, not delivered, and is no longer wanted."""
    asked = {(e.kind, e.about) for e in case.effects.values() if e.state != "withdrawn"}
    wanted = {(row.kind, about): row.to for row in WANTS for about in row.wanted(case)}
    kinds = {row.kind for row in WANTS}
    events: list[Event] = [
        EffectRequested(ids(), kind, about, to) for (kind, about), to in wanted.items() if (kind, about) not in asked
    ]
    for e in case.effects.values():
        pending = e.state == "requested" or (e.state == "unknown" and e.not_before is not None)
        dropped = e.kind in kinds and (e.kind, e.about) not in wanted
        silenced = e.kind == "remind" and not _still_open(case, e.about)
        if pending and (dropped or silenced):
            events.append(EffectWithdrawn(e.id))
    return [_draft(case, event, WISHES, now, ids, policy) for event in events]


def _still_open(case: Case, about: str) -> bool:
    known = case.obligations.get(about.split("/", maxsplit=1)[0])
    return known is not None and known.state == "open"
