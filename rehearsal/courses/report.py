"""Reports what became of every course: published beside recorded, what is missing and why, and the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.markup import escape
from rich.table import Table

from domain.case.state import Case
from domain.core.fact import Fact
from rehearsal.courses.contradictions import contradictions
from rehearsal.courses.courses_run import Played
from rehearsal.courses.published.courses import Course, CourseFault, Published
from rehearsal.courses.published.days import days_of
from rehearsal.courses.script import BACKGROUND, END


def outcome(played: Played) -> dict[str, Any]:
    """Write one course and what became of it as JSON."""
    course, script = played.script.course, played.script
    represented = [_represented(played, e) for e in course.events if e.index in played.facts]
    return {
        "patient": course.patient,
        "publication": course.publication,
        "case": played.case,
        "number": played.state.number,
        "day_0": script.day_0.isoformat(),
        "protocol": {"stream": script.places.protocol, "matched_by": script.places.matched_by or None},
        "made_up": list(script.places.generic),
        "represented": represented,
        "missing": _missing(played),
        "errors": errors(course),
        "end_state": _end_state(played),
        "contradictions": contradictions(played.script.course),
        "problems": list(played.problems),
        "events": sorted((_dated(f, played) for f in played.facts.values()), key=lambda e: str(e["recorded_at"])),
    }


def refused(course: Course) -> dict[str, Any]:
    """Return a course that could not be played, and why."""
    return {"patient": course.patient, "errors": errors(course)}


def errors(course: Course) -> Sequence[Mapping[str, Any]]:
    """List what of a course was malformed: the event's place, the field and the reason."""
    return [{"event": wrong.event, "field": wrong.field, "reason": wrong.reason} for wrong in course.wrong]


def _missing(played: Played) -> Sequence[Mapping[str, Any]]:
    """Every event without a fact, in the source's order, and what the source says beside its events."""
    course = played.script.course
    rows = [
        {"index": e.index, "kind": e.word, "day": dict(e.day.told), "reason": played.missing.get(e.index, "not told")}
        for e in course.events
        if e.index not in played.facts
    ]
    for wrong in course.wrong:
        if wrong.event is not None:
            row = wrong.row if isinstance(wrong.row, Mapping) else {}
            why = f"{wrong.field}: {wrong.reason}" if wrong.field else wrong.reason
            rows.append({"index": wrong.event, "kind": row.get("kind"), "day": row.get("day"), "reason": why})
    said = [(BACKGROUND, "background"), (END, "end")]
    beside = [{"index": None, "kind": kind, "day": None, "reason": played.missing[place]}
              for place, kind in said if place in played.missing]  # fmt: skip
    return [*sorted(rows, key=lambda row: int(str(row["index"]))), *beside]


def _represented(played: Played, event: Published) -> dict[str, Any]:
    fact = played.facts[event.index]
    return {
        "index": event.index,
        "kind": event.word,
        "fields": dict(event.fields),
        "published_day": dict(event.day.told),
        "recorded_day": days_of(played.explained.get(event.index, fact).occurred, played.script.day_0),
        "type": fact.event.type,
        "event": fact.id,
        **_corrected(fact, played.script.day_0),
    }


def _corrected(fact: Fact[Any], day_0: date) -> Mapping[str, Any]:
    """A correction has a day of its own; the day of what it corrects stands beside it."""
    return {"corrects": fact.corrects, "corrected_day": days_of(fact.occurred, day_0)} if fact.corrects else {}


def _dated(fact: Fact[Any], played: Played) -> dict[str, Any]:
    earliest, latest = fact.occurred.earliest, fact.occurred.latest
    superseded = {f.corrects for f in played.facts.values() if f.corrects}
    return {
        "event": fact.id,
        "type": fact.event.type,
        "version": fact.version,
        "occurred": {
            "precision": fact.occurred.precision,
            "earliest": earliest.isoformat() if earliest else None,
            "latest": latest.isoformat() if latest else None,
        },
        "days": days_of(fact.occurred, played.script.day_0),
        "recorded_at": fact.at.isoformat(),
        "provenance": fact.provenance,
        "superseded": fact.id in superseded,
    }


def _end_state(played: Played) -> dict[str, Any]:
    case, course = played.state, played.script.course
    return {
        "status": status(case, played.facts.values()),
        "published_alive": course.alive,
        "last_known": course.last_known or None,
        "stage": case.stage.value,
        "exit": case.exit.value if case.exit else None,
        "follow_up": case.follow_up,
        "treatments": len(case.treatments),
        "infusions": [{"number": i.number, "day": days_of(i.occurred, played.script.day_0)} for i in case.infusions],
        "transplants": case.transplants,
        "death": _death(played),
    }


def status(case: Case, facts: Any) -> str:  # noqa: ANN401 - facts of any event
    """Dead once a death is recorded; alive only if a visit or contact says so; else unknown."""
    if case.died:
        return "dead"
    visits = [f.event.alive for f in facts if f.event.type == "VisitRecorded"]
    return "unknown" if not visits else "alive" if visits[-1] else "unknown"


def _death(played: Played) -> Mapping[str, Any] | None:
    deaths = [f for f in played.facts.values() if f.event.type == "DeathReported"]
    return days_of(deaths[-1].occurred, played.script.day_0) if deaths and played.state.died else None


def malformed(told: Mapping[str, Any]) -> Sequence[str]:
    """List what of the file could not be read, a line each: course, event and field, reason."""
    wrong = [(o["patient"], e) for o in (*told["courses"], *told["refused"]) for e in o["errors"]]
    return [f"{patient}: {CourseFault(e['field'], e['reason'], e['event'])}" for patient, e in wrong]


def table(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    """Draw the outcomes as a table for people."""
    rows = Table(title="Published courses, rehearsed")
    for heading in ("patient", "told", "missing", "end", "stage", "follow-up", "infusions", "transplants", "protocol"):
        rows.add_column(heading)
    for o in outcomes:
        end = o["end_state"]
        rows.add_row(
            escape(o["patient"]),
            str(len(o["represented"])),
            escape("; ".join(f"{m['kind']}: {m['reason']}" for m in o["missing"])) or "-",
            end["status"],
            end["stage"],
            end["follow_up"],
            str(len(end["infusions"])),
            str(end["transplants"]),
            o["protocol"]["matched_by"] or "made up",
        )
    return rows


def cohort_table(told: Mapping[str, Any]) -> Table:
    """Return a cohort for people: how many cases ended how, and how fast it went."""
    rows = Table(title=f"{told['cases']} cases until {told['until'][:10]}")
    rows.add_column("where they stand")
    rows.add_column("cases", justify="right")
    for end, count in told["ends"].items():
        rows.add_row(end, str(count))
    rows.add_section()
    rows.add_row("open, and nobody owes anything", str(len(told["stuck"])))
    rows.add_row("events", f"{told['events']} ({told['events_per_second']} a second)")
    rows.add_row("seconds", f"{told['seconds']} ({told['cases_per_second']} cases a second)")
    return rows
