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
    "AF": ("Asia/Kabul", None),
    "AM": ("Asia/Yerevan", None),
    "AR": ("America/Argentina/Buenos_Aires", None),
    "AT": ("Europe/Vienna", None),
    "AU": ("Australia/Sydney", "NSW"),
    "AZ": ("Asia/Baku", None),
    "BD": ("Asia/Dhaka", None),
    "BE": ("Europe/Brussels", None),
    "BG": ("Europe/Sofia", None),
    "BH": ("Asia/Bahrain", None),
    "BN": ("Asia/Brunei", None),
    "BR": ("America/Sao_Paulo", None),
    "CA": ("America/Toronto", None),
    "CH": ("Europe/Zurich", None),
    "CL": ("America/Santiago", None),
    "CN": ("Asia/Shanghai", None),
    "CO": ("America/Bogota", None),
    "CZ": ("Europe/Prague", None),
    "DE": ("Europe/Berlin", None),
    "DK": ("Europe/Copenhagen", None),
    "DZ": ("Africa/Algiers", None),
    "EG": ("Africa/Cairo", None),
    "ES": ("Europe/Madrid", None),
    "ET": ("Africa/Addis_Ababa", None),
    "FI": ("Europe/Helsinki", None),
    "FR": ("Europe/Paris", None),
    "GB": ("Europe/London", "ENG"),
    "GE": ("Asia/Tbilisi", None),
    "GH": ("Africa/Accra", None),
    "GR": ("Europe/Athens", None),
    "HK": ("Asia/Hong_Kong", None),
    "HR": ("Europe/Zagreb", None),
    "HU": ("Europe/Budapest", None),
    "ID": ("Asia/Jakarta", None),
    "IE": ("Europe/Dublin", None),
    "IL": ("Asia/Jerusalem", None),
    "IN": ("Asia/Kolkata", None),
    "IQ": ("Asia/Baghdad", None),
    "IR": ("Asia/Tehran", None),
    "IT": ("Europe/Rome", None),
    "JO": ("Asia/Amman", None),
    "JP": ("Asia/Tokyo", None),
    "KE": ("Africa/Nairobi", None),
    "KG": ("Asia/Bishkek", None),
    "KH": ("Asia/Phnom_Penh", None),
    "KR": ("Asia/Seoul", None),
    "KW": ("Asia/Kuwait", None),
    "KZ": ("Asia/Almaty", None),
    "LA": ("Asia/Vientiane", None),
    "LB": ("Asia/Beirut", None),
    "LK": ("Asia/Colombo", None),
    "LY": ("Africa/Tripoli", None),
    "MA": ("Africa/Casablanca", None),
    "MM": ("Asia/Yangon", None),
    "MN": ("Asia/Ulaanbaatar", None),
    "MX": ("America/Mexico_City", None),
    "MY": ("Asia/Kuala_Lumpur", None),
    "NG": ("Africa/Lagos", None),
    "NL": ("Europe/Amsterdam", None),
    "NO": ("Europe/Oslo", None),
    "NP": ("Asia/Kathmandu", None),
    "NZ": ("Pacific/Auckland", None),
    "OM": ("Asia/Muscat", None),
    "PE": ("America/Lima", None),
    "PH": ("Asia/Manila", None),
    "PK": ("Asia/Karachi", None),
    "PL": ("Europe/Warsaw", None),
    "PS": ("Asia/Hebron", None),
    "PT": ("Europe/Lisbon", None),
    "QA": ("Asia/Qatar", None),
    "RO": ("Europe/Bucharest", None),
    "RS": ("Europe/Belgrade", None),
    "RU": ("Europe/Moscow", None),
    "RW": ("Africa/Kigali", None),
    "SA": ("Asia/Riyadh", None),
    "SD": ("Africa/Khartoum", None),
    "SE": ("Europe/Stockholm", None),
    "SG": ("Asia/Singapore", None),
    "SY": ("Asia/Damascus", None),
    "TH": ("Asia/Bangkok", None),
    "TJ": ("Asia/Dushanbe", None),
    "TN": ("Africa/Tunis", None),
    "TR": ("Europe/Istanbul", None),
    "TW": ("Asia/Taipei", None),
    "TZ": ("Africa/Dar_es_Salaam", None),
    "UG": ("Africa/Kampala", None),
    "US": ("America/New_York", None),
    "UZ": ("Asia/Tashkent", None),
    "VN": ("Asia/Ho_Chi_Minh", None),
    "YE": ("Asia/Aden", None),
    "ZA": ("Africa/Johannesburg", None),
    "ZM": ("Africa/Lusaka", None),
    "ZW": ("Africa/Harare", None),
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
