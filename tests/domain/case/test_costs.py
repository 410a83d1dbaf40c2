"""What a treatment costs: seven lines as ranges, the trial's share left out, the price beside the estimate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.costs import KINDS, NOT_ITEMISED, TOTAL, CostLine, CostLines, Costs, LineKind, compared, items
from tests.domain.journey import START

line = st.builds(lambda low, more: CostLine(low, low + more), st.integers(0, 10**6), st.integers(0, 10**6))
lines = st.builds(
    lambda known, trial: CostLines(**known, trial_pays=tuple(sorted(trial))),
    st.dictionaries(st.sampled_from(KINDS), line, min_size=1),
    st.sets(st.sampled_from(KINDS)),
)


def told(known: CostLines, currency: str = "USD") -> Costs:
    low, high = known.charged
    return Costs("fact-1", START, currency, low, high, known)


@given(lines, st.sampled_from(KINDS))
def test_what_the_trial_bears_is_never_in_the_sum(known: CostLines, kind: LineKind) -> None:
    borne = replace(known, trial_pays=tuple({*known.trial_pays, kind}))
    gone: dict[str, Any] = {kind: None}
    without = replace(borne, **gone)
    assert borne.charged == without.charged
    assert borne.charged <= known.charged


@given(lines, lines)
def test_the_differences_are_those_of_what_the_family_pays(estimate: CostLines, quote: CostLines) -> None:
    for row in compared(told(estimate), told(quote)):
        if row.estimated is None or row.quoted is None:
            assert row.over is None
            continue
        (low, high), (least, most) = row.estimated.charged, row.quoted.charged
        if row.kind == TOTAL:
            assert (low, high, least, most) == (*estimate.charged, *quote.charged)
        assert row.over is not None
        assert (row.over > 0) == (most > high)
        assert (row.over < 0) == (most <= high and least < low)


@given(lines, lines)
def test_amounts_in_two_currencies_are_not_compared(estimate: CostLines, quote: CostLines) -> None:
    rows = compared(told(estimate), told(quote, "CNY"))
    assert rows
    assert all(row.over is None for row in rows)


def test_a_sum_told_as_one_number_is_one_line_that_says_so() -> None:
    whole = Costs("fact-1", START, "USD", 60_000, 90_000, CostLines())
    assert [*items(whole)] == [NOT_ITEMISED]
    assert [row.kind for row in compared(whole, None)] == [NOT_ITEMISED, TOTAL]
    assert compared(None, None) == []


@pytest.mark.parametrize(
    ("low", "high", "over"), [(70, 80, 0), (60, 90, 0), (80, 95, 5), (50, 60, -10), (55, 95, 5), (95, 95, 5)]
)
def test_how_far_a_price_lies_outside_the_range(low: int, high: int, over: int) -> None:
    estimate, quote = (told(CostLines(monitoring=one)) for one in (CostLine(60, 90), CostLine(low, high)))
    assert [row.over for row in compared(estimate, quote)] == [over, over]
