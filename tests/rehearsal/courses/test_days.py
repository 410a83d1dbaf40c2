"""A published day keeps exactly the certainty its source gives."""

from datetime import date
from typing import Any

import pytest

from rehearsal.courses.published.days import NoDay, days_of, read_day, when

DAY_0 = date(2024, 5, 6)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"known": True, "at": 28}, {"precision": "day", "day": 28}),
        ({"known": True, "at": -5}, {"precision": "day", "day": -5}),
        ({"known": True, "before": 28}, {"precision": "bound", "first": 0, "last": 27}),
        ({"known": True, "at_or_before": 28}, {"precision": "bound", "first": 0, "last": 28}),
        ({"known": True, "before": 0}, {"precision": "bound", "first": None, "last": -1}),
        ({"known": True, "after": 28}, {"precision": "bound", "first": 29, "last": None}),
        ({"known": True, "at_or_after": 28}, {"precision": "bound", "first": 28, "last": None}),
        ({"known": True, "between": [3, 7]}, {"precision": "bound", "first": 3, "last": 7}),
        ({"known": True, "from": 3, "to": 7}, {"precision": "bound", "first": 3, "last": 7}),
        ({"known": True, "after": 3, "before": 7}, {"precision": "bound", "first": 4, "last": 6}),
        ({"known": True, "about": 10}, {"precision": "bound", "first": 7, "last": 13}),
        ({"known": True, "about": 540}, {"precision": "bound", "first": 486, "last": 594}),
        ({"known": True, "about": 540, "margin": 5}, {"precision": "bound", "first": 535, "last": 545}),
        ({"known": True, "at": 28, "plus_minus": 3}, {"precision": "bound", "first": 25, "last": 31}),
        ({"known": True, "start": 3, "end": 9}, {"precision": "bound", "first": 3, "last": 9}),
        ({"known": True, "min": 3, "max": 9}, {"precision": "bound", "first": 3, "last": 9}),
        ({"known": True, "between": [None, 9]}, {"precision": "bound", "first": 0, "last": 9}),
        ({"known": True, "between": [2, None], "unit": "weeks"}, {"precision": "bound", "first": 10, "last": None}),
        ({"known": True, "at": 36, "unit": "hours"}, {"precision": "bound", "first": 1, "last": 2}),
        ({"known": False}, {"precision": "unknown"}),
        ({"at": 4}, {"precision": "day", "day": 4}),
        ({}, {"precision": "unknown"}),
    ],
)
def test_kept_as_told(told: dict[str, Any], kept: dict[str, Any]) -> None:
    assert days_of(when(read_day(told), DAY_0, after_cells=True), DAY_0) == kept


def test_what_may_come_before_the_cells_has_an_open_beginning() -> None:
    kept = days_of(when(read_day({"known": True, "at_or_before": 28}), DAY_0, after_cells=False), DAY_0)
    assert kept == {"precision": "bound", "first": None, "last": 28}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("day 3", "no object"),
        ({"known": "yes", "at": 3}, "neither true nor false"),
        ({"known": True}, "none of at"),
        ({"known": False, "at": 3}, "is not known, and yet `at`"),
        ({"known": True, "at": "3"}, "`at` is no number"),
        ({"known": True, "at": True}, "`at` is no number"),
        ({"known": True, "at": 3, "before": 5}, "both given"),
        ({"known": True, "between": [7, 3]}, "ends before it begins"),
        ({"known": True, "between": [None, None]}, "neither a first nor a last day"),
        ({"known": True, "before": 3, "unit": "hours"}, "no number of days"),
        ({"known": True, "between": 3}, "a first and a last day"),
        ({"known": True, "at": 1e9}, "beyond a lifetime"),
        ({"known": True, "at": float("nan")}, "no number"),
    ],
)
def test_what_is_no_day_is_said_in_words(told: object, words: str) -> None:
    with pytest.raises(NoDay, match=words):
        read_day(told)
