"""Low neutrophils after immune effector cells by ICAHT, early to day 30 and late after it [safety.icaht].

What is computed stands beside the clinician's grade and never replaces it.
"""

from __future__ import annotations

from decimal import Decimal

EARLY_DAYS = 31
"""Days of the early count: day 0 to day 30."""
LATE_DAYS = 70
"""Days of the late count of platelets: day 31 to day 100."""
_AT_MOST_500 = ((14, 3), (7, 2), (1, 1))
_AT_MOST_100 = ((14, 4), (7, 3))
"""At least so many days of the early count → grade."""
_LATE = ((Decimal("0.1"), 4), (Decimal("0.5"), 3), (Decimal(1), 2), (Decimal("1.5"), 1))
"""At most so many neutrophils, 10⁹/L → grade."""


def early(*, days_500: int, days_100: int, never_above: bool) -> int:
    """Return the grade, 0 to 4, by days with at most 500 and at most 100 neutrophils per µL up to day 30.

    `never_above`: they were never above 500 in those days.
    """
    if never_above:
        return 4
    return max(_of_days(days_500, _AT_MOST_500), _of_days(days_100, _AT_MOST_100))


def _of_days(days: int, rows: tuple[tuple[int, int], ...]) -> int:
    return next((grade for least, grade in rows if days >= least), 0)


def late(neutrophils: Decimal) -> int:
    """Return the grade, 0 to 4, by neutrophils in 10⁹/L that stay so low after day 30."""
    return next((grade for most, grade in _LATE if neutrophils <= most), 0)


_UNDER_50 = ((7, 2), (1, 1))
_UNDER_20 = ((14, 4), (1, 3))
"""At least so many days → grade, by platelets [safety.t-icaht]."""
_LATE_PLATELETS = ((Decimal(50), 2), (Decimal(100), 1))
"""Under so many platelets, 10⁹/L → grade."""


def early_platelets(*, days_50: int, days_20: int) -> int:
    """Return the grade, 0 to 4, by days with under 50 and under 20 platelets, 10⁹/L, up to day 30."""
    return max(_of_days(days_50, _UNDER_50), _of_days(days_20, _UNDER_20))


def late_platelets(platelets: Decimal, *, days_20: int) -> int:
    """Return the grade, 0 to 4, by platelets in 10⁹/L that stay so low, and days under 20, from day 31 to 100."""
    return max(next((grade for under, grade in _LATE_PLATELETS if platelets < under), 0), _of_days(days_20, _UNDER_20))
