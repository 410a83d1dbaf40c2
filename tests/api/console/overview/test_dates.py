"""The picture of dates: everything that is held has its bar, what has ended is red, today's line lies where now is."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.console.overview.dates import LABEL, WIDTH, DatesChart, dates_chart
from api.console.text.fact_text import FactWriter
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from api.http.masking import EVERYTHING, NOTHING, Sees
from tests.domain.course import FROM, start
from tests.domain.journey import DAY, Journey


def chart(j: Journey, visible: Sees = EVERYTHING, language: str = "en") -> DatesChart | None:
    clock = ViewerClock(j.now, ZoneInfo("UTC"), Texts(language))
    return dates_chart(j.case, j.facts, j.now, FactWriter(j.case, clock, visible, {}))


def test_a_case_without_dates_has_no_picture() -> None:
    assert chart(start("opened")) is None


def test_what_is_held_is_there_until_its_end_and_red_after_it() -> None:
    j = start("visa")
    held = chart(j)
    assert held is not None
    words = [row.words.split(",")[0] for row in held.rows]
    assert {"Acceptance", "Dose", "Bed"} <= set(words)
    dose = next(row for row in held.rows if row.words == "Dose")
    assert (dose.lapsed, dose.mark) == (False, False)
    assert dose.says.startswith("to ")
    until = j.case.dose.until
    assert until is not None
    j.now = until + DAY
    after = chart(j)
    assert after is not None
    lapsed = next(row for row in after.rows if row.words == "Dose")
    assert lapsed.lapsed
    assert lapsed.says == f"lapsed {until.astimezone(UTC).day} {until:%b %Y}"
    assert lapsed.x + lapsed.width < after.today


def test_an_infusion_is_a_mark_that_never_lapses_and_visits_follow_it() -> None:
    j = start("handed_over")
    told = chart(j)
    assert told is not None
    given = next(row for row in told.rows if row.words == "Infusion 1")
    assert (given.mark, given.lapsed) == (True, False)
    assert any(row.words.startswith("Visit ") for row in told.rows)


def test_days_of_treatment_are_not_drawn_for_whoever_may_not_read_them() -> None:
    hidden = chart(start("handed_over"), NOTHING)
    assert hidden is None or not [row for row in hidden.rows if row.words.startswith("Infusion")]


@pytest.mark.parametrize("at", FROM)
def test_everything_drawn_lies_inside_the_picture_wherever_the_case_stands(at: str) -> None:
    for later in (timedelta(0), 40 * DAY, 400 * DAY):
        j = start(at).fork()
        j.now += later
        drawn = chart(j, language="ar")
        if drawn is None:
            continue
        assert LABEL <= drawn.today <= WIDTH
        for row in drawn.rows:
            assert LABEL <= row.x <= row.x + row.width <= WIDTH + 2
            assert 0 <= row.y < drawn.height
        places = [month.x for month in drawn.months]
        assert places == sorted(places)
        assert len(places) <= 9
