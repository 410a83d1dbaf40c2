"""Finds what a source says that cannot all be true, or says twice: everything is kept, and said."""

from __future__ import annotations

from rehearsal.courses.published.courses import Course
from rehearsal.courses.tellings import WORST_GRADE


def contradictions(course: Course) -> list[str]:
    """List what the source says that cannot all be true; both sides are kept."""
    said: list[str] = []
    deaths = [e for e in course.events if e.kind == "death"]
    if deaths and course.alive:
        said.append("a death is told, and the patient is last known alive")
    if deaths and course.alive is None:
        said.append("a death is told, and the end of the course does not say so")
    last = min((e.day.last for e in deaths if e.day.last is not None), default=None)
    for event in course.events:
        later = last is not None and event.day.first is not None and event.day.first > last
        if later and event.kind not in ("death", "trial_hold", "correction"):
            said.append(f"{event.kind} (event {event.index}) lies after the death")
    if len(deaths) > 1:
        said.append("more than one death is told")
    fatal = [e for e in course.events if e.fields.get("grade") == WORST_GRADE]
    if fatal and not deaths and course.alive is not False:
        said += [f"{e.kind} (event {e.index}) is of grade 5, and no death is told" for e in fatal]
    return said + _twice(course)


def _twice(course: Course) -> list[str]:
    """Events told word for word twice: both are kept."""
    first: dict[str, int] = {}
    said = []
    for event in course.events:
        told = repr((event.kind, dict(event.day.told), sorted(event.fields.items(), key=str)))
        if told in first and event.day.form != "unknown":
            said.append(f"{event.kind} (event {event.index}) is told twice, first as event {first[told]}")
        first.setdefault(told, event.index)
    return said
