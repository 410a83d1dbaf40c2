"""Adds what follows by itself: rules, what is owed, what is asked of the world, until nothing more follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from domain.case.effect import IMPLIED, Effect, EffectDelivered, EffectRequested, EffectWithdrawn
from domain.case.obligation import (
    Obligation,
    ObligationMet,
    ObligationMissed,
    ObligationOpened,
    ObligationRedated,
    ObligationStepSkipped,
    ObligationStepTaken,
    ObligationWithdrawn,
)
from domain.case.reckoning import fallen_due, moved, opened
from domain.case.state import Case
from domain.case.table import Owes, Rule, Wants
from domain.core.about import About, chased
from domain.core.fact import Draft, Event, Fact, Ids, Why
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.engine.evolve import evolve
from domain.journey import OWES, RULES, WANTS

ROUNDS = 50
CHASED = ("chase", "chase_again")


class NoFixpoint(Exception):
    """Rules undo each other; the message names them."""


def advance(
    case: Case, now: datetime, ids: Ids, policy: Policy, rules: Sequence[Rule] | None = None
) -> Sequence[Draft[Event]]:
    """Return every event that follows from the facts and from time at `now`. A second call adds nothing.

    `rules` are tried in the place of the table's own, None = those.
    """
    drafts: list[Draft[Event]] = []
    for _ in range(ROUNDS):
        new = _round(case, now, ids, policy, RULES if rules is None else rules)
        if not new:
            return drafts
        for draft in new:
            case = evolve(case, as_fact(draft, case.version + 1, now))
        drafts += new
    fired = {f"{d.why.rule}: {d.event.type}" for d in drafts[-20:] if d.why}
    raise NoFixpoint(f"no end after {ROUNDS} rounds: {', '.join(sorted(fired))}")


def as_fact(draft: Draft[Event], version: int, now: datetime, actor: str = "") -> Fact[Event]:
    """Return a draft as the fold will see it once recorded by that actor."""
    occurred = draft.occurred or When.at(now)
    return Fact(
        draft.event, draft.id, version, now, occurred, "engine" if draft.why else actor, draft.why, draft.corrects
    )


TIME = Rule(
    "time_passed",
    1,
    lambda *_: (),
    brings=(ObligationStepTaken, ObligationStepSkipped, ObligationMissed, EffectRequested),
)
OBLIGATIONS_DUE = Rule(
    "what_is_owed",
    1,
    lambda *_: (),
    brings=(ObligationOpened, ObligationRedated, ObligationMet, ObligationWithdrawn),
)
EFFECTS_DUE = Rule("what_is_asked", 1, lambda *_: (), brings=(EffectRequested, EffectDelivered, EffectWithdrawn))
ALWAYS = (TIME, OBLIGATIONS_DUE, EFFECTS_DUE)
"""What follows at every stage, after the stages' own rules."""


def _round(case: Case, now: datetime, ids: Ids, policy: Policy, rules: Sequence[Rule]) -> list[Draft[Event]]:
    """The first table with something to say; later tables see a case the earlier ones have settled."""
    if case.version == 0:
        return []
    return next((new for rule in (*rules, *ALWAYS) if (new := follows(rule, case, now, ids, policy))), [])


def follows(rule: Rule, case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Return what one rule says of a case at `now`, once."""
    table = TABLES.get(rule.name)
    if table:
        return table(case, now, ids, policy)
    return [_draft(case, event, rule, now, ids, policy) for event in rule.follows(case, now, ids, policy)]


def _draft(case: Case, event: Event, rule: Rule, now: datetime, ids: Ids, policy: Policy) -> Draft[Event]:
    rests_on = tuple(dict.fromkeys(case.seen[t] for t in rule.rests_on if t in case.seen))
    return Draft(event, ids(), None, Why(rule.name, rule.version, policy.hash, now, rests_on))


def _time(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Steps and deadlines that fell due; a taken step asks for its message at once."""
    drafts: list[Draft[Event]] = []
    for o in case.obligations.values():
        if o.state != "open" or case.waits(o.kind, o.about):
            continue
        for event in fallen_due(o, now, policy):
            drafts.append(_draft(case, event, TIME, now, ids, policy))
            if isinstance(event, ObligationStepTaken):
                step = o.steps[event.step]
                message = EffectRequested(ids(), step.action, f"{o.id}/{event.step}", step.to)
                drafts.append(_draft(case, message, TIME, now, ids, policy))
    return drafts


def _obligations_due(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Open what is owed and not open, move what rests on another date now, end what is no longer owed."""
    owed = {(row.kind, about): row for row in OWES for about in row.owed(case)}
    newest = {(o.kind, o.about): o for o in case.obligations.values()}
    owed |= {("chase_again" if again else "chase", about): row for again, about, row in _overdue(newest, owed)}
    events: list[Event] = []
    for (kind, about), row in owed.items():
        known = newest.get((kind, about))
        if known is None or known.state in ("met", "withdrawn") or (known.state == "missed" and kind in CHASED):
            events.append(opened(row, about, case, now, ids, policy))
        elif known.state == "open" and (redated := moved(known, row, case, now, policy)):
            events.append(redated)
    events += [_ended(case, o) for o in _no_longer(case.obligations.values(), owed)]
    return [_draft(case, event, OBLIGATIONS_DUE, now, ids, policy) for event in events]


Newest = Mapping[tuple[str, str], Obligation]
Owed = Mapping[tuple[str, str], Owes]


def _no_longer(obligations: Iterable[Obligation], owed: Owed) -> Sequence[Obligation]:
    return [o for o in obligations if o.state == "open" and (o.kind, o.about) not in owed]


def _ended(case: Case, o: Obligation) -> ObligationMet | ObligationWithdrawn:
    kind, about = chased(o.about) if o.kind in CHASED else (o.kind, o.about)
    done = any(row.met(case, about) for row in OWES if row.kind == kind)
    return ObligationMet(o.id) if done else ObligationWithdrawn(o.id)


def _overdue(newest: Newest, owed: Owed) -> Iterable[tuple[bool, str, Owes]]:
    """What was missed and is still owed: a coordinator chases it, then a supervisor, until it is settled."""
    for kind, about in owed:
        if _missed(newest, kind, about) and kind not in CLOSES_BY_ITSELF:
            name = f"{kind}:{about}"
            again = _missed(newest, "chase", name)
            debtor, creditor = (Party.SUPERVISOR, Party.FAMILY) if again else (Party.COORDINATOR, Party.SUPERVISOR)
            row = Owes("chase_again" if again else "chase", debtor, creditor, lambda _: (), lambda *_: False)
            yield again, name, row


def _missed(newest: Newest, kind: str, about: str) -> bool:
    known = newest.get((kind, about))
    return known is not None and known.state == "missed"


CLOSES_BY_ITSELF = ("family_reply", "visit")
"""Missing these already has its own consequence."""


def _effects_due(case: Case, now: datetime, ids: Ids, policy: Policy) -> list[Draft[Event]]:
    """Ask for what is wanted and was not asked; end what was asked, is pending, and answered or no longer wanted."""
    asked = {(e.kind, e.about) for e in case.effects.values() if e.state != "withdrawn"}
    reached = [row for row in WANTS if not (_forgotten(case, row.to) or _unshared(case, row.to))]
    wanted = {(row.kind, about): row for row in reached for about in row.wanted(case)}
    events: list[Event] = [
        EffectRequested(ids(), kind, about, row.to)
        for (kind, about), row in wanted.items()
        if (kind, about) not in asked and not case.waits(kind)
    ]

    def dropped(e: Effect) -> bool:
        return e.kind in ROW_OF and (e.kind, e.about) not in wanted

    for e in case.effects.values():
        if e.pending and (row := ROW_OF.get(e.kind)) and row.answered(case, e.about):
            events.append(EffectDelivered(e.id, e.tries, IMPLIED))
        elif (e.pending and (dropped(e) or _silenced(case, e))) or _unsendable(case, e):
            events.append(EffectWithdrawn(e.id))
    return [_draft(case, event, EFFECTS_DUE, now, ids, policy) for event in events]


ROW_OF: Mapping[str, Wants] = {row.kind: row for row in WANTS}


def _forgotten(case: Case, to: Party) -> bool:
    """Nobody has their address any more, or is to use it."""
    going = case.erasure.going if case.erasure else ()
    return "identity" in going and to in (Party.FAMILY, Party.HOME_ONCOLOGIST)


def _unshared(case: Case, to: Party) -> bool:
    """Nothing is asked of or sent to the doctor at home without consent to share [people.consent-doctor]."""
    return to is Party.HOME_ONCOLOGIST and not case.shares_with_doctor


def _unsendable(case: Case, e: Effect) -> bool:
    """Something would still be sent, or a person asked what became of it, for an address nobody has."""
    unfinished = e.state in ("requested", "unknown") or (e.state == "refused" and not e.settled)
    return unfinished and _forgotten(case, e.to)


def _silenced(case: Case, e: Effect) -> bool:
    """A reminder of what is no longer owed, or to whom nothing may be sent; who is called in hears all the same."""
    known = case.obligations.get(About.of(e.about).id)
    return e.kind == "remind" and (known is None or known.state != "open" or _unshared(case, e.to))


TABLES: Mapping[str, Callable[[Case, datetime, Ids, Policy], list[Draft[Event]]]] = {
    TIME.name: _time,
    OBLIGATIONS_DUE.name: _obligations_due,
    EFFECTS_DUE.name: _effects_due,
}
"""What is said by the rows of OWES and WANTS, and by the obligations themselves."""
