"""Says who is away and who covers, in words; reads the days of a leave as its form gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from activities.command_codec import YEARS
from api.console.names import NameEntry
from api.console.text.times import ViewerClock
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Role
from domain.roles import Actor

LONGEST = timedelta(days=366)
NIGHT = timedelta(seconds=1)


def away_words(person: NameEntry | None, clock: ViewerClock, names: Mapping[str, str]) -> str:
    """Say until which day somebody is away and who covers; empty for who is here."""
    if person is None or person.absent_until is None or not person.away_at(clock.now):
        return ""
    cover = names.get(person.cover, person.cover)
    return clock.t("leave.away", until=last_day(person.absent_until, clock), cover=cover)


def last_day(until: datetime, clock: ViewerClock) -> str:
    """Return the last day of an absence that ends at an instant, in the viewer's zone."""
    return clock.day((until - NIGHT).astimezone(clock.zone).date())


def days_of(first: str, last: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the instants a leave begins and ends at, from its first and last day in the person's zone. Raises Refused.

    The last day is part of it: it ends when the next one begins.
    """
    begins, ends = _day(first, "since"), _day(last, "until")
    require(begins <= ends, Reason.INVALID, "the last day is not before the first", "until")
    require(ends - begins <= LONGEST, Reason.INVALID, "a leave is a year at most", "until")
    after = ends + timedelta(days=1)
    return datetime.combine(begins, time(), zone), datetime.combine(after, time(), zone)


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused(Reason.INVALID, "give a day", field) from None
    require(day.year in YEARS, Reason.INVALID, f"must lie between {YEARS.start} and {YEARS.stop}", field)
    return day


def could_cover(who: Actor, staff: Iterable[NameEntry]) -> Sequence[NameEntry]:
    """Return who can see to this person's cases: their role and team, and supervisors; never themselves."""

    def can(one: NameEntry) -> bool:
        same = one.role == who.role.value and (who.role is not Role.COORDINATOR or one.team == who.team)
        return one.id != who.id and (same or one.role == Role.SUPERVISOR.value)

    return sorted(filter(can, staff), key=lambda one: one.name)
