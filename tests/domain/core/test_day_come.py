"""A day that has begun somewhere is told as today there; one that has begun nowhere lies in the future."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.core.codes import require_day_come
from domain.core.errors import Refused

MORNING_IN_BEIJING = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)


def test_a_morning_in_beijing_is_today_there() -> None:
    require_day_come(date(2026, 11, 30), MORNING_IN_BEIJING, "assessed")


def test_a_day_that_has_begun_nowhere_is_refused_by_its_field() -> None:
    with pytest.raises(Refused) as caught:
        require_day_come(date(2026, 12, 1), MORNING_IN_BEIJING, "assessed")
    assert caught.value.field == "assessed"
