"""Plays published courses in one rehearsal ledger and says of each what it came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from activities.command_handler import Recorded
from activities.ports import Meta
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.fact import Fact
from rehearsal.courses.known import Catalogued
from rehearsal.courses.mainline import line
from rehearsal.courses.places import PlaceKeeper
from rehearsal.courses.published.courses import Course
from rehearsal.courses.script import Script, lead, script
from rehearsal.courses.steps import CourseStep, Places, ToldSoFar
from rehearsal.world.quiet import quiet_handlers
from rehearsal.world.stage import RehearsalStage

ACTOR = "rehearsal"
AFTER = timedelta(hours=1)
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class Played:
    """One course on the stage: the case it became, the fact of every published event, and why one was corrected."""

    script: Script
    case: str
    facts: dict[int, Fact[Any]] = field(default_factory=dict)
    explained: dict[int, Fact[Any]] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    state: Case = field(default_factory=Case)


async def play_courses(
    stage: RehearsalStage, courses: Sequence[Course], known: Catalogued, progress: Progress = lambda *_: None
) -> Sequence[Played]:
    """Play every course from its inquiry to the last thing known; all begin when the stage's clock stands now."""
    stage.handlers = quiet_handlers()
    keeper = PlaceKeeper(stage.commands, known, stage.clock.now)
    first = stage.clock.now.date() + timedelta(days=1)
    played = []
    for number, course in enumerate(courses, 1):
        if not course.playable:
            continue
        places = keeper.places(course, number)
        await keeper.provide(course, places, sum(len(t.cells) for t in line(course).treatments))
        written = script(course, places, first + timedelta(days=lead(course)))
        one = Played(written, f"case-{stage.ids()}", missing=dict(written.missing))
        played.append(one)
        for step in written.steps:
            stage.at(step.at, _job(stage, one, step))
        stage.at(written.ends + AFTER, _leaving(stage, one, progress, len(courses)))
    while stage.next_at is not None:
        await stage.step()
    await stage.end()
    return played


def _job(stage: RehearsalStage, one: Played, step: CourseStep) -> Callable[[], Any]:
    async def say() -> None:
        seen = ToldSoFar(one.state, {place: fact.id for place, fact in one.facts.items()})
        try:
            command = step.tell(seen)
            if command is None:
                return
            said = await stage.tell(one.case, command, Meta(ACTOR, provenance=step.provenance))
        except (Refused, LookupError, StopIteration, ValueError) as no:
            words = f"{no.reason.value}: {no.detail}" if isinstance(no, Refused) else f"{type(no).__name__}: {no}"
            if step.place is None:
                one.problems.append(f"{step.at:%Y-%m-%d}: {words}")
            else:
                one.missing[step.place] = words
            return
        _keep(one, step, said)
        one.state = said.case

    return say


def _keep(one: Played, step: CourseStep, said: Recorded) -> None:
    """The fact that tells a published event: the last one a person brought about with its own date."""
    if step.place is None:
        return
    if why := [f for f in said.facts if f.event.type == "FactCorrected"]:
        one.explained[step.place] = why[0]
    told = [f for f in said.facts if f.why is None and f.event.type != "FactCorrected"]
    dated = [f for f in told if f.occurred == step.occurred] or told
    if dated:
        one.facts[step.place] = dated[0]


def _leaving(stage: RehearsalStage, one: Played, progress: Progress, total: int) -> Callable[[], Any]:
    async def leave() -> None:
        one.state = await stage.leave(one.case)
        progress(len(stage.closed), total, one.script.course.patient)

    return leave


def span(courses: Sequence[Course]) -> timedelta:
    """Return how long the longest of these courses takes from the inquiry to the last thing known."""
    probe = date(2000, 1, 1)
    scripts = [script(c, Places("", "", "", "lot-"), probe) for c in courses if c.playable]
    return max((s.ends - s.starts for s in scripts), default=timedelta(0)) + timedelta(days=3)
