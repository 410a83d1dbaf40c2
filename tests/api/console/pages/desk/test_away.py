"""The days of a leave, and who is away in words: by the person's own clock, the last day being part of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.names import NameEntry
from api.console.pages.desk.away import away_words, could_cover, days_of, last_day
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from domain.core.errors import Refused
from domain.core.roles import Role
from domain.roles import Actor

KOLKATA = ZoneInfo("Asia/Kolkata")
T = Texts("en")


def clock(at: datetime, zone: str = "Asia/Kolkata") -> ViewerClock:
    return ViewerClock(at, ZoneInfo(zone), T)


def test_a_leave_of_one_day_is_that_whole_day_where_the_person_is() -> None:
    since, until = days_of("2026-05-12", "2026-05-12", KOLKATA)
    assert since.astimezone(UTC) == datetime(2026, 5, 11, 18, 30, tzinfo=UTC)
    assert until.astimezone(UTC) == datetime(2026, 5, 12, 18, 30, tzinfo=UTC)


def test_a_day_on_which_clocks_change_is_a_whole_day() -> None:
    since, until = days_of("2026-10-25", "2026-10-25", ZoneInfo("Europe/Berlin"))
    assert until.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("", "2026-05-12", "since"),
        ("2026-05-12", "tomorrow", "until"),
        ("2026-05-12", "2026-05-11", "until"),
        ("2026-05-12", "2028-05-11", "until"),
        ("9999-12-31", "9999-12-31", "since"),
        ("0001-01-01", "0001-01-01", "since"),
    ],
)
def test_what_is_no_leave_is_refused_at_its_field(first: str, last: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        days_of(first, last, KOLKATA)
    assert refused.value.field == field


DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
ZONES = st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Shanghai"])


@given(DAYS, st.integers(0, 300), ZONES)
def test_the_last_day_said_is_the_last_day_told(first: date, more: int, zone: str) -> None:
    last = first + timedelta(days=more)
    _, until = days_of(first.isoformat(), last.isoformat(), ZoneInfo(zone))
    assert last_day(until, clock(until, zone)) == clock(until, zone).day(last)


def test_whoever_is_away_is_said_to_be_only_while_they_are() -> None:
    since, until = days_of("2026-05-12", "2026-05-14", KOLKATA)
    mei = NameEntry("person-mei", "Mei", "coordinator", "asia", "Asia/Kolkata", since, until, "person-amir")
    names = {"person-amir": "Amir"}
    assert away_words(mei, clock(since), names) == "away to 14 May 2026; Amir covers"
    assert away_words(mei, clock(since - timedelta(seconds=1)), names) == ""
    assert away_words(mei, clock(until), names) == ""
    assert away_words(None, clock(since), names) == ""


def test_who_covers_is_of_the_same_role_and_team_or_a_supervisor() -> None:
    staff = [
        NameEntry("person-1", "Amir", "coordinator", "asia"),
        NameEntry("person-2", "Bo", "coordinator", "europe"),
        NameEntry("person-3", "Chen", "reviewer", "asia"),
        NameEntry("person-4", "Dana", "supervisor", "europe"),
        NameEntry("person-5", "Left", "", "asia"),
        NameEntry("person-me", "Mei", "coordinator", "asia"),
    ]
    found = could_cover(Actor("person-me", Role.COORDINATOR, "asia"), staff)
    assert [one.name for one in found] == ["Amir", "Dana"]
    assert [one.name for one in could_cover(Actor("person-9", Role.REVIEWER, "asia"), staff)] == ["Chen", "Dana"]
