"""Working days per country: as published, as generated, and across zones and clock changes."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.core.policy import OPENING, Calendar, Policy, Span
from infra.policy.calendars import CALENDARS, CalendarsInvalid, read_calendars
from infra.policy.make_calendars import COUNTRIES, table
from infra.policy.reading import load_policy

POLICY = load_policy()
WANTED = {
    *("CN", "IN", "US", "GB", "DE", "FR", "AE", "SA", "BD", "KE", "NG", "ID", "PK", "LK", "NP"),
    *("TR", "RU", "UZ", "KZ", "EG", "ET", "JP", "SG", "TH", "VN", "PH", "ZA", "BR", "AU"),
    *("KW", "QA", "OM", "BH", "IQ", "JO", "IL", "IT", "ES", "NL", "KR", "MY", "GE", "MN", "MA", "GH", "UG", "TZ"),
}
ESTIMATED_TO = {"LK": 2026}


def at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def working_days(start: datetime, days: int, country: str, policy: Policy = POLICY) -> datetime:
    return policy.instant(start, Span(days, "working_days"), country)


def test_the_committed_table_is_what_the_library_says() -> None:
    assert CALENDARS.read_text(encoding="utf-8") == table()


def test_every_country_wanted_has_nine_years_of_holidays() -> None:
    assert set(COUNTRIES) == set(POLICY.calendars) >= WANTED
    for country, calendar in POLICY.calendars.items():
        years = {day.year for day in calendar.holidays}
        assert years == set(range(2024, ESTIMATED_TO.get(country, 2032) + 1)), country


def test_thanksgiving_as_the_library_counts_it() -> None:
    start = at("2026-11-25T10:00", "America/New_York")
    assert working_days(start, 3, "US") == at("2026-12-01T17:00", "America/New_York")


def test_golden_week_and_the_saturday_worked_for_it() -> None:
    china = POLICY.calendars["CN"]
    assert [day for day in range(1, 11) if china.works_on(date(2026, 10, day))] == [8, 9, 10]
    assert date(2026, 10, 10).weekday() == 5
    eve = at("2026-09-30T15:00", "Asia/Shanghai")
    assert working_days(eve, 1, "CN") == at("2026-10-08T17:00", "Asia/Shanghai")
    assert working_days(eve, 3, "CN") == at("2026-10-10T17:00", "Asia/Shanghai")
    assert working_days(eve, 4, "CN") == at("2026-10-12T17:00", "Asia/Shanghai")


def test_spring_festival_stops_a_hospital_but_not_a_coordinator_in_india() -> None:
    start = at("2026-02-13T09:00", "Asia/Shanghai")
    assert working_days(start, 2, "CN") == at("2026-02-24T17:00", "Asia/Shanghai")
    assert working_days(start, 2, "IN") == at("2026-02-17T17:00", "Asia/Kolkata")


@pytest.mark.parametrize(("country", "thursday", "next_day"), [
    *((country, "2026-11-05", 8) for country in ("SA", "BD", "KW", "QA", "OM", "BH", "IQ", "JO")),
])  # fmt: skip
def test_a_weekend_of_friday_and_saturday(country: str, thursday: str, next_day: int) -> None:
    zone = POLICY.calendars[country].zone
    assert working_days(at(f"{thursday}T12:00", zone), 1, country) == at(f"2026-11-{next_day:02}T17:00", zone)


@pytest.mark.parametrize("country", ["KW", "QA", "OM", "BH", "IQ", "JO"])
def test_two_working_days_from_a_wednesday_around_the_gulf_end_on_a_sunday_there(country: str) -> None:
    zone = POLICY.calendars[country].zone
    assert working_days(at("2026-11-04T12:00", zone), 2, country) == at("2026-11-08T17:00", zone)


def test_years_before_a_table_ends_it_is_said_of_which_country() -> None:
    def told(day: str) -> dict[str, str]:
        return {country: str(end) for country, end in POLICY.ending(at(day, "UTC")).items()}

    assert told("2024-12-30T00:00") == {}
    assert told("2026-11-30T00:00") == {"LK": "2026-12-31"}
    assert set(told("2031-01-02T00:00")) == set(POLICY.calendars)
    assert set(told("2030-12-30T00:00")) == {"LK"}, "the control"


def _policy(**zones: str) -> Policy:
    return Policy("t", "h", {}, {country: Calendar(zone) for country, zone in zones.items()})


def test_the_same_instant_is_another_day_far_east_and_far_west() -> None:
    policy = _policy(KI="Pacific/Kiritimati", AS="Pacific/Pago_Pago")
    start = datetime(2026, 3, 6, 10, 30, tzinfo=UTC)  # Saturday 00:30 in Kiritimati, Thursday 23:30 in Pago Pago
    assert working_days(start, 1, "KI", policy) == at("2026-03-09T17:00", "Pacific/Kiritimati")
    assert working_days(start, 1, "AS", policy) == at("2026-03-06T17:00", "Pacific/Pago_Pago")


def test_a_working_day_ends_at_five_on_the_clock_and_a_day_has_24_hours_when_clocks_change() -> None:
    friday = at("2026-03-27T17:00", "Europe/Berlin")
    monday = working_days(friday, 1, "DE")
    assert monday == at("2026-03-30T17:00", "Europe/Berlin")
    assert monday - friday == timedelta(days=3) - timedelta(hours=1)
    assert POLICY.instant(friday, Span(2, "days"), "DE") - friday == timedelta(days=2)
    back = at("2026-10-31T23:30", "America/New_York")
    assert POLICY.instant(back, Span(6, "hours"), "US") == at("2026-11-01T04:30", "America/New_York")


def test_counting_back_lands_before_a_holiday() -> None:
    due = at("2026-10-09T17:00", "Asia/Shanghai")
    assert POLICY.instant(due, Span(-2, "working_days"), "CN", OPENING) == at("2026-09-30T09:00", "Asia/Shanghai")


def test_a_country_without_a_table_has_plain_weekends() -> None:
    assert working_days(datetime(2026, 12, 24, 9, tzinfo=UTC), 1, "XX") == datetime(2026, 12, 25, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zone", "Asia/Atlantis"),
        ("zone", "../secret"),
        ("weekend", [5, 7]),
        ("weekend", [0, 1, 2, 3, 4, 5, 6]),
        ("holidays", {"2026": ["2026-02-30"]}),
        ("holidays", {"2026": ["2027-01-01"]}),
        ("make_up", None),
    ],
)
def test_a_wrong_table_is_refused_and_the_field_named(field: str, value: object) -> None:
    row = {"zone": "UTC", "weekend": [5, 6], "holidays": {}, "make_up": {}, field: value}
    with pytest.raises(CalendarsInvalid, match=rf"countries\.AA\.{field}"):
        read_calendars(json.dumps({"countries": {"AA": row}}).encode())
