"""A day typed into a form is the day where it is typed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from api.http.form_parse import form_parse
from domain.stages.intake.inquiry import StateDiagnosis


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        ("2026-10-25", "2026-10-25T22:59:59.999999+00:00"),
        ("2026-03-29", "2026-03-29T21:59:59.999999+00:00"),
        ("2026-07-01", "2026-07-01T21:59:59.999999+00:00"),
    ],
)
def test_the_days_on_which_clocks_change_end_when_they_end(day: str, ends: str) -> None:
    pairs = [("diagnosis", "x"), ("occurred.precision", "day"), ("occurred.first", f"{day}T00:00")]
    told = form_parse(StateDiagnosis, pairs, ZoneInfo("Europe/Berlin"))
    assert told["occurred"]["latest"] == ends
