"""Says what follows in a recall by itself: lots stopped, hospitals asked and chased, and its end; and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.case.effect import IMPLIED, Effect, EffectDelivered, EffectRequested, EffectWithdrawn
from domain.case.obligation import Obligation, ObligationMet, ObligationOpened, ObligationStepTaken, Step
from domain.case.reckoning import fallen_due
from domain.core.about import About
from domain.core.fact import Draft, Fact, Ids, Why
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.recalls.recall import Event, Hospital, Recall, RecallCentreReached, RecallEnded, RecallLotReached, evolve

OWED = "recall_acknowledgement"
STOP, ASK = "stop_lot", "ask_acknowledgement"
SAYS = {"remind": "remind_acknowledgement", "escalate": "escalate_acknowledgement"}
"""The step of a ladder → the effect that says so."""
KINDS = (STOP, ASK, *SAYS.values())
UNHEARD_OF = timedelta(minutes=11)
"""An effect that is due and of which nothing came for so long is looked after again, as a case's is."""
LOOKS_AGAIN = timedelta(hours=1)
"""It is looked at so often for what was linked or given meanwhile, a recall that has ended too [doses.recall-again]."""
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Reached:
    """Holds what the genealogy says a scope reaches now: lots, each hospital's cases, and the units of those."""

    lots: Sequence[str] = ()
    centres: Mapping[str, Sequence[str]] = field(default_factory=dict)
    units: Mapping[str, Sequence[str]] = field(default_factory=dict)


def advance(recall: Recall, reached: Reached, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    """Return every event that follows at `now`; a second call adds nothing. Raises RuntimeError without an end."""
    drafts: list[Draft[Event]] = []
    for _ in range(ROUNDS):
        new = _round(recall, reached, now, ids, policy)
        if not new:
            return drafts
        for event in new:
            draft = Draft(event, ids(), None, Why("recall_follows", 1, policy.hash, now, ()))
            drafts.append(draft)
            version = recall.version + 1
            recall = evolve(recall, Fact(event, draft.id, version, now, When.at(now), "engine", draft.why))
    raise RuntimeError("a recall that does not come to rest")


def _round(recall: Recall, reached: Reached, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    if not recall.version or (recall.over and recall.drill):
        return []
    found = _reached(recall, reached)
    if recall.over:
        return found
    return (
        found
        or _time(recall, now, ids, policy)
        or _asked(recall, ids)
        or _owed(recall, now, ids, policy)
        or _over(recall)
    )


def _reached(recall: Recall, reached: Reached) -> Sequence[Event]:
    """Whatever is found later is reached too; a hospital with another patient, or another unit, is asked again."""
    events: list[Event] = [RecallLotReached(lot) for lot in reached.lots if lot not in recall.lots]
    for centre, cases in reached.centres.items():
        known = recall.hospitals.get(centre, Hospital(frozenset()))
        new, units = sorted(set(cases) - known.cases), sorted(set(reached.units.get(centre, ())) - known.units)
        if new or (units and known.units):
            events.append(RecallCentreReached(centre, tuple(new), tuple(units)))
    return events


def _time(recall: Recall, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    events: list[Event] = []
    for owed in _open(recall):
        for event in fallen_due(owed, now, policy):
            events.append(event)
            if isinstance(event, ObligationStepTaken):
                step = owed.steps[event.step]
                events.append(EffectRequested(ids(), SAYS[step.action], f"{owed.id}/{event.step}", step.to))
    return events


def _asked(recall: Recall, ids: Ids) -> Sequence[Event]:
    """Ask for what is wanted and was not asked; end what is still to be sent to a hospital that has answered."""
    wanted = {(ASK, _about(recall, centre)): Party.HOSPITAL for centre in recall.waiting}
    if not recall.drill:
        wanted |= {(STOP, lot): Party.SUPERVISOR for lot in recall.lots}
    asked = {(e.kind, e.about) for e in recall.effects.values()}
    events: list[Event] = [EffectRequested(ids(), kind, about, to) for (kind, about), to in wanted.items()
                           if (kind, about) not in asked]  # fmt: skip
    for e in recall.effects.values():
        if e.pending and e.kind == ASK and (e.kind, e.about) not in wanted:
            events.append(EffectDelivered(e.id, e.tries, IMPLIED))
        elif e.pending and e.kind in SAYS.values() and centre_of(recall, e) not in recall.waiting:
            events.append(EffectWithdrawn(e.id))
    return events


def _about(recall: Recall, centre: str) -> str:
    """A hospital, and how many patients and units it is asked about: with another of them it is asked again."""
    known = recall.hospitals[centre]
    return f"{centre}/{len(known.cases) + len(known.units)}"


def centre_of(recall: Recall, effect: Effect) -> str:
    """Return the hospital an effect is about; empty for a lot's."""
    if effect.kind == ASK:
        return About.of(effect.about).id
    owed = recall.obligations.get(About.of(effect.about).id)
    return owed.about if owed else ""


def _owed(recall: Recall, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Each hospital that has not acknowledged owes that, and again after each deadline it missed."""
    owing = {owed.about for owed in _open(recall)}
    events: list[Event] = [ObligationMet(owed.id) for owed in _open(recall) if owed.about not in recall.waiting]
    events += [_opened(centre, now, ids, policy) for centre in recall.waiting if centre not in owing]
    return events


def _opened(centre: str, now: datetime, ids: Ids, policy: Policy) -> ObligationOpened:
    ladder = policy.ladder(OWED, urgent=False)
    assert ladder.due is not None  # the policy reader refuses a ladder of this kind without
    steps = (Step(policy.instant(now, rung.after, ""), rung.action, rung.to) for rung in ladder.rungs)
    due = policy.instant(now, ladder.due, "")
    return ObligationOpened(ids(), OWED, centre, Party.HOSPITAL, Party.SUPERVISOR, due, tuple(steps), policy.hash)


def _over(recall: Recall) -> Sequence[Event]:
    done = not recall.waiting and all(recall.stopped(lot) for lot in recall.lots)
    return [RecallEnded()] if done else []


def _open(recall: Recall) -> Iterable[Obligation]:
    return [owed for owed in recall.obligations.values() if owed.state == "open"]


def wake_at(recall: Recall, now: datetime) -> datetime | None:
    """Return when time alone may bring something; None once a drill has ended."""
    if ended(recall):
        return None if recall.drill else now + LOOKS_AGAIN
    pending = [e for e in recall.effects.values() if e.pending]
    again = [e.not_before if e.not_before and not e.due(now) else now + UNHEARD_OF for e in pending]
    instants = [now + LOOKS_AGAIN, *(owed.next_at for owed in _open(recall)), *again]
    return min(t for t in instants if t > now)


def ended(recall: Recall) -> bool:
    """Return whether nothing is owed and nothing is still to be done; its loop may end until it is looked at again."""
    return recall.over and not any(e.pending for e in recall.effects.values())


def read_model(recall: Recall) -> Mapping[str, Any]:
    """Return the row of a recall in the list: what it reaches and how far it is; no case, no name."""
    return {
        "scope": recall.scope,
        "drill": recall.drill,
        "state": "ended" if recall.over else "open",
        "opened_at": recall.opened_at,
        "lots": {lot: recall.stopped(lot) for lot in recall.lots},
        "waiting": recall.waiting,
        "acknowledged": sorted(name for name, one in recall.hospitals.items() if one.acknowledged),
    }
