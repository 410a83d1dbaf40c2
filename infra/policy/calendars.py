"""Working-day tables per country as infra/policy/calendars.json has them."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain.core.policy import Calendar

CALENDARS = Path(__file__).with_name("calendars.json")
WEEK = range(7)


class CalendarsInvalid(ValueError):
    """The table cannot be used; the message names country and field."""


def read_calendars(text: bytes) -> Mapping[str, Calendar]:
    """Read country (ISO 3166 alpha-2) → calendar. Raises CalendarsInvalid."""
    try:
        countries: Mapping[str, Any] = json.loads(text)["countries"]
    except (ValueError, KeyError, TypeError) as error:
        raise CalendarsInvalid(f"calendars: not a table of countries: {error!r}") from error
    return {country: _calendar(country, row) for country, row in countries.items()}


def _calendar(country: str, row: Mapping[str, Any]) -> Calendar:
    field = "zone"
    try:
        zone = str(row[field])
        ZoneInfo(zone)
        field = "weekend"
        weekend = _weekend(row[field])
        field = "holidays"
        holidays = _days(row[field])
        field = "make_up"
        return Calendar(zone, holidays, _days(row[field]), weekend)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise CalendarsInvalid(f"calendars: countries.{country}.{field}: {error}") from error


def _weekend(days: Iterable[int]) -> frozenset[int]:
    weekend = frozenset(days)
    if not weekend < frozenset(WEEK):
        raise ValueError("days run from 0 (Monday) to 6, and somebody works")
    return weekend


def _days(years: Mapping[str, Any]) -> frozenset[date]:
    """Days written per year, so that a line of the file is a year."""
    days = {date.fromisoformat(day) for written in years.values() for day in written}
    if strangers := [day for year, written in years.items() for day in written if not day.startswith(f"{year}-")]:
        raise ValueError(f"{strangers[0]} stands under another year")
    return frozenset(days)
