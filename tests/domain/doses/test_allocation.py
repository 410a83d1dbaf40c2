"""Which unit a case gets, and why each other one was passed over: expiry, margin, antibodies, whose it is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Reason, Refused
from domain.doses.allocation import DoseWanted, PassedOver, StockedLot, fits, in_order, judged, passed_over
from domain.doses.codes import allele, meets
from domain.doses.states import UnitState
from domain.doses.stock import Lot
from domain.doses.unit import Unit
from tests.drawing import draws

NOW = datetime.fromisoformat("2026-03-01T00:00:00Z")
DAY = timedelta(days=1)
WANTED = DoseWanted("case-1", NOW + 14 * DAY, NOW + 17 * DAY)
STATES: tuple[UnitState, ...] = ("free", "held", "committed", "used", "set_aside", "destroyed")


def stocked(name: str = "lot-a", days: int = 60, *units: Unit, state: str = "released", **more: object) -> StockedLot:
    every = units or (Unit("u1"),)
    lot = Lot(1, state, "X-1", NOW + days * DAY, units={unit.id: unit for unit in every})  # type: ignore[arg-type]
    return StockedLot(name, lot, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "because"),
    [
        (stocked(), None),
        (stocked(days=17), "expires_too_soon"),
        (stocked(state="registered"), "lot_not_released"),
        (stocked(state="quarantined"), "lot_not_released"),
        (stocked("lot-a", 60, Unit("u1", "held", "case-2", until=NOW + DAY)), "held"),
        (stocked("lot-a", 60, Unit("u1", "held", "case-2", until=NOW)), None),
        (stocked("lot-a", 60, Unit("u1", stopped=("store-1 warm",))), "stopped"),
        (stocked("lot-a", 60, Unit("u1", "used", "case-2")), "used"),
    ],
)
def test_a_unit_fits_or_it_is_said_why_not(one: StockedLot, because: str | None) -> None:
    assert judged(one, WANTED, NOW) == {"u1": because}
    assert fits(judged(one, WANTED, NOW)) == (because is None)


@pytest.mark.parametrize(
    ("donors", "because"),
    [
        ([frozenset({"A*03:01", "B*07:02"})], None),
        ([frozenset({"A*02:01", "B*07:02"})], "donor_antibodies"),
        ([frozenset({"A*02"})], "donor_antibodies"),
        ([frozenset({"A*02:06"})], None),
        ([frozenset()], "donor_not_typed"),
        ([], "donor_not_typed"),
        ([frozenset({"A*03:01"}), frozenset()], "donor_not_typed"),
        ([frozenset({"A*03:01"}), frozenset({"A*02:01"})], "donor_antibodies"),
    ],
)
def test_cells_of_a_donor_the_patient_has_antibodies_against_are_passed_over(
    donors: list[frozenset[str]], because: str | None
) -> None:
    asked = DoseWanted("case-1", WANTED.until, WANTED.lasts, frozenset({"A*02:01"}))
    assert judged(stocked(donors=donors), asked, NOW) == {"u1": because}
    assert judged(stocked(donors=donors), WANTED, NOW) == {"u1": None}, "nobody asked for antibodies"


def test_what_expires_sooner_goes_first_and_the_rest_is_counted_by_reason() -> None:
    late, soon = stocked("lot-a", 90), stocked("lot-b", 30, Unit("u1"), Unit("u2", "used"), Unit("u3", "used"))
    assert [one.stream for one in in_order([late, soon])] == ["lot-b", "lot-a"]
    assert passed_over("lot-b", judged(soon, WANTED, NOW), chosen=True) == [PassedOver("lot-b", "used", 2)]
    assert passed_over("lot-a", judged(late, WANTED, NOW)) == [PassedOver("lot-a", "expires_later", 1)]


@pytest.mark.parametrize(
    ("written", "read"),
    [("A*02:01", "A*02:01"), (" hla-a*02:01:01:02 ", "A*02:01"), ("DRB1*04", "DRB1*04"), ("C*07:02N", "C*07:02")],
)
def test_an_allele_is_read_however_it_is_written(written: str, read: str) -> None:
    assert allele(written, "alleles") == read


@pytest.mark.parametrize("written", ["A2", "Cw4", "A*2", "CD19", "", "A*02:01 B*07:02"])
def test_what_names_no_allele_is_refused_with_the_way_on(written: str) -> None:
    with pytest.raises(Refused) as refused:
        allele(written, "alleles")
    assert (refused.value.reason, refused.value.field) == (Reason.INVALID, "alleles")
    assert "A*02:01" in str(refused.value.detail)


def test_the_shorter_name_decides_how_far_alleles_are_compared() -> None:
    assert meets({"A*02"}, {"A*02:01"})
    assert meets({"A*02:01"}, {"A*02"})
    assert not meets({"A*02:01"}, {"A*02:06", "B*02:01"})
    assert not meets((), {"A*02"})


units = st.builds(
    Unit,
    st.sampled_from(["u1", "u2", "u3", "u4"]),
    st.sampled_from(STATES),
    st.just("case-2"),
    until=st.integers(-2, 40).map(lambda days: NOW + days * DAY),
    stopped=st.sampled_from([(), (), ("store-1 warm",)]),
)
lots = st.builds(
    lambda name, days, state, of: stocked(f"lot-{name}", days, *of, state=state),
    st.integers(1, 9),
    st.integers(1, 60),
    st.sampled_from(["registered", "released", "quarantined"]),
    st.lists(units, min_size=1, max_size=4, unique_by=lambda unit: unit.id),
)


@draws(80)
@given(st.lists(lots, max_size=5, unique_by=lambda one: one.stream))
def test_each_unit_is_had_or_counted_and_none_that_fits_expires_sooner(stock: list[StockedLot]) -> None:
    ordered = in_order(stock)
    verdicts = {one.stream: judged(one, WANTED, NOW) for one in ordered}
    first = next((one for one in ordered if fits(verdicts[one.stream])), None)
    for one in ordered:
        counted = sum(over.units for over in passed_over(one.stream, verdicts[one.stream], chosen=one is first))
        free = sum(why is None for why in verdicts[one.stream].values())
        assert counted == len(one.lot.units) - (free if one is first else 0)
        for name, why in verdicts[one.stream].items():
            had = one.lot.state == "released" and one.lot.units[name].free_at(NOW)
            lasts = one.lot.expires is not None and one.lot.expires > WANTED.lasts
            assert (why is None) == (had and lasts)
    if first is not None and first.lot.expires:
        assert all(first.lot.expires <= one.lot.expires for one in ordered if fits(verdicts[one.stream]))  # type: ignore[operator]
