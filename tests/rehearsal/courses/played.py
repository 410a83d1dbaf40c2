"""Plays a file of courses in a database of its own, and what the tests ask of the outcome."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rehearsal.courses.courses_run import Played, play_courses
from rehearsal.courses.known import catalogued
from rehearsal.courses.published.courses import Course, read_courses
from rehearsal.courses.report import outcome
from rehearsal.world.catalogue_data import COURSES
from rehearsal.world.opening import stage

HERE = Path(__file__).parent
FILES = {"given": COURSES, "unseen": HERE / "unseen.json"}
START = datetime(2008, 3, 3, tzinfo=UTC)
AFTER_CELLS = {"assessment", "death", "progression", "toxicity", "toxicity_resolved", "off_study", "follow_up"}


def courses_of(file: str) -> Sequence[Course]:
    return read_courses(FILES[file].read_bytes())


async def play(dsn: str, folder: Path, courses: Sequence[Course], seed: int = 1) -> Sequence[Played]:
    async with stage(START, seed, database=dsn, folder=folder) as scene:
        return await play_courses(scene, courses, catalogued())


def told(played: Sequence[Played]) -> Mapping[str, dict[str, Any]]:
    return {one.script.course.patient: outcome(one) for one in played}


def expected(kind: str, day: Mapping[str, Any]) -> dict[str, Any]:
    """The day as it must stand in the ledger, worked out here and not by the code under test."""
    if not day["known"]:
        return {"precision": "unknown"}
    if "at" in day:
        return {"precision": "day", "day": day["at"]}
    if "about" in day:
        margin = day.get("margin", max(3, -(-abs(day["about"]) // 10)))
        return {"precision": "bound", "first": day["about"] - margin, "last": day["about"] + margin}
    pair = day.get("between", [None, None])
    firsts = [pair[0], day.get("from"), day.get("at_or_after"), day["after"] + 1 if "after" in day else None]
    lasts = [pair[1], day.get("to"), day.get("at_or_before"), day["before"] - 1 if "before" in day else None]
    first = max((f for f in firsts if f is not None), default=None)
    last = min((d for d in lasts if d is not None), default=None)
    if first is None and kind in AFTER_CELLS and last is not None and last >= 0:
        first = 0
    return {"precision": "bound", "first": first, "last": last}


def day_0(case: Mapping[str, Any]) -> date:
    return date.fromisoformat(case["day_0"])
