"""One thing said at one instant of a rehearsal, and where it is played: centre, protocol, lot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.case.state import Case
from domain.core.fact import Command
from domain.core.when import When

ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class ToldSoFar:
    """Holds what a step may look at: the case as it stands, and which fact tells which event of the source."""

    case: Case
    facts: Mapping[int, str]


Tell = Callable[[ToldSoFar], Command | None]
"""None = nothing need be said after all."""


@dataclass(frozen=True, slots=True)
class CourseStep:
    """A command at an instant, or nothing where the case no longer needs it.

    `place` is the published event it tells, `target` the one it corrects;
    `provenance` begins with `published: ` or `assumed: `.
    """

    at: datetime
    tell: Tell
    provenance: str
    place: int | None = None
    occurred: When | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Says where a course is played. `generic` names what had to be made up for it."""

    centre: str
    country: str
    protocol: str
    lot: str
    matched_by: str = ""
    generic: tuple[str, ...] = ()

    def unit(self, number: int) -> str:
        """Return the unit for the n-th infusion, counted from 1."""
        return f"{self.lot.removeprefix('lot-')}-{number}"


@dataclass(frozen=True, slots=True)
class CourseCalendar:
    """Days of a course as instants."""

    day_0: date

    def at(self, day: int, hour: int, minute: int = 0) -> datetime:
        """Return that day at that time, UTC; more than 59 minutes run on."""
        start = datetime.combine(self.day_0 + timedelta(days=day), time(hour), UTC)
        return start + timedelta(minutes=minute)

    def on(self, day: int) -> date:
        """Return the date of a day of the course."""
        return self.day_0 + timedelta(days=day)


@dataclass(slots=True)
class Writer:
    """Writes steps one after the other: none before the one written last."""

    steps: list[CourseStep]
    cursor: datetime

    def say(
        self, at: datetime, tell: Tell, provenance: str, place: int | None = None, when: When | None = None
    ) -> None:
        """Say it at that instant, or a minute after the step before where that is later."""
        self.cursor = max(at, self.cursor + timedelta(minutes=1))
        self.steps.append(CourseStep(self.cursor, tell, provenance, place, when))
