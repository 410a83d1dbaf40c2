"""Writes infra/policy/calendars.json from the `holidays` library. Read the diff, then commit.

`python -m infra.policy.make_calendars` runs it.
Only rest days by law for everybody (category "public"). Days of the moon beyond the published years are the library's
estimates; China's make-up days exist for the years its State Council has published.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path

import holidays

from infra.policy.calendars import CALENDARS

YEARS = range(2024, 2033)
COUNTRIES: Mapping[str, tuple[str, str | None]] = {
    "AE": ("Asia/Dubai", None),
    "AU": ("Australia/Sydney", "NSW"),
    "BD": ("Asia/Dhaka", None),
    "BR": ("America/Sao_Paulo", None),
    "CN": ("Asia/Shanghai", None),
    "DE": ("Europe/Berlin", None),
    "EG": ("Africa/Cairo", None),
    "ET": ("Africa/Addis_Ababa", None),
    "FR": ("Europe/Paris", None),
    "GB": ("Europe/London", "ENG"),
    "ID": ("Asia/Jakarta", None),
    "IN": ("Asia/Kolkata", None),
    "JP": ("Asia/Tokyo", None),
    "KE": ("Africa/Nairobi", None),
    "KZ": ("Asia/Almaty", None),
    "LK": ("Asia/Colombo", None),
    "NG": ("Africa/Lagos", None),
    "NP": ("Asia/Kathmandu", None),
    "PH": ("Asia/Manila", None),
    "PK": ("Asia/Karachi", None),
    "RU": ("Europe/Moscow", None),
    "SA": ("Asia/Riyadh", None),
    "SG": ("Asia/Singapore", None),
    "TH": ("Asia/Bangkok", None),
    "TR": ("Europe/Istanbul", None),
    "US": ("America/New_York", None),
    "UZ": ("Asia/Tashkent", None),
    "VN": ("Asia/Ho_Chi_Minh", None),
    "ZA": ("Africa/Johannesburg", None),
}
"""Zone of the capital or the largest city, and the subdivision whose holidays count where the nation has too few."""


def table() -> str:
    """Return the file's text: one line per country and year, in order."""
    rows = [f"    {json.dumps(country)}: {_country(country)}" for country in sorted(COUNTRIES)]
    head = {"made_by": "infra/policy/make_calendars.py", "from": f"holidays {version('holidays')}", "license": "MIT"}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    return "\n".join(["{", *lines, '  "countries": {', ",\n".join(rows), "  }", "}", ""])


def _country(country: str) -> str:
    zone, subdivision = COUNTRIES[country]
    found = holidays.country_holidays(country, subdiv=subdivision, years=YEARS)
    make_up = [day for day in getattr(found, "weekend_workdays", ()) if day.year in YEARS]
    fields = {
        "zone": json.dumps(zone),
        "subdivision": json.dumps(subdivision),
        "weekend": json.dumps(sorted(found.weekend)),
        "holidays": _years(found),
        "make_up": _years(make_up),
    }
    body = ",\n".join(f"      {json.dumps(name)}: {value}" for name, value in fields.items())
    return f"{{\n{body}\n    }}"


def _years(days: Iterable[date]) -> str:
    by_year = {year: sorted(day.isoformat() for day in days if day.year == year) for year in YEARS}
    lines = [f"        {json.dumps(str(year))}: {json.dumps(found)}" for year, found in by_year.items() if found]
    return "{\n" + ",\n".join(lines) + "\n      }" if lines else "{}"


def write(path: Path = CALENDARS) -> None:
    """Write the calendars to a file."""
    path.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    write()
