"""The cohorts of a trial: who has a place in which, whose turn it is, and what keeps them [cohorts.one-writer].

The protocol's own stream is the only writer, so no cohort takes more than it may. The sponsor opens each cohort at a
dose level; cases tell by themselves that they want a place, are ready, were infused, had a toxicity that counts, or
left. Nothing of a case stands here but its id and these days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, assert_never

from domain.catalogue.protocols.escalation import Escalation
from domain.core.roles import Action

ReviewOutcome = Literal["goes_on", "stopped"]
SubjectState = Literal["waiting", "enrolled", "ready", "infused", "left"]


@dataclass(frozen=True, slots=True)
class OpenCohort:
    """The sponsor opens the next cohort at a dose level: the first, the same again, the next higher or any lower one.

    `source` names the decision, taken on `decided`. Whoever has a place at a higher level and no cells yet loses it,
    and waits before all others.
    """

    level: str
    reason: str
    source: str
    decided: date
    type: Literal["OpenCohort"] = "OpenCohort"


@dataclass(frozen=True, slots=True)
class ReviewCohort:
    """The safety committee's word on a cohort: it goes on, or it is stopped and gives nobody else cells."""

    cohort: int
    outcome: ReviewOutcome
    reason: str
    source: str
    decided: date
    type: Literal["ReviewCohort"] = "ReviewCohort"


@dataclass(frozen=True, slots=True)
class TellCohort:
    """A case says how it stands: it wants a place, is ready for its cells, was infused, or left.

    `round` grows with what the case knows, so that what comes late changes nothing. `limiting` are the days of the
    toxicities a clinician called dose-limiting.
    """

    case: str
    round: int
    ready: bool = False
    infused: date | None = None
    limiting: tuple[date, ...] = ()
    ends: bool = False
    type: Literal["TellCohort"] = "TellCohort"


Command = OpenCohort | ReviewCohort | TellCohort
BY = {OpenCohort: Action.GOVERN, ReviewCohort: Action.RELEASE_LOT, TellCohort: Action.ENGINE}
"""Many may say what the sponsor opened; that a cohort goes on after harm is recorded by whoever releases lots."""


@dataclass(frozen=True, slots=True)
class CohortOpened:
    """The sponsor opened a cohort at a dose level; `size` is how many patients it takes."""

    cohort: int
    level: str
    size: int
    reason: str
    source: str
    decided: date
    type: Literal["CohortOpened"] = "CohortOpened"


@dataclass(frozen=True, slots=True)
class CohortReviewed:
    """The safety committee said whether the cohort goes on."""

    cohort: int
    outcome: ReviewOutcome
    reason: str
    source: str
    decided: date
    type: Literal["CohortReviewed"] = "CohortReviewed"


@dataclass(frozen=True, slots=True)
class SubjectAsked:
    """A case wants a place in a cohort."""

    case: str
    type: Literal["SubjectAsked"] = "SubjectAsked"


@dataclass(frozen=True, slots=True)
class SubjectEnrolled:
    """A case has a place in the cohort."""

    case: str
    cohort: int
    type: Literal["SubjectEnrolled"] = "SubjectEnrolled"


@dataclass(frozen=True, slots=True)
class SubjectSetBack:
    """A case lost its place before its cells: the cohort was stopped, or a lower dose level was opened. It waits."""

    case: str
    cohort: int
    type: Literal["SubjectSetBack"] = "SubjectSetBack"


@dataclass(frozen=True, slots=True)
class SubjectReady:
    """A case is ready for its first cells; those of a cohort take their turns in this order."""

    case: str
    cohort: int
    type: Literal["SubjectReady"] = "SubjectReady"


@dataclass(frozen=True, slots=True)
class SubjectDelayed:
    """A case that was ready stands still before its gate was signed: the others of its cohort go first."""

    case: str
    cohort: int
    type: Literal["SubjectDelayed"] = "SubjectDelayed"


@dataclass(frozen=True, slots=True)
class SubjectInfused:
    """A case of the cohort had its first cells on this day."""

    case: str
    cohort: int
    on: date
    type: Literal["SubjectInfused"] = "SubjectInfused"


@dataclass(frozen=True, slots=True)
class LimitingToxicityTold:
    """A clinician called a toxicity dose-limiting; within the protocol's days the cohort is held until it is reviewed.

    `counts` False = it came after those days.
    """

    case: str
    cohort: int
    on: date
    counts: bool
    type: Literal["LimitingToxicityTold"] = "LimitingToxicityTold"


@dataclass(frozen=True, slots=True)
class SubjectLeft:
    """A case gave up its place, or waits for none any more."""

    case: str
    type: Literal["SubjectLeft"] = "SubjectLeft"


@dataclass(frozen=True, slots=True)
class SubjectHeard:
    """Up to where of its own history a case was heard."""

    case: str
    round: int
    type: Literal["SubjectHeard"] = "SubjectHeard"


Event = (
    CohortOpened | CohortReviewed | SubjectAsked | SubjectEnrolled | SubjectSetBack | SubjectReady | SubjectDelayed
    | SubjectInfused | LimitingToxicityTold | SubjectLeft | SubjectHeard
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """One case as the cohorts know it; `cohort` 0 = it has no place. `limiting` are the days that were told."""

    case: str
    state: SubjectState = "waiting"
    cohort: int = 0
    infused: date | None = None
    limiting: tuple[date, ...] = ()
    set_back: bool = False


@dataclass(frozen=True, slots=True)
class TrialCohort:
    """One cohort. `held`: the day of the toxicity that holds it until it is reviewed."""

    number: int
    level: str
    size: int
    reason: str
    source: str
    decided: date
    held: date | None = None
    stopped: bool = False
    reviews: tuple[CohortReviewed, ...] = ()


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Everything the protocol knows of its cohorts. Subjects stand in the order in which they asked or got ready."""

    cohorts: tuple[TrialCohort, ...] = ()
    subjects: tuple[Subject, ...] = ()
    heard: Mapping[str, int] = field(default_factory=dict)

    @property
    def current(self) -> TrialCohort | None:
        """Return the cohort opened last, which alone takes patients."""
        return self.cohorts[-1] if self.cohorts else None

    def subject(self, case: str) -> Subject | None:
        """Return what is known of a case."""
        return next((one for one in self.subjects if one.case == case), None)

    def of(self, cohort: int) -> Sequence[Subject]:
        """Return those who have or had a place in a cohort; who left before the cells has none."""
        return [one for one in self.subjects if one.cohort == cohort]

    def held_for(self, cohort: TrialCohort, plan: Escalation) -> date | None:
        """Return the day of a toxicity nobody reviewed yet, in a cohort of this level or a lower one; None = none."""
        rank = plan.rank(cohort.level)
        held = (one.held for one in self.cohorts if plan.rank(one.level) <= rank)
        return next((day for day in held if day is not None), None)

    def waiting(self) -> Sequence[Subject]:
        """Return those without a place in turn: first who lost one."""
        waits = [one for one in self.subjects if one.state == "waiting"]
        return sorted(waits, key=lambda one: not one.set_back)


NOTHING = Cohorts()


def evolve(book: Cohorts, event: Event) -> Cohorts:
    """Fold one event of the cohorts."""
    match event:
        case CohortOpened():
            e = event
            new = TrialCohort(e.cohort, e.level, e.size, e.reason, e.source, e.decided)
            return replace(book, cohorts=(*book.cohorts, new))
        case CohortReviewed():
            return replace(book, cohorts=tuple(_after(one, event) for one in book.cohorts))
        case SubjectHeard():
            return replace(book, heard={**book.heard, event.case: event.round})
        case SubjectAsked():
            return replace(book, subjects=(*_without(book, event.case), Subject(event.case)))
        case SubjectEnrolled():
            return _changed(book, event.case, {"state": "enrolled", "cohort": event.cohort, "set_back": False})
        case SubjectSetBack():
            return _changed(book, event.case, {"state": "waiting", "cohort": 0, "set_back": True})
        case SubjectDelayed():
            return _changed(book, event.case, {"state": "enrolled"})
        case SubjectReady():
            known = [replace(one, state="ready") for one in book.subjects if one.case == event.case]
            return replace(book, subjects=(*_without(book, event.case), *known))
        case SubjectInfused():
            return _changed(book, event.case, {"state": "infused", "infused": event.on})
        case LimitingToxicityTold():
            return _limited(book, event)
        case SubjectLeft():
            return _changed(book, event.case, {"state": "left", "cohort": 0})
        case _:
            assert_never(event)


def _without(book: Cohorts, case: str) -> tuple[Subject, ...]:
    return tuple(one for one in book.subjects if one.case != case)


def _changed(book: Cohorts, case: str, changes: Mapping[str, Any]) -> Cohorts:
    return replace(book, subjects=tuple(replace(one, **changes) if one.case == case else one for one in book.subjects))


def _after(known: TrialCohort, event: CohortReviewed) -> TrialCohort:
    if known.number != event.cohort:
        return known
    return replace(known, held=None, stopped=event.outcome == "stopped", reviews=(*known.reviews, event))


def _limited(book: Cohorts, event: LimitingToxicityTold) -> Cohorts:
    known = next((one.limiting for one in book.subjects if one.case == event.case), ())
    told = _changed(book, event.case, {"limiting": (*known, event.on)})
    if not event.counts:
        return told
    held = (replace(one, held=event.on) if one.number == event.cohort else one for one in told.cohorts)
    return replace(told, cohorts=tuple(held))
