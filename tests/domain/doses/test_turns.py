"""Whose turn it is: urgent first, then the longest waiting; a free unit is for the first it fits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.doses.allocation import DoseWanted, StockedLot, judged
from domain.doses.stock import Lot
from domain.doses.unit import Unit
from domain.doses.waiting.turns import DoseTurn, after_others, in_turn, kept_for, shared_out, why_its_turn
from tests.drawing import draws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stocked(name: str, units: int, days: int = 60, donors: Sequence[frozenset[str]] = ()) -> StockedLot:
    lot = Lot(1, "released", "X", NOW + days * DAY, units={f"u{n}": Unit(f"u{n}") for n in range(units)})
    return StockedLot(name, lot, donors)


def turn(case: str, waited: int, *, urgent: bool = False, lasts: int = 20, against: str = "") -> DoseTurn:
    antibodies = frozenset({against} if against else ())
    return DoseTurn(DoseWanted(case, NOW + 9 * DAY, NOW + lasts * DAY, antibodies), NOW - waited * DAY, urgent)


def test_urgent_goes_before_longer_waiting_and_both_behind_whom_a_supervisor_lets_go_first() -> None:
    new, old, urgent = turn("new", 1), turn("old", 9), turn("urgent", 2, urgent=True)
    let = replace(turn("let", 0), out_of_turn=True)
    line = [new, old, let, urgent]
    assert [one.wanted.case for one in in_turn(line)] == ["let", "urgent", "old", "new"]
    assert [why_its_turn(line, "let"), why_its_turn(line, "old")] == ["out_of_turn", "fits"]
    assert why_its_turn([new, old, urgent], "urgent") == "urgent"
    assert (why_its_turn([new, old], "old"), why_its_turn([new], "new")) == ("longest", "only")


def test_who_asks_meanwhile_gets_only_what_is_left_by_those_before() -> None:
    stock, own = [stocked("a", 1), stocked("b", 1, 90)], turn("own", 0)
    kept = kept_for(stock, [turn("old", 3)], own, NOW)
    assert kept == {"a": 1}
    assert after_others(judged(stock[0], own.wanted, NOW), kept["a"]) == {"u0": "others_first"}
    assert kept_for(stock, [turn("old", 3)], replace(own, urgent=True), NOW) == {}


def test_whom_no_unit_fits_or_who_has_one_keeps_none_from_others() -> None:
    stock, own = [stocked("a", 2, donors=[frozenset({"A*02:01"})])], turn("own", 0)
    assert kept_for(stock, [turn("long", 5, lasts=70), turn("against", 5, against="A*02:01")], own, NOW) == {}
    held = {**stock[0].lot.units, "u0": Unit("u0", "held", "has", until=NOW + DAY)}
    has = [replace(stock[0], lot=replace(stock[0].lot, units=held))]
    assert kept_for(has, [turn("has", 5)], own, NOW) == {}
    assert kept_for(has, [turn("other", 5)], own, NOW) == {"a": 1}


TURNS = st.lists(
    st.builds(turn, st.uuids().map(str), st.integers(0, 9), urgent=st.booleans(), lasts=st.sampled_from([20, 70])),
    max_size=6,
    unique_by=lambda one: one.wanted.case,
)
STOCK = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([60, 90])), max_size=3)


@given(TURNS, STOCK)
@draws(60)
def test_no_unit_is_for_two_and_none_is_passed_to_one_behind_whom_it_fits(
    turns: Sequence[DoseTurn], lots: Sequence[tuple[int, int]]
) -> None:
    stock = [stocked(f"lot-{n}", units, days) for n, (units, days) in enumerate(sorted(lots, key=lambda one: one[1]))]
    by = {one.stream: one for one in stock}
    shared = shared_out(stock, turns, NOW)
    for name, count in Counter(shared.values()).items():
        assert count <= len(by[name].lot.units)
    for at, one in enumerate(in_turn(turns)):
        if one.wanted.case not in shared:
            behind = [shared[other.wanted.case] for other in in_turn(turns)[at:] if other.wanted.case in shared]
            assert all(set(judged(by[lot], one.wanted, NOW).values()) != {None} for lot in behind)
