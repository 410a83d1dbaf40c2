"""Rehearsal: events and cases a second; one fifteen-year case against bare appends of the same number of events."""

import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from activities.ports import Append, Meta
from bench.common import Asked, Row, short
from domain.core.fact import Draft
from domain.stages.anytime.notes import NoteAdded
from rehearsal.cohort.cohort_run import rehearse_cohort
from rehearsal.courses.courses_run import play_courses
from rehearsal.courses.known import catalogued
from rehearsal.courses.published.courses import Course, Published
from rehearsal.courses.published.days import read_day
from rehearsal.world.chance import seeded_ids
from rehearsal.world.opening import stage

BEGINS = datetime(2008, 3, 3, tzinfo=UTC)
LAST = 15 * 365
CASES, YEARS = 20, 3


def fifteen_years() -> Course:
    """An infusion, and a word every half year until the fifteenth."""
    days = [(0, "infusion"), *((day, "follow_up") for day in range(180, LAST + 1, 180))]
    events = [Published(n, kind, read_day({"known": True, "at": day}), {}) for n, (day, kind) in enumerate(days)]
    return Course("fifteen years", "bench", tuple(events), alive=True)


async def one_case() -> tuple[int, float]:
    """Events and seconds of one case from its inquiry to its fifteenth year."""
    async with stage(BEGINS, 1) as scene:
        began = time.perf_counter()
        await play_courses(scene, [fifteen_years()], catalogued())
        return scene.ledger.appended, time.perf_counter() - began


async def bare(events: int) -> float:
    """Seconds for as many appends of one small event each, one after the other, to the same kind of ledger."""
    ids = seeded_ids(2)
    async with stage(BEGINS, 1) as scene:
        began = time.perf_counter()
        for n in range(events):
            draft = Draft(NoteAdded("note", "a word"), ids())
            await scene.ledger.append(Append("case-bare", n, [draft], Meta("bench"), at=BEGINS + timedelta(minutes=n)))
        return time.perf_counter() - began


async def main(asked: Asked) -> AsyncIterator[Row]:
    """One row for the long case, one for a cohort."""
    events, seconds = await one_case()
    alone = await bare(events)
    yield {"fifteen-year case": {"events": events, "seconds": short(seconds), "bare_appends_s": short(alone),
                                 "times bare": short(seconds / alone)}}  # fmt: skip
    years = asked.either(YEARS, 0.1)
    span = timedelta(days=365.25 * years)
    with tempfile.TemporaryDirectory() as folder:
        told = await rehearse_cohort(asked.either(CASES, 1), 1, span, folder=Path(folder))
    wanted = ("cases", "seconds", "events", "events_per_second", "cases_per_second", "ends")
    yield {"years": years, **{name: told[name] for name in wanted if name in told}, "stuck": len(told["stuck"])}
