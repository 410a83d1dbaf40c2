"""Tells what a source says beside its events: who the patient was, why somebody left, how the end is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from domain.core.fact import Command
from domain.core.when import When
from domain.stages.follow_up.closing import UNNAMED, LeaveJourney, Leaving
from domain.stages.follow_up.follow_up import RecordVisit
from domain.stages.treatment.observations import ReportDeath, ReportOccurrence
from rehearsal.courses.mainline import CELLS
from rehearsal.courses.published.courses import Course, Published
from rehearsal.courses.published.days import Day, when
from rehearsal.courses.tellings import NOT_TOLD

GONE: Mapping[str, Leaving] = {
    "withdr": "withdrawn",
    "lost": "lost_to_follow_up",
    "declin": "declined",
    "refus": "declined",
    "clos": "protocol_closed",
    "hold": "protocol_closed",
    "terminat": "protocol_closed",
}
"""Why somebody left a study before any cells, by the words of the source; anything else is `not_suitable`."""


def background(course: Course) -> Command | None:
    """Tell who the patient was, as far as the source says; a dose no infusion tells of as well."""
    cells = any(e.kind in CELLS for e in course.events)
    said = {
        "age": course.age,
        "sex": course.sex,
        "prior": course.prior,
        "product": course.product,
        "product_class": course.product_class,
        "dose": {} if cells else course.dose,
        **course.more,
    }
    rest = {name: value for name, value in said.items() if value not in ("", {}, None)}
    words = json.dumps(rest, ensure_ascii=False, sort_keys=True)
    return ReportOccurrence("background", words, When.unknown()) if rest else None


def leaving(event: Published) -> Command:
    """Return the command that tells of leaving the study, which before any cells is leaving the journey."""
    words = json.dumps(event.fields, ensure_ascii=False).casefold()
    reason: Leaving = next((reason for word, reason in GONE.items() if word in words), "not_suitable")
    return LeaveJourney(reason, "" if reason in UNNAMED else NOT_TOLD)


def end(course: Course, day_0: date) -> tuple[Command, When] | None:
    """Tell how the patient was last known, where no event says it, and when."""
    words = json.dumps({"last_known": course.last_known}, ensure_ascii=False) if course.last_known else ""
    dead = any(e.kind == "death" for e in course.events)
    found = [e for e in course.events if e.kind == "follow_up" and e.fields.get("alive") is False]
    if not dead and (course.alive is False or found):
        happened = _by(found[0].day if found else course.last_day, day_0)
        return ReportDeath(words, happened), happened
    happened = when(course.last_day, day_0, after_cells=False)
    if course.alive:
        return RecordVisit("", True, "", words, happened), happened
    return (ReportOccurrence("last known", words, happened), happened) if course.last_known else None


def _by(found: Day, day_0: date) -> When:
    """Whoever is found, or last known, to have died had died by then; nobody says when."""
    latest = when(found, day_0, after_cells=True).latest
    return When.between(None, latest) if latest else When.unknown()
