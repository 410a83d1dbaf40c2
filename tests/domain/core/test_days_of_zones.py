"""A day begins and ends where it is lived: it has 23, 24 or 25 hours, and every instant of the calendar has one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.when import When
from tests.drawing import draws

LAST = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "day", "first", "hours"),
    [
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00+00:00", 25),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00+00:00", 23),
        ("Asia/Shanghai", "2026-12-01", "2026-11-30T16:00:00+00:00", 24),
        ("UTC", "2026-12-01", "2026-12-01T00:00:00+00:00", 24),
    ],
)
def test_a_day_is_as_long_as_it_is_there(zone: str, day: str, first: str, hours: int) -> None:
    when = When.on(date.fromisoformat(day), ZoneInfo(zone))
    assert when.earliest
    assert when.latest
    assert when.earliest.isoformat() == first
    assert when.latest - when.earliest + LAST == timedelta(hours=hours)


ZONES = st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Asia/Shanghai", "Asia/Beirut"])


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), ZONES)
@draws(100)
def test_one_day_follows_the_other_without_gap_or_overlap(day: date, zone: str) -> None:
    today, next_one = (When.on(one, ZoneInfo(zone)) for one in (day, day + timedelta(days=1)))
    assert today.latest
    assert next_one.earliest == today.latest + LAST
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert today.earliest
    assert today.earliest < noon < today.latest


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Los_Angeles", "UTC"])
def test_the_first_and_the_last_day_of_the_calendar_are_days_in_every_zone(zone: str) -> None:
    first, last = (When.on(day, ZoneInfo(zone)) for day in (date.min, date.max))
    assert first.earliest
    assert first.earliest >= datetime.min.replace(tzinfo=UTC)
    assert last.earliest
    assert last.latest
    assert last.latest - last.earliest > timedelta(hours=15)
