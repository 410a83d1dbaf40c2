"""`caravel rehearse`: published courses, or a generated cohort, through years by a virtual clock."""

from __future__ import annotations

import asyncio
import gc
import json as as_json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from domain.core.errors import Refused
from rehearsal.courses import report
from rehearsal.courses.courses_run import Progress, play_courses, span
from rehearsal.courses.known import catalogued
from rehearsal.courses.published.courses import CoursesInvalid, read_courses
from rehearsal.world.opening import ends_by, stage

OK, REFUSED, INVALID = 0, 1, 2


async def rehearse_courses(
    text: str | bytes,
    *,
    database: str = "",
    folder: Path | None = None,
    start: datetime | None = None,
    seed: int | str = 1,
    progress: Progress = lambda *_: None,
) -> Mapping[str, Any]:
    """Play every course of a file, told back as JSON. Raises CoursesInvalid; Refused for a ledger that is not empty."""
    courses = read_courses(text)
    begins = start or ends_by() - span(courses)
    async with stage(begins, seed, database=database, folder=folder) as scene:
        played = await play_courses(scene, courses, catalogued(), progress)
        events = scene.ledger.appended
    outcomes = [report.outcome(one) for one in played]
    refused = [report.refused(course) for course in courses if not course.playable]
    missing = sum(len(o["missing"]) for o in outcomes)
    told = sum(len(o["represented"]) for o in outcomes)
    return {
        "courses": outcomes,
        "refused": refused,
        "represented": told,
        "missing": missing,
        "recorded_events": events,
    }


def rehearse(
    *,
    courses: Path | None = None,
    cohort: int | None = None,
    seed: int = 1,
    years: float = 5.0,
    database: str = "",
    json: bool = False,
) -> int:
    """Rehearse published courses (--courses FILE) or a generated cohort (--cohort N) in an empty ledger of its own.

    Args:
        courses: File of published courses.
        cohort: How many cases to generate.
        seed: The same seed gives the same events in the same order.
        years: How many years a cohort is played through.
        database: Address of an empty, migrated rehearsal database; without one a server runs meanwhile.
        json: The whole outcome as JSON on standard output.
    """
    aside = Console(stderr=True)
    if (courses is None) == (cohort is None):
        aside.print("[red]give either --courses FILE or --cohort N[/red]")
        return INVALID
    try:
        if courses is not None:
            return _courses(courses, seed, database, aside, json=json)
        return _cohort(cohort or 0, seed, years, database, aside, json=json)
    except (CoursesInvalid, OSError) as wrong:
        aside.print(str(wrong), style="red", markup=False)
        return INVALID
    except Refused as no:
        aside.print(f"{no.reason.value}: {no.detail}", style="red", markup=False)
        return REFUSED


def _courses(file: Path, seed: int, database: str, aside: Console, *, json: bool) -> int:
    def progress(done: int, total: int, patient: str) -> None:
        aside.print(f"{done}/{total} {patient}", highlight=False, markup=False)

    gc.enable()  # the command line loads without
    told = asyncio.run(rehearse_courses(file.read_bytes(), database=database, seed=seed, progress=progress))
    if json:
        print(as_json.dumps(told, ensure_ascii=False, indent=1))  # noqa: T201 - the answer of a command
    else:
        Console().print(report.table(told["courses"]))
    wrong = report.malformed(told)
    for line in wrong:
        aside.print(line, style="red", highlight=False, markup=False)
    return REFUSED if wrong else OK


def _cohort(cases: int, seed: int, years: float, database: str, aside: Console, *, json: bool) -> int:
    from rehearsal.cohort.cohort_run import rehearse_cohort  # noqa: PLC0415 - not needed for courses

    def progress(done: float, at: datetime) -> None:
        aside.print(f"{done:4.0%} {at:%Y-%m-%d}", highlight=False)

    gc.enable()
    told = asyncio.run(
        rehearse_cohort(cases, seed, timedelta(days=years * 365.25), database=database, progress=progress)
    )
    if json:
        print(as_json.dumps(told, ensure_ascii=False, indent=1))  # noqa: T201 - the answer of a command
    else:
        Console().print(report.cohort_table(told))
    return OK
