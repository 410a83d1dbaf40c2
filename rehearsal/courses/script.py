"""A published course as commands on a clock: pure, the same for the same course, place and day 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.core.fact import Command
from domain.core.when import When
from domain.stages.anytime.correcting import Correctable, CorrectFact
from domain.stages.follow_up.closing import RetractDeath
from rehearsal.courses.before import LEAD, screened, until_admission
from rehearsal.courses.beside import background, end, leaving
from rehearsal.courses.mainline import CELLS, CourseLine, line
from rehearsal.courses.published.corrections import Correction, correction
from rehearsal.courses.published.courses import Course, Published
from rehearsal.courses.published.days import when
from rehearsal.courses.steps import ASSUMED, CourseCalendar, CourseStep, Places, Tell, ToldSoFar, Writer
from rehearsal.courses.tellings import AFTER_CELLS, TELLINGS, infused
from rehearsal.courses.treating import treat

END, BACKGROUND = -1, -2
"""The places of what a source says about how the patient was last known, and of who that was before."""
MINUTE = timedelta(minutes=1)
EARLIEST = 90
"""Nobody is kept in hospital longer before treatment for the sake of an old report: it is told on admission."""


LEFT = f"{ASSUMED}: off study before any cells"


@dataclass(frozen=True, slots=True)
class Script:
    """The steps in order of time, and what of the course could not become a step, with the reason, by place."""

    course: Course
    places: Places
    day_0: date
    steps: tuple[CourseStep, ...]
    missing: Mapping[int, str]

    @property
    def starts(self) -> datetime:
        """Return when the case is opened."""
        return self.steps[0].at

    @property
    def ends(self) -> datetime:
        """Return when the last thing known was told."""
        return self.steps[-1].at


def lead(course: Course) -> int:
    """Return how many days before day 0 the journey of this course begins."""
    return LEAD - _comes(line(course))


def script(course: Course, places: Places, day_0: date) -> Script:
    """Return the whole course; its day 0 falls on `day_0`."""
    days, order = CourseCalendar(day_0), line(course)
    come = _comes(order)
    last = max([0, *(t.starts for t in order.treatments)])
    writer = Writer([], days.at(come - LEAD, 7))
    until_admission(course, places, days, come, last - come + 120, writer)
    admitted = writer.cursor
    if who := background(course):
        writer.say(admitted, _saying(who), told(course), BACKGROUND, When.unknown())
        admitted = writer.cursor
    missing: dict[int, str] = {}
    if order.treatments:
        gate = order.treatments[0]
        first = min([gate.starts - 1, *(day for day, _ in gate.depletion)])
        writer.say(days.at(first, 5), screened, f"{ASSUMED}: screening on site")
    missing |= treat(course, places, days, order.treatments, writer)
    steps = list(writer.steps)
    steps += _reports(course, order, days, admitted, writer.cursor)
    steps += _corrections(course, days, steps, missing)
    if known := end(course, day_0):
        said, happened = known
        at = max(days.at(course.last_day.reached or 0, 23), *(s.at + MINUTE for s in steps))
        steps.append(CourseStep(at, _saying(said), told(course), END, happened))
    return Script(course, places, day_0, tuple(sorted(steps, key=lambda s: s.at)), missing)


def _comes(order: CourseLine) -> int:
    """The day of admission: some days before treatment, or the first report if that is not too long before."""
    gate = min([0, *(t.starts for t in order.treatments), *(d for t in order.treatments for d, _ in t.depletion)]) - 6
    return max(min(gate, order.begins - 1), gate - EARLIEST)


def occurred(event: Published, day_0: date) -> When:
    """Return when it happened, as the ledger keeps it."""
    return when(event.day, day_0, after_cells=event.kind in AFTER_CELLS)


def told(course: Course) -> str:
    """Return the provenance of everything the source says."""
    return f"published: {course.source}"


def _reports(
    course: Course, order: CourseLine, days: CourseCalendar, admitted: datetime, treated: datetime
) -> Sequence[CourseStep]:
    steps = []
    for day, event in order.reports:
        if event.kind == "correction":
            continue
        nominal = max(days.at(day, 16, event.index), admitted + timedelta(minutes=event.index + 1))
        after = treated + timedelta(minutes=event.index + 1)
        at = max(nominal, after) if event.kind == "death" else nominal
        happened = occurred(event, days.day_0)
        said = TELLINGS[_as_report(event)](event, happened)
        steps.append(CourseStep(at, _saying(said), told(course), event.index, happened))
        if event.kind == "off_study" and not any(t.cells for t in order.treatments):
            steps.append(CourseStep(at + timedelta(seconds=30), _unless_left(leaving(event)), LEFT))
    return steps


def _as_report(event: Published) -> str:
    """Chemotherapy that belongs to no cells prepares for a transplant."""
    return "other_treatment" if event.kind == "lymphodepletion" else event.kind


def _saying(command: Command) -> Tell:
    return lambda _: command


def _unless_left(command: Command) -> Tell:
    return lambda known: None if known.case.exit else command


def _corrections(
    course: Course, days: CourseCalendar, steps: Sequence[CourseStep], missing: dict[int, str]
) -> Sequence[CourseStep]:
    """Each after the event it corrects, however the source orders them."""
    at = {s.place: s.at for s in steps if s.place is not None}
    stands = {e.index: e for e in course.events if e.index in at}
    found: list[CourseStep] = []
    for event in (e for e in course.events if e.kind == "correction"):
        meant = correction(event, stands)
        if meant is None:
            missing[event.index] = "no earlier event of this source is meant by the correction"
            continue
        stands[meant.target] = meant.right
        told_on = [d for d in (event.day.reached, meant.right.day.reached) if d is not None]
        own = max((days.at(day, 17, event.index) for day in told_on), default=at[meant.target])
        instant = max(own, at[meant.target] + timedelta(minutes=event.index + 1))
        happened = occurred(meant.right, days.day_0)
        tell = _correcting(meant, happened, when(event.day, days.day_0, after_cells=False))
        found.append(CourseStep(instant, tell, told(course), event.index, happened, meant.target))
    return found


def _correcting(meant: Correction, happened: When, found_out: When) -> Tell:
    target, right = meant.target, meant.right

    def tell(known: ToldSoFar) -> Command:
        if meant.retracts:
            return RetractDeath(meant.reason, "rehearsal")
        cells = right.kind in CELLS
        said = _infusion(known, target, right, happened) if cells else TELLINGS[right.kind](right, happened)
        assert isinstance(said, Correctable)
        return CorrectFact(known.facts[target], said, meant.reason, found_out)

    return tell


def _infusion(known: ToldSoFar, target: int, right: Published, happened: When) -> Command:
    earlier = known.case.correctable[known.facts[target]]
    return infused(str(getattr(earlier, "unit", "")), {}, right, happened)
