"""What there is of a product stands beside who waits for it; no unit is counted twice, and none that cannot be had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given as over
from hypothesis import strategies as st

from domain.doses.waiting.forecast import ProductSupply, supply
from tests.domain.catalogue.steps import NOW
from tests.drawing import draws

DAY = timedelta(days=1)
LASTS, LATER = NOW + 30 * DAY, NOW + 90 * DAY


def lot(product: str, free: int, state: str = "released", **told: Any) -> dict[str, Any]:
    return {"product": product, "state": state, "free_units": free, "held_until": [], "expires": LATER, **told}


def test_each_unit_is_counted_for_what_it_is() -> None:
    stock = [
        lot("X-1", 2, held_until=[NOW - DAY, NOW + DAY]), lot("x-1 ", 3, "registered"), lot("X-1", 4, "quarantined"),
        lot("X-1", 5, expires=NOW + 20 * DAY), lot("X-1", 6, bound=True), lot("X-1", 7, "recalled"),
        lot("X-1", 8, "rejected"), lot("X-1", 9, expires=NOW - DAY),
    ]  # fmt: skip
    [found] = supply(stock, {"X-1": 5}, NOW, LASTS)
    assert found == ProductSupply(product=found.product, free=3, coming=7, held=1, expire=5, bound=6, waiting=5)
    assert (found.short, found.short_later) == (2, 0)


def test_the_most_wanting_product_stands_first_and_one_without_a_lot_stands_too() -> None:
    found = supply([lot("A", 4), lot("B", 1)], {"B": 3, "C": 9}, NOW, LASTS)
    assert [(one.product, one.short, one.short_later) for one in found] == [("C", 9, 9), ("B", 2, 2), ("A", 0, 0)]


states = st.sampled_from(["registered", "released", "quarantined", "rejected", "recalled"])
instants = st.integers(-5, 120).map(lambda days: NOW + days * DAY)
lots = st.builds(
    lambda product, free, state, expires, until, bound: lot(
        product, free, state, expires=expires, held_until=until, **({"bound": True} if bound else {})
    ),
    st.sampled_from(["A", "a ", "B"]), st.integers(0, 9), states, instants, st.lists(instants, max_size=3),
    st.booleans(),
)  # fmt: skip


@draws(200)
@over(st.lists(lots, max_size=6), st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(0, 9)))
def test_no_unit_is_counted_twice_and_a_shortage_never_grows_by_what_is_coming(
    stock: list[dict[str, Any]], waiting: dict[str, int]
) -> None:
    found = supply(stock, waiting, NOW, LASTS)
    gone = ("rejected", "recalled")
    usable = [one for one in stock if one["state"] not in gone and one["expires"] > NOW]
    counted = sum(one.free + one.coming + one.held + one.expire + one.bound for one in found)
    assert counted == sum(one["free_units"] + len(one["held_until"]) for one in usable)
    assert sum(one.waiting for one in found) == sum(waiting.values())
    assert all(0 <= one.short_later <= one.short <= one.waiting for one in found)
