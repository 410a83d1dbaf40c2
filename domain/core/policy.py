"""The numbers of the service as one frozen value: reminder ladders, deadlines, working-day tables, leases.

Read from infra/policy/policy.yaml, which names the source of each [policy.defaults]. An obligation keeps the instants
and the hash of the policy it was opened under, so a new policy touches nothing that is already open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo


class Party(StrEnum):
    """Lists who can owe something, or to whom."""

    COORDINATOR = "coordinator"
    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"  # the service's own medical reviewer, advisory only
    TRANSLATOR = "translator"
    HOSPITAL = "hospital"
    FAMILY = "family"
    CONSULATE = "consulate"
    HOME_ONCOLOGIST = "home_oncologist"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: working days of somebody's calendar, days of 24 hours, or hours."""

    amount: int
    unit: Literal["working_days", "days", "hours"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: how far from the anchor, and who is reminded or called in."""

    after: Span
    action: Literal["remind", "escalate"]
    to: Party


@dataclass(frozen=True, slots=True)
class Ladder:
    """Says how an obligation is chased. Spans count from its opening, or back from a due instant the facts give.

    `from_facts`: they count from the day the facts give, as a time limit does that began before anybody told of it.
    """

    due: Span | None
    rungs: tuple[Rung, ...] = ()
    before_due: bool = False
    from_facts: bool = False

    def stretched(self, factor: int) -> Ladder:
        """Return the same ladder, every span that many times as long."""
        due = self.due and replace(self.due, amount=self.due.amount * factor)
        rungs = tuple(replace(r, after=replace(r.after, amount=r.after.amount * factor)) for r in self.rungs)
        return replace(self, due=due, rungs=rungs)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One country's working days: weekends off unless listed in `make_up`, `holidays` off."""

    zone: str
    holidays: frozenset[date] = frozenset()
    make_up: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})

    def works_on(self, day: date) -> bool:
        """Return whether people are at work that day."""
        return day in self.make_up or (day.weekday() not in self.weekend and day not in self.holidays)

    @property
    def until(self) -> date | None:
        """Return the last day of the last year whose holidays are known; None = there are none at all."""
        return date(max(day.year for day in self.holidays), 12, 31) if self.holidays else None


FORESIGHT = timedelta(days=730)
"""So long before a table of holidays ends everybody who looks is told: a newer release brings later years."""
OPENING, CLOSING = time(9), time(17)
NO_HOLIDAYS = Calendar("UTC")


@dataclass(frozen=True, slots=True)
class Policy:
    """Ladders, deadlines and leases; `hash` is the SHA-256 of the file and tables it was read from.

    `urgent` are the ladders of an urgent case, of the kinds that have one of their own [policy.urgent]. `lead_times`
    say how long before the infusion each step of a journey is done [travel.backward].
    """

    name: str
    hash: str
    ladders: Mapping[str, Ladder]
    calendars: Mapping[str, Calendar]
    home_country: str = "IN"
    late_after: timedelta = timedelta(minutes=15)
    retry_unknown: tuple[timedelta, ...] = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
    decision_valid: timedelta = timedelta(days=28)
    dose_hold: timedelta = timedelta(days=14)
    dose_margin: timedelta = timedelta(days=3)
    stay_margin: timedelta = timedelta(days=14)
    infusion_window: timedelta = timedelta(days=14)
    passport_after_entry: timedelta = timedelta(days=183)
    passport_after_stay: timedelta | None = None
    proposal_lapse: timedelta = timedelta(days=14)
    protocol_review: timedelta = timedelta(days=90)
    centre_review: timedelta = timedelta(days=180)
    urgent: Mapping[str, Ladder] = field(default_factory=dict)
    lead_times: Mapping[str, Span] = field(default_factory=dict)

    def ladder(self, kind: str, *, urgent: bool) -> Ladder:
        """Return how this kind is chased in an urgent or an ordinary case."""
        return self.urgent.get(kind, self.ladders[kind]) if urgent else self.ladders[kind]

    def calendar(self, country: str) -> Calendar:
        """Return the country's working-day table; a country without one has plain weekends in UTC."""
        return self.calendars.get(country, NO_HOLIDAYS)

    def ending(self, now: datetime) -> Mapping[str, date]:
        """Return the countries whose holidays are known for less than FORESIGHT from now, and until which day.

        Working days after it are reckoned by weekends alone.
        """
        known = {country: calendar.until for country, calendar in sorted(self.calendars.items())}
        soon = (now + FORESIGHT).date()
        return {country: until for country, until in known.items() if until is not None and until < soon}

    def instant(self, start: datetime, span: Span, country: str, at: time = CLOSING) -> datetime:
        """`start` plus the span, in UTC. Working days end at local closing time unless `at` says otherwise."""
        if span.unit == "hours":
            return start + timedelta(hours=span.amount)
        if span.unit == "days":
            return start + timedelta(days=span.amount)
        calendar = self.calendar(country)
        zone = ZoneInfo(calendar.zone)
        day, step = start.astimezone(zone).date(), 1 if span.amount >= 0 else -1
        for _ in range(abs(span.amount)):
            day += timedelta(days=step)
            while not calendar.works_on(day):
                day += timedelta(days=step)
        return datetime.combine(day, at, zone).astimezone(UTC)
