"""Low neutrophils as ICAHT grades them, by days to day 30 and by the count after it [safety.icaht]."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grading import icaht

DAYS = st.integers(0, icaht.EARLY_DAYS)


@pytest.mark.parametrize(
    ("days_500", "days_100", "grade"),
    [
        (0, 0, 0),
        (1, 0, 1),
        (6, 6, 1),
        (7, 0, 2),
        (13, 6, 2),
        (14, 0, 3),
        (30, 6, 3),
        (7, 7, 3),
        (13, 13, 3),
        (14, 14, 4),
    ],
)
def test_early(days_500: int, days_100: int, grade: int) -> None:
    assert icaht.early(days_500=days_500, days_100=days_100, never_above=False) == grade


def test_never_above_500_is_the_worst() -> None:
    assert icaht.early(days_500=31, days_100=0, never_above=True) == 4


@pytest.mark.parametrize(
    ("count", "grade"),
    [("1.51", 0), ("1.5", 1), ("1.01", 1), ("1", 2), ("0.51", 2), ("0.5", 3), ("0.11", 3), ("0.1", 4), ("0", 4)],
)
def test_late(count: str, grade: int) -> None:
    assert icaht.late(Decimal(count)) == grade


@given(DAYS, DAYS, st.integers(0, 5), st.integers(0, 5))
def test_more_days_never_lower_the_early_grade(days_500: int, days_100: int, more: int, much_more: int) -> None:
    before = icaht.early(days_500=days_500, days_100=days_100, never_above=False)
    assert icaht.early(days_500=days_500 + more, days_100=days_100 + much_more, never_above=False) >= before
    assert before <= icaht.early(days_500=days_500, days_100=days_100, never_above=True)


@given(st.decimals(0, 3, places=2), st.decimals(0, 1, places=2))
def test_fewer_neutrophils_never_lower_the_late_grade(count: Decimal, more: Decimal) -> None:
    assert icaht.late(count) >= icaht.late(count + more)


@pytest.mark.parametrize(
    ("days_50", "days_20", "grade"),
    [(0, 0, 0), (1, 0, 1), (6, 0, 1), (7, 0, 2), (31, 0, 2), (1, 1, 3), (13, 13, 3), (14, 14, 4)],
)
def test_early_platelets(days_50: int, days_20: int, grade: int) -> None:
    assert icaht.early_platelets(days_50=days_50, days_20=days_20) == grade


@pytest.mark.parametrize(
    ("count", "days_20", "grade"),
    [("100", 0, 0), ("99", 0, 1), ("50", 0, 1), ("49", 0, 2), ("49", 1, 3), ("49", 13, 3), ("49", 14, 4)],
)
def test_late_platelets(count: str, days_20: int, grade: int) -> None:
    assert icaht.late_platelets(Decimal(count), days_20=days_20) == grade


@given(DAYS, DAYS, st.integers(0, 5), st.integers(0, 5))
def test_more_days_never_lower_the_grade_by_platelets(days_50: int, days_20: int, more: int, much_more: int) -> None:
    before = icaht.early_platelets(days_50=days_50, days_20=days_20)
    assert icaht.early_platelets(days_50=days_50 + more, days_20=days_20 + much_more) >= before
