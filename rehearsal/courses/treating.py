"""Treatments of a course: gate, chemotherapy or its omission, and every infusion with what must come before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from domain.core.codes import MOST_DAYS
from domain.core.fact import Command
from domain.core.when import When
from domain.stages.eligibility import eligibility
from domain.stages.eligibility.review_again import unreviewed
from domain.stages.treatment import admission, infusion, lymphodepletion, observations, redosing
from domain.stages.treatment.bedside import authorising
from rehearsal.courses.before import hold
from rehearsal.courses.mainline import CourseTreatment
from rehearsal.courses.published.courses import Course, Published
from rehearsal.courses.published.days import when
from rehearsal.courses.published.kinds import written
from rehearsal.courses.steps import ASSUMED, CourseCalendar, Places, Tell, ToldSoFar, Writer
from rehearsal.courses.tellings import NOT_TOLD, TELLINGS, Fields, infused, left_out

SAID = f"{ASSUMED}: around a published treatment"
WINDOW = 14
HELD = timedelta(days=30)
YEAR = timedelta(days=365)


def treat(
    course: Course, places: Places, days: CourseCalendar, treatments: Sequence[CourseTreatment], writer: Writer
) -> dict[int, str]:
    """Write every treatment in order; answers with what of the source could not be told, and why."""
    missing: dict[int, str] = {}
    infusions = 0
    for number, treatment in enumerate(treatments, 1):
        if number > 1:
            _again(places, days, treatment, infusions + 1, writer)
        missing |= _depletion(course, days, treatment, number, writer)
        for day, event in treatment.cells:
            infusions += 1
            _infuse(course, places, days.at(day, 10), days.day_0, event, infusions, writer)
    return missing


def _again(places: Places, days: CourseCalendar, treatment: CourseTreatment, number: int, w: Writer) -> None:
    """Another treatment is decided, and a unit is held for it."""
    start = min([treatment.starts, *(day for day, _ in treatment.depletion)]) - 2
    planned = max(1, len(treatment.cells))
    for tell in _stay(days.at(start, 9) + YEAR):
        w.say(days.at(start, 8), tell, SAID)
    w.say(days.at(start, 9), lambda _: redosing.DecideRedosing(SAID, NOT_TOLD, planned), SAID)
    w.say(days.at(start, 10), hold(places, number, days.at(treatment.starts, 12) + HELD), SAID)


def _stay(until: datetime) -> Sequence[Tell]:
    """Whoever is treated again years later may stay for it."""

    def short(known: ToldSoFar) -> bool:
        return known.case.stay_until is not None and known.case.stay_until < until

    return (
        lambda known: admission.FileStayExtension() if short(known) else None,
        lambda known: admission.DecideStayExtension(True, until) if short(known) else None,
    )


def _depletion(course: Course, days: CourseCalendar, t: CourseTreatment, number: int, w: Writer) -> dict[int, str]:
    """The gate, then what the source says of chemotherapy; where it says nothing, an assumption."""
    given = [(day, e) for day, e in t.depletion if not left_out(e)]
    none = [e for _, e in t.depletion if left_out(e)]
    first = min([t.starts, *(day for day, _ in t.depletion)]) if t.depletion else t.starts - 1
    w.say(days.at(first, 6), _reviewed, SAID)
    w.say(days.at(first, 6), _resumed, SAID)
    w.say(days.at(first, 6), lambda _: lymphodepletion.SignGate(SAID, True, True), SAID)
    if t.cells:
        w.say(days.at(first, 6), _plan(len(t.cells)), SAID)
    source = f"published: {course.source}"
    for day, event in given:
        happened = when(event.day, days.day_0, after_cells=False)
        w.say(
            days.at(day, 7, event.index),
            _saying(TELLINGS["lymphodepletion"](event, happened)),
            source,
            event.index,
            happened,
        )
    if given:
        if t.cells:
            _completed(days, t, given[-1], w)
        return {e.index: "the source also tells of a lymphodepletion for the same treatment" for e in none}
    if none:
        happened = when(none[0].day, days.day_0, after_cells=False)
        w.say(days.at(first, 7), _saying(_omission(none[0], happened)), source, none[0].index, happened)
        return {e.index: "the same omission is told twice" for e in none[1:]}
    without = number > 1 or written(course.product_class) == "in_vivo" or any(left_out(e) for _, e in t.cells)
    _assumed(days, first, w, without=without)
    return {}


def _reviewed(known: ToldSoFar) -> Command | None:
    """Who was treated after a progression had been reviewed again."""
    accepted = known.case.accepted
    return eligibility.AcceptPatient(accepted.id, SAID) if accepted and unreviewed(known.case) else None


def _resumed(known: ToldSoFar) -> Command | None:
    """Who was given cells after a hold was given them because the trial went on."""
    return observations.ReportTrialResumed("", SAID) if known.case.trial_hold else None


def _plan(count: int) -> Tell:
    return lambda _: infusion.PlanInfusions(count)


def _saying(command: Command) -> Tell:
    return lambda _: command


def _completed(days: CourseCalendar, t: CourseTreatment, last: tuple[int, Published], w: Writer) -> None:
    """The window is made wide enough for the cells the source tells of."""
    day, event = last
    happened = When.on(days.on(day)) if event.day.form == "at" else When.unknown()
    window = min(MOST_DAYS, max(WINDOW, t.cells[-1][0] - day + WINDOW))
    done = lymphodepletion.CompleteDepletion(window, happened)
    w.say(days.at(day, 8), _saying(done), SAID)


def _omission(event: Published, happened: When) -> Command:
    return lymphodepletion.OmitDepletion(Fields(event).words("note", "regimen"), happened)


def _assumed(days: CourseCalendar, day: int, w: Writer, *, without: bool) -> None:
    """The first treatment had some; another one none, nor what is made in the body, as far as anybody can assume."""
    if without:
        w.say(days.at(day, 7), _saying(lymphodepletion.OmitDepletion(f"{ASSUMED}: {NOT_TOLD}")), SAID)
        return
    given = lymphodepletion.RecordDepletion(f"{ASSUMED}: lymphodepletion {NOT_TOLD}", None, When.unknown())
    w.say(days.at(day, 7), _saying(given), SAID)
    w.say(days.at(day, 8), _saying(lymphodepletion.CompleteDepletion(WINDOW, When.unknown())), SAID)


def _infuse(
    course: Course, places: Places, at: datetime, day_0: date, event: Published, number: int, w: Writer
) -> None:
    """Dose, authorisation, two people at the bedside, thaw; then what the source tells."""
    unit = places.unit(number)
    happened = when(event.day, day_0, after_cells=event.kind == "reinfusion")
    w.say(at, _unless_held(places, number, at), SAID)
    w.say(at, _resumed, SAID)
    w.say(at, lambda _: authorising.AuthoriseInfusion(SAID), SAID)
    w.say(at, lambda _: infusion.CheckIdentity("nurse-1", "nurse-2", unit, True, True), SAID)
    w.say(at, lambda _: infusion.StartThaw(unit), SAID)
    w.say(
        at, _saying(infused(unit, course.dose, event, happened)), f"published: {course.source}", event.index, happened
    )


def _unless_held(places: Places, number: int, at: datetime) -> Tell:
    def tell(known: ToldSoFar) -> Command | None:
        unit = places.unit(number)
        return (
            None
            if known.case.dose.good_at(at) and known.case.dose.ref == unit
            else hold(places, number, at + HELD)(known)
        )

    return tell
