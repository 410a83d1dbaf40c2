"""Tells the engine what it must know of a case: what is owed, what to do now, and when to attend again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.case.effect import Effect
from domain.case.obligation import Obligation
from domain.case.stage import Stage
from domain.case.state import Case
from domain.journey import RULES

UNHEARD_OF = timedelta(minutes=11)
"""An effect that is due and of which nothing came for so long is looked after again: no attempt lasts longer
(workflows/journey.py), so whoever was to make it is gone."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """Open obligations by next instant, effects due now, and the next instant at which time alone changes something."""

    stage: Stage
    version: int
    obligations: tuple[Obligation, ...]
    effects: tuple[Effect, ...]
    wake_at: datetime | None
    ended: bool


def agenda(case: Case, now: datetime) -> Agenda:
    """Return the agenda of an advanced case; needs no policy, since every obligation carries its own instants."""
    owed = tuple(sorted((o for o in case.obligations.values() if o.state == "open"), key=lambda o: o.next_at))
    due = tuple(e for e in case.effects.values() if e.due(now))
    return Agenda(case.stage, case.version, owed, due, wake_at(case, now), not case.open)


def wake_at(case: Case, now: datetime) -> datetime | None:
    """Return the first instant after `now` at which a rule, a step or a retry may have something to say, if any."""
    return min((t for t in _instants(case, now) if t is not None and t > now), default=None)


def _instants(case: Case, now: datetime) -> Iterable[datetime | None]:
    for o in case.obligations.values():
        if o.state == "open" and not case.waits(o.kind, o.about):
            yield o.next_at
    for e in case.effects.values():
        if e.pending:
            yield now + UNHEARD_OF if e.due(now) else e.not_before
    for rule in RULES:
        yield from rule.at(case)
