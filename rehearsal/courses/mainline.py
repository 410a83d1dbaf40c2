"""Orders how a course is recorded: treatments with chemotherapy and infusions first, reports between them.

Order of recording is ours, days of happening are the source's. Cells and chemotherapy need the journey's main line,
so a death or a late report never comes between the ledger and an infusion that the same source tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rehearsal.courses.published.courses import Course, Published

CELLS = ("infusion", "reinfusion")
BEFORE_CELLS = 3
"""Days before the cells at which chemotherapy of unknown day is recorded."""
BETWEEN = 28
"""Days after the cells before at which a re-infusion of unknown day is recorded."""
APART = 90
"""Days after which further cells are another treatment, whatever the source calls them."""


@dataclass(slots=True)
class CourseTreatment:
    """One lymphodepletion or its omission, and the infusions that belong to it; each with its day of recording."""

    cells: list[tuple[int, Published]] = field(default_factory=list)
    depletion: list[tuple[int, Published]] = field(default_factory=list)

    @property
    def starts(self) -> int:
        """Return the day its first cells, or else its chemotherapy, are recorded."""
        return self.cells[0][0] if self.cells else self.depletion[0][0]


@dataclass(frozen=True, slots=True)
class CourseLine:
    """The course in order of recording. `reports` may come at any time from admission on; days count from day 0."""

    treatments: Sequence[CourseTreatment]
    reports: Sequence[tuple[int, Published]]

    @property
    def begins(self) -> int:
        """Return the first day on which the patient must be at the centre."""
        first = [t.starts for t in self.treatments] + [day for t in self.treatments for day, _ in t.depletion]
        return min([0, *first, *(day for day, _ in self.reports)])


def line(course: Course) -> CourseLine:
    """Sort a course's events into treatments and reports."""
    treatments = _treatments(course.events)
    _add_depletion(treatments, course.events)
    treatments.sort(key=lambda t: t.starts)
    return CourseLine(treatments, _reports(course.events, treatments))


def _treatments(events: Sequence[Published]) -> list[CourseTreatment]:
    """Cells in order; a re-infusion, or chemotherapy in between, begins another treatment."""
    given: list[tuple[int, Published]] = []
    for event in events:
        if event.kind in CELLS:
            last = max((day for day, _ in given), default=None)
            unknown = 0 if last is None else last + BETWEEN
            given.append((unknown if event.day.reached is None else event.day.reached, event))
    chemo = [e.day.reached for e in events if e.kind == "lymphodepletion" and e.day.reached is not None]
    treatments: list[CourseTreatment] = []
    for day, event in sorted(given, key=lambda pair: (pair[0], pair[1].index)):
        before = treatments[-1].cells[-1][0] if treatments else day
        between = any(before < chemo_day <= day for chemo_day in chemo)
        if not treatments or event.kind == "reinfusion" or between or day - before > APART:
            treatments.append(CourseTreatment())
        treatments[-1].cells.append((day, event))
    return treatments


def _add_depletion(treatments: list[CourseTreatment], events: Sequence[Published]) -> None:
    """Chemotherapy belongs to the next cells by day, or by its place in the source where the day is unknown."""
    for event in events:
        if event.kind != "lymphodepletion":
            continue
        day = event.day.reached
        owner = _next_by_place(treatments, event) if day is None else _next_by_day(treatments, day)
        if _conditions(event, owner, events):
            continue
        if owner is None:
            owner = _without_cells(treatments)
        owner.depletion.append((_recorded(treatments, owner, day), event))
        owner.depletion.sort(key=lambda pair: (pair[0], pair[1].index))


def _conditions(event: Published, owner: CourseTreatment | None, events: Sequence[Published]) -> bool:
    """Chemotherapy with a transplant before the next cells, if there are any, prepares for the transplant."""
    day, transplants = event.day.reached, [e.day.reached for e in events if e.kind == "transplant"]
    if owner is None:
        return any(t is None or day is None or t >= day for t in transplants)
    return any(t is not None and day is not None and day <= t < owner.starts for t in transplants)


def _without_cells(treatments: list[CourseTreatment]) -> CourseTreatment:
    """Chemotherapy after which the source tells of no cells: a treatment of its own."""
    if not treatments or treatments[-1].cells:
        treatments.append(CourseTreatment())
    return treatments[-1]


def _recorded(treatments: Sequence[CourseTreatment], owner: CourseTreatment, day: int | None) -> int:
    if owner.cells:
        return owner.starts - BEFORE_CELLS if day is None else min(day, owner.starts)
    alone = max((d for t in treatments for d, _ in t.cells), default=-BEFORE_CELLS - 1) + 1
    return alone if day is None else max(day, alone) if len(treatments) > 1 else day


def _next_by_day(treatments: Sequence[CourseTreatment], day: int) -> CourseTreatment | None:
    return next((t for t in treatments if t.cells and day <= t.starts), None)


def _next_by_place(treatments: Sequence[CourseTreatment], event: Published) -> CourseTreatment | None:
    following = [t for t in treatments if t.cells and t.cells[0][1].index > event.index]
    if following:
        return min(following, key=lambda t: t.cells[0][1].index)
    return next((t for t in treatments if not t.depletion), treatments[0] if treatments else None)


def _reports(events: Sequence[Published], treatments: Sequence[CourseTreatment]) -> list[tuple[int, Published]]:
    """Everything else by day; what has no day is told right after what stands before it in the source."""
    placed = {e.index: day for t in treatments for day, e in (*t.cells, *t.depletion)}
    last_main = max(placed.values(), default=0)
    reports: list[tuple[int, Published]] = []
    before = 0
    for event in events:
        if event.index in placed:
            before = placed[event.index]
        else:
            before = event.day.reached if event.day.reached is not None else before
            day = max(before, last_main) if event.kind == "death" else before
            reports.append((day, event))
    return sorted(reports, key=lambda pair: (pair[0], pair[1].index))
