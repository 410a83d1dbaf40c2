"""Puts the cohorts of a trial into lines of its page: how full each is, what holds it, whose day is next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.console.text.times import ViewerClock
from domain.catalogue.protocol import Protocol
from domain.catalogue.protocols.cohorts import Subject, TrialCohort
from domain.catalogue.protocols.seats import seats


@dataclass(frozen=True, slots=True)
class CohortLine:
    """One cohort; `taken` counts who has a place, `next_from` is empty where no day is to be waited for.

    `touched`: those without cells yet, whom a lower level would set back.
    """

    number: int
    level: str
    size: int
    taken: int
    opened: str
    why: str
    held: str
    stopped: bool
    next_from: str
    reviews: Sequence[tuple[str, str, str]]
    subjects: Sequence[tuple[str, str, str]]
    touched: int


def cohort_lines(state: Protocol, clock: ViewerClock) -> Sequence[CohortLine]:
    """Return the lines of a trial's cohorts, the newest first."""
    return [_line(state, one, clock) for one in reversed(state.cohorts.cohorts)]


def _line(state: Protocol, one: TrialCohort, clock: ViewerClock) -> CohortLine:
    who = state.cohorts.of(one.number)
    days = [s.not_before for s in seats(state.cohorts, state.escalation) if s.cohort == one.number and s.not_before]
    return CohortLine(
        number=one.number,
        level=one.level,
        size=one.size,
        taken=len(who),
        opened=clock.day(one.decided),
        why=f"{one.reason} ({one.source})",
        held=clock.day(one.held) if one.held else "",
        stopped=one.stopped,
        next_from=clock.day(max(days)) if days else "",
        reviews=[(clock.day(said.decided), said.outcome, f"{said.reason} ({said.source})") for said in one.reviews],
        subjects=[_subject(known, clock) for known in who],
        touched=sum(known.state in ("enrolled", "ready") for known in who),
    )


def _subject(known: Subject, clock: ViewerClock) -> tuple[str, str, str]:
    return known.case, known.state, clock.day(known.infused) if known.infused else ""
