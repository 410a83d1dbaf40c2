"""Decides who has a place in a cohort of a trial, and which cohort may be opened [cohorts.one-writer]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import assert_never

from domain.catalogue.protocols.cohorts import (
    CohortOpened,
    CohortReviewed,
    Cohorts,
    Command,
    Event,
    LimitingToxicityTold,
    OpenCohort,
    ReviewCohort,
    Subject,
    SubjectAsked,
    SubjectDelayed,
    SubjectEnrolled,
    SubjectHeard,
    SubjectInfused,
    SubjectLeft,
    SubjectReady,
    SubjectSetBack,
    TellCohort,
    TrialCohort,
    evolve,
)
from domain.catalogue.protocols.escalation import Escalation
from domain.core.codes import require_day_come
from domain.core.errors import Reason, Refused, require

LONGEST_WORDS = 2000


def decide(book: Cohorts, plan: Escalation | None, c: Command, now: datetime) -> Sequence[Event]:
    """Decide what is told of cohorts: return the events it brings about, with the places that are given then.

    Raises Refused.
    """
    if isinstance(c, TellCohort):
        return _and_places(book, plan, [*_told(book, plan, c)])
    if plan is None:
        words = "the protocol says no dose levels; amend it with them first"
        raise Refused(Reason.NOT_NOW, words, "type")
    for name in ("reason", "source"):
        said = getattr(c, name).strip()
        require(said and len(said) <= LONGEST_WORDS, Reason.INVALID, f"say it in at most {LONGEST_WORDS} letters", name)
    require_day_come(c.decided, now, "decided")
    match c:
        case OpenCohort():
            return _and_places(book, plan, [*_opened(book, plan, c, now.date())])
        case ReviewCohort():
            return _and_places(book, plan, [*_reviewed(book, c)])
        case _:
            assert_never(c)


def _opened(book: Cohorts, plan: Escalation, c: OpenCohort, today: date) -> Iterator[Event]:
    level, rank, newest = plan.level(c.level), plan.rank(c.level), book.current
    last = next((one for one in reversed(book.cohorts) if plan.rank(one.level)), None)
    if level is None:
        raise Refused(Reason.INVALID, f"one of: {', '.join(one.name for one in plan.levels)}", "level")
    size = _room(book, c.level, level.cohort, level.most)
    require(size > 0, Reason.NOT_NOW, f"{c.level} has all its {level.most} patients; open another level", "level")
    if newest is not None:
        before = f"the cohort before was opened on {newest.decided}"
        require(c.decided >= newest.decided, Reason.INVALID, before, "decided")
    if last is not None:  # the levels of those before may be no more
        _require_allowed(book, plan, last, rank, today)
    else:
        lowest = f"the first cohort is at the lowest level, {plan.levels[0].name}"
        require(rank == 1, Reason.NOT_NOW, lowest, "level")
    yield CohortOpened(len(book.cohorts) + 1, c.level, size, c.reason, c.source, c.decided)
    for one in book.subjects:
        known = next((cohort for cohort in book.cohorts if cohort.number == one.cohort), None)
        if known and one.state in ("enrolled", "ready") and plan.rank(known.level) > rank:
            yield SubjectSetBack(one.case, known.number)


def _room(book: Cohorts, level: str, cohort: int, most: int) -> int:
    """Return how many a new cohort of the level takes, as far as the level's own limit leaves room."""
    if not most:
        return cohort
    numbers = {one.number for one in book.cohorts if one.level == level}
    had = sum(one.cohort in numbers for one in book.subjects)
    return min(cohort, most - had)


def _require_allowed(book: Cohorts, plan: Escalation, last: TrialCohort, rank: int, today: date) -> None:
    """Refuse a higher level while the one before is not known to be borne [cohorts.escalation]; a lower one never."""
    highest = max(plan.rank(one.level) for one in book.cohorts)
    words = f"no level is passed over; the next is {plan.levels[min(highest, len(plan.levels) - 1)].name}"
    require(rank <= highest + 1, Reason.NOT_NOW, words, "level")
    if rank < plan.rank(last.level):
        return
    held = next((one for one in book.cohorts if one.held), None)
    why = f"cohort {held.number} is held; record the safety committee's word first (ReviewCohort)" if held else ""
    require(not held, Reason.NOT_NOW, why, "level")
    stopped = f"cohort {last.number} was stopped; open a lower level"
    require(not last.stopped, Reason.NOT_NOW, stopped, "level")
    if rank > plan.rank(last.level):
        _require_borne(book, plan, last, today)


def _require_borne(book: Cohorts, plan: Escalation, last: TrialCohort, today: date) -> None:
    days = [one.infused for one in book.of(last.number) if one.infused]
    require(days, Reason.NOT_NOW, f"nobody of cohort {last.number} was infused yet", "level")
    over = max(days) + timedelta(days=plan.toxicity_days)
    words = f"toxicities of cohort {last.number} count until {over}; a higher level is opened after that"
    require(over < today, Reason.NOT_NOW, words, "level")


def _reviewed(book: Cohorts, c: ReviewCohort) -> Iterator[Event]:
    known = next((one for one in book.cohorts if one.number == c.cohort), None)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such cohort; they are counted from 1", "cohort")
    again = known.held is not None and c.outcome == "stopped"  # harm that came after it was stopped is looked at too
    require(not known.stopped or again, Reason.ALREADY, "the cohort was stopped, and stays so", "cohort")
    waits = known.held is not None or c.outcome == "stopped"
    require(waits, Reason.NOT_NOW, "nothing holds the cohort; it goes on already", "outcome")
    require(c.decided >= known.decided, Reason.INVALID, f"the cohort was opened on {known.decided}", "decided")
    yield CohortReviewed(c.cohort, c.outcome, c.reason, c.source, c.decided)
    if c.outcome == "stopped":
        for one in book.of(c.cohort):
            if one.state in ("enrolled", "ready"):
                yield SubjectSetBack(one.case, c.cohort)


def _told(book: Cohorts, plan: Escalation | None, c: TellCohort) -> Iterator[Event]:
    """What a case says, as far as it is new; what was heard before brings nothing."""
    if c.round <= book.heard.get(c.case, 0):
        return
    yield SubjectHeard(c.case, c.round)
    known = book.subject(c.case)
    if (event := _stands(known, c)) is not None:
        yield event
    yield from _toxicities(known, plan, c)


def _stands(known: Subject | None, c: TellCohort) -> Event | None:
    """Return what is new of how a case stands, None = nothing.

    Who asks is known even while the protocol says no levels: it asked when there were some, and asks only once.
    """
    has = known is not None and known.state != "left"
    if c.infused is not None:
        if known is None or not has or known.infused == c.infused:  # the day may be set right later
            return None
        # cells that went in without a place belong to no cohort
        return SubjectInfused(c.case, known.cohort, c.infused) if known.cohort else SubjectLeft(c.case)
    if c.ends:
        return SubjectLeft(c.case) if known and known.state in ("waiting", "enrolled", "ready") else None
    if not has:
        return SubjectAsked(c.case)
    if known is not None and known.state == "enrolled" and c.ready:
        return SubjectReady(c.case, known.cohort)
    if known is not None and known.state == "ready" and not c.ready:
        return SubjectDelayed(c.case, known.cohort)
    return None


def _toxicities(known: Subject | None, plan: Escalation | None, c: TellCohort) -> Iterator[Event]:
    """What harm is new, two of one day as well, and what counts only since the day of the cells was set right."""
    first = c.infused or (known.infused if known else None)
    if known is None or plan is None or not known.cohort or first is None:
        return
    told = Counter(known.limiting)
    for day in c.limiting:
        counts = _counts(day, first, plan)
        if not told[day] or (counts and known.infused and not _counts(day, known.infused, plan)):
            yield LimitingToxicityTold(c.case, known.cohort, day, counts)
        told[day] -= bool(told[day])


def _counts(day: date, first: date, plan: Escalation) -> bool:
    return first <= day <= first + timedelta(days=plan.toxicity_days)


def amended(book: Cohorts, plan: Escalation | None) -> Sequence[Event]:
    """Return what an amendment does to places: none is kept, or given, at a level that is no more; others may be free.

    While the protocol says no levels at all nobody needs a place, and each is kept.
    """
    if plan is None:
        return []
    gone = {one.number for one in book.cohorts if not plan.rank(one.level)}
    back = [s for s in book.subjects if s.cohort in gone and s.state in ("enrolled", "ready")]
    return _and_places(book, plan, [SubjectSetBack(one.case, one.cohort) for one in back])


def _and_places(book: Cohorts, plan: Escalation | None, events: list[Event]) -> Sequence[Event]:
    """Return the events, and a place for everybody who waits while the newest cohort takes patients."""
    for event in events:
        book = evolve(book, event)
    current = book.current
    if plan is None or current is None or current.stopped or not plan.rank(current.level):
        return events
    if book.held_for(current, plan):
        return events
    free = current.size - len(book.of(current.number))
    return [*events, *(SubjectEnrolled(one.case, current.number) for one in book.waiting()[: max(free, 0)])]
