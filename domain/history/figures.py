"""Makes figures for managers of what was recorded: how long, how often, for which cases; each in the period it ended.

Whatever a case stood still for (`CaseHeld` to `CaseResumed`, or to the end of its journey) counts as nobody's time. A
case that was brought in as it ran tells nothing of the time before, one that was opened by mistake nothing at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

Measure = Literal[
    "stage",
    "waiting",
    "to_infusion",
    "refused",
    "centre_answer",
    "centre_accepted",
    "centre_declined",
    "centre_infused",
    "reminded_done",
    "reminded_not_done",
]
"""What is counted, by what: stage; who owed; reason; centre; who was reminded and did it in time, or did not.

What was owed no longer after a reminder is neither. Time after the end of a case is spent in no stage."""
DAY = timedelta(days=1)
ENDS = {"ObligationMet", "ObligationMissed", "ObligationWithdrawn"}
MOVES = {"StageEntered", "FactsImported", "CaseReopened", "DeathRetracted", "FollowUpResumed"}
OVER, VOIDED = "closed", "voided"
TYPES = (
    "CaseOpened", "CaseHeld", "CaseResumed", "JourneyLeft", "CentreChosen", "DossierSubmitted", "PatientAccepted",
    "AcceptanceChosen", "PatientDeclined", "SubmissionWithdrawn", "InfusionCompleted", "ObligationOpened",
    "ObligationStepTaken", *sorted(ENDS | MOVES),
)  # fmt: skip
"""The events that are read."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a case: its type, when it was recorded, and what of it is kept in plain."""

    stream: str
    type: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndedSpell:
    """One thing that ended at an instant; `days` it took, None where nothing is timed."""

    measure: Measure
    of: str
    at: datetime
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """Counts the samples of one measure, with the median of their days and what nine in ten were within."""

    measure: Measure
    of: str
    count: int
    median: float | None
    ninety: float | None
    cases: Sequence[str]


@dataclass(slots=True)
class _Course:
    """What is known of one case while its events are read."""

    opened: datetime | None = None
    stage: str = "inquiry"
    since: datetime | None = None
    imported: bool = False
    country: str = ""
    infused: set[tuple[int, int]] = field(default_factory=set)
    voided: bool = False
    held: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    centres: dict[str, str] = field(default_factory=dict)
    sent: dict[str, datetime] = field(default_factory=dict)
    treats: str = ""
    chosen: str = ""
    owed: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    reminded: set[str] = field(default_factory=set)

    def days(self, since: datetime, until: datetime) -> float:
        """Return the days between two instants without those the case stood still."""
        open_hold = [(self.held, until)] if self.held else []
        stood = sum(
            (max(min(ended, until) - max(began, since), timedelta()) for began, ended in [*self.pauses, *open_hold]),
            timedelta(),
        )
        return (until - since - stood) / DAY


def figures(
    events: Iterable[RecordedEvent], first: datetime, until: datetime, *, centre: str = "", country: str = ""
) -> Sequence[Figure]:
    """Return the figures of what ended from `first` on and before `until`; `events` by case, each in its order.

    Of cases that were ever meant for that centre, of patients of that country; empty = of all.
    """
    found: defaultdict[tuple[Measure, str], list[tuple[EndedSpell, str]]] = defaultdict(list)
    for stream, own in groupby(events, key=lambda event: event.stream):
        course = _Course()
        samples = [sample for event in own for sample in _told(course, event)]
        meant = not centre or centre in course.centres.values()
        if meant and not course.voided and (not country or course.country == country):
            for sample in samples:
                if first <= sample.at < until:
                    found[sample.measure, sample.of].append((sample, stream))
    return [_figure(*key, told) for key, told in sorted(found.items())]


def _figure(measure: Measure, of: str, told: Sequence[tuple[EndedSpell, str]]) -> Figure:
    days = sorted(sample.days for sample, _ in told if sample.days is not None)
    cases = tuple(dict.fromkeys(stream for _, stream in told))
    return Figure(measure, of, len(told), within(days, 0.5), within(days, 0.9), cases)


def within(ordered: Sequence[float], share: float) -> float | None:
    """Return what that share of the numbers lies within, between two of them in proportion; None of no numbers."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _told(course: _Course, event: RecordedEvent) -> Iterator[EndedSpell]:
    """Yield what an event ends, and keep what later ones are reckoned from."""
    if event.type in ENDS:
        yield from _ended(course, event)
    elif event.type in ("PatientAccepted", "PatientDeclined"):
        yield from _answered(course, event)
    elif event.type in MOVES:
        yield from _moved(course, event)
    elif event.type == "InfusionCompleted":
        yield from _infused(course, event)
    elif "submission" in event.data:
        _asked(course, event)
    else:
        _kept(course, event)


def _asked(course: _Course, event: RecordedEvent) -> None:
    submission = str(event.data["submission"])
    match event.type:
        case "CentreChosen":
            course.centres[submission] = str(event.data["centre"])
        case "DossierSubmitted":
            course.sent[submission] = event.at
        case "AcceptanceChosen":
            course.chosen, course.treats = submission, course.centres.get(submission, "")
        case "SubmissionWithdrawn" if course.chosen == submission:
            course.chosen = ""
        case _:
            pass


def _kept(course: _Course, event: RecordedEvent) -> None:
    told = event.data
    match event.type:
        case "CaseOpened":
            course.opened = course.since = event.at
            course.country = str(told.get("country", ""))
        case "CaseHeld":
            course.held = event.at
        case "CaseResumed" | "JourneyLeft":
            course.voided = course.voided or told.get("reason") == VOIDED
            if course.held:
                course.pauses.append((course.held, event.at))
                course.held = None
        case "ObligationOpened":
            course.owed[str(told["obligation"])] = str(told["debtor"]), event.at
        case "ObligationStepTaken":
            course.reminded.add(str(told["obligation"]))
        case _:
            pass


def _moved(course: _Course, event: RecordedEvent) -> Iterator[EndedSpell]:
    stage = str(event.data.get("stage", "follow_up"))  # what is resumed is the follow-up
    if event.type == "FactsImported":
        course.imported = True
    elif stage == course.stage:
        return
    elif course.since is not None and course.stage != OVER:
        yield EndedSpell("stage", course.stage, event.at, course.days(course.since, event.at))
    course.stage, course.since = stage, event.at


def _ended(course: _Course, event: RecordedEvent) -> Iterator[EndedSpell]:
    name = str(event.data["obligation"])
    if name not in course.owed:
        return
    debtor, since = course.owed.pop(name)
    yield EndedSpell("waiting", debtor, event.at, course.days(since, event.at))
    if name in course.reminded and event.type != "ObligationWithdrawn":
        yield EndedSpell("reminded_done" if event.type == "ObligationMet" else "reminded_not_done", debtor, event.at)


def _answered(course: _Course, event: RecordedEvent) -> Iterator[EndedSpell]:
    submission = str(event.data["submission"])
    centre = course.centres.get(submission, "")
    if submission in course.sent:
        sent = course.sent.pop(submission)
        yield EndedSpell("centre_answer", centre, event.at, course.days(sent, event.at))
    if event.type == "PatientAccepted":
        course.treats = course.treats if course.chosen else centre
        yield EndedSpell("centre_accepted", centre, event.at)
    else:
        course.chosen = "" if course.chosen == submission else course.chosen
        yield EndedSpell("centre_declined", centre, event.at)
        yield EndedSpell("refused", str(event.data.get("code", "")), event.at)


def _infused(course: _Course, event: RecordedEvent) -> Iterator[EndedSpell]:
    """A correction of its details is recorded as the same infusion again."""
    which = int(event.data["treatment"]), int(event.data["number"])
    if which in course.infused:
        return
    yield EndedSpell("centre_infused", course.treats, event.at)
    if not course.infused and not course.imported and course.opened is not None:
        yield EndedSpell("to_infusion", "", event.at, course.days(course.opened, event.at))
    course.infused.add(which)
