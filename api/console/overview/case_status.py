"""Says where a case stands: its stages with how long each took, what it waits for and what comes if nothing does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.console.text.fact_text import FactWriter
from api.console.text.times import ViewerClock
from domain.case.effect import Effect
from domain.case.obligation import Obligation, overdue_since
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.about import chased
from domain.core.fact import ENGINE, Fact
from domain.engine.advance import CLOSES_BY_ITSELF
from domain.engine.agenda import agenda
from domain.journey import MODULES, OWES
from domain.stages.anytime.moving import missing, next_stage

ENTERS = ("StageEntered", "FactsImported")
"""The events after which a case stands at another stage."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage of this journey: past, now or to come."""

    stage: str
    words: str
    state: str
    spent: str
    entered: datetime | None


@dataclass(frozen=True, slots=True)
class OpenObligation:
    """One thing that is owed, and what happens by itself if nothing comes; `kind` and `subject` of what is chased."""

    id: str
    kind: str
    subject: str
    words: str
    about: str
    owes: str
    due: datetime
    urgency: str
    coming: Sequence[str]
    sent: int
    group: str


@dataclass(frozen=True, slots=True)
class OpenEffect:
    """One thing that is being asked of the world."""

    words: str
    to: str
    state: str
    since: datetime
    again: datetime | None
    tries: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """Names something the next stage waits for."""

    words: str
    waivable: bool


@dataclass(frozen=True, slots=True)
class StagedFact:
    """A fact with the stage in which it was recorded."""

    fact: Fact[Any]
    stage: Stage

    @property
    def by(self) -> str:
        """Return who recorded it; the engine for what follows by itself."""
        return self.fact.actor if self.fact.told else ENGINE


def staged(facts: Sequence[Fact[Any]]) -> Sequence[StagedFact]:
    """Return the facts of a case in their order, each with its stage; the one that enters a stage belongs to it."""
    stage, found = Stage.INQUIRY, list[StagedFact]()
    for fact in facts:
        if fact.event.type in ENTERS:
            stage = fact.event.stage
        found.append(StagedFact(fact, stage))
    return found


def legs(case: Case, facts: Sequence[Fact[Any]], clock: ViewerClock) -> Sequence[Leg]:
    """Return every stage in journey order; time spent in a stage that was entered twice counts together."""
    spent: dict[Stage, float] = {}
    first: dict[Stage, datetime] = {}
    stage, since = Stage.INQUIRY, facts[0].at
    for at, entered in [*_moves(facts), (clock.now, case.stage)]:
        spent[stage] = spent.get(stage, 0) + (at - since).total_seconds()
        first.setdefault(stage, since)
        stage, since = entered, at
    ahead = [s for s in Stage if s in first or _ahead(case, s)]
    return [_leg(case, s, spent.get(s), first.get(s), clock) for s in ahead]


def _moves(facts: Sequence[Fact[Any]]) -> Sequence[tuple[datetime, Stage]]:
    return [(f.at, f.event.stage) for f in facts if f.event.type in ENTERS]


def _ahead(case: Case, stage: Stage) -> bool:
    """Re-dosing and closing are not on everybody's way."""
    return stage.rank > case.stage.rank and stage not in (Stage.REDOSING, Stage.CLOSED) and case.exit is None


def _leg(case: Case, stage: Stage, spent: float | None, entered: datetime | None, clock: ViewerClock) -> Leg:
    state = "now" if stage is case.stage else "past" if spent is not None else "ahead"
    length = clock.span(timedelta(seconds=spent)) if spent is not None else ""
    return Leg(stage.value, clock.t.named("stage", stage.value), state, length, entered)


GROUP_OF: Mapping[str, str] = {
    row.kind: row.settled_in or group for group, module in MODULES.items() for row in getattr(module, "OWES", ())
}
"""Which part of the journey an obligation belongs to: where what settles it is found."""
assert set(GROUP_OF) == {row.kind for row in OWES}


def waits(case: Case, now: datetime, speaker: FactWriter) -> Sequence[OpenObligation]:
    """List what is owed, the next first."""
    every = case.obligations.values()
    owed = [(overdue_since(o, every), o) for o in agenda(case, now).obligations]
    return [_wait(o, since, speaker) for since, o in sorted(owed, key=lambda one: one[0] or one[1].due)]


def _wait(o: Obligation, since: datetime | None, speaker: FactWriter) -> OpenObligation:
    clock, t = speaker.clock, speaker.clock.t
    root, subject = chased(o.about) if o.kind.startswith("chase") else (o.kind, o.about)
    words = t.named("owed", root)
    about = speaker.label(o.about)
    return OpenObligation(
        o.id,
        root,
        subject,
        t("worklist.chase", what=words) if root != o.kind else words,
        about if about != o.about and not about.endswith("…") else "",
        t("case.owes", debtor=t.named("party", o.debtor), creditor=t.named("party", o.creditor)),
        since or o.due,
        clock.urgency(since or o.due),
        [*_steps(o, clock), _at_the_end(o, clock)],
        len(o.done),
        GROUP_OF.get(root, "notes"),
    )


def _steps(o: Obligation, clock: ViewerClock) -> Sequence[str]:
    ahead = [step for n, step in enumerate(o.steps) if n not in o.done]
    t = clock.t
    return [t(f"case.step_{s.action}", at=clock.instant(s.at), to=t.named("party", s.to)) for s in ahead]


def _at_the_end(o: Obligation, clock: ViewerClock) -> str:
    """What missing the deadline brings, by the tables of domain/engine/advance.py."""
    t = clock.t
    if o.kind in CLOSES_BY_ITSELF:
        then = "case.then_closes" if o.kind == "family_reply" else "case.then_visit"
    else:
        then = "case.then_chase_again" if o.kind.startswith("chase") else "case.then_chase"
    return f"{t('case.missed', at=clock.instant(o.due))}; {t(then)}"


def askings(case: Case, speaker: FactWriter) -> Sequence[OpenEffect]:
    """List what is asked of the world: under way, or with a fate nobody knows."""
    return [_asking(e, speaker) for e in case.effects.values() if e.pending or (e.state == "unknown" and not e.settled)]


def _asking(e: Effect, speaker: FactWriter) -> OpenEffect:
    t = speaker.clock.t
    return OpenEffect(
        t.named("effect", e.kind),
        t.named("party", e.to),
        t.named("state", e.state),
        e.requested_at,
        e.not_before,
        e.tries,
    )


def lacking(case: Case, now: datetime, clock: ViewerClock) -> tuple[str, Sequence[Lacking]]:
    """Return the next stage's name, and what is missing for it."""
    onward = next_stage(case) if case.exit is None else None
    if onward is None:
        return "", []
    needs = [Lacking(clock.t.named("need", n.name), n.waivable) for n in missing(case, now)]
    return clock.t.named("stage", onward.value), needs
