"""Walking over random genealogies: both ways agree, and units are found in whatever state they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given as over
from hypothesis import strategies as st

from domain.core.personal import ERASED
from domain.doses.genealogy import Trace, UnitFound, patients_of, reach, streams_of, units_of
from domain.doses.lot import LotRegistered, LotReleased
from domain.doses.stock import Lot
from domain.doses.unit import UnitCommitted, UnitHeld, UnitSetAside, UnitSettled, UnitUsed
from tests.domain.catalogue.steps import NOW, given

DAY = timedelta(days=1)
nodes = st.integers(0, 9).map("n{}".format)
graphs = st.sets(st.tuples(nodes, nodes), max_size=25)


@over(graphs, nodes, nodes)
def test_what_was_made_of_it_and_what_that_is_made_of_agree(edges: set[tuple[str, str]], one: str, two: str) -> None:
    """Whatever the links, circles among them: nothing below one that does not have it above."""
    below, above = reach(edges, [one], "made_into"), reach(edges, [two], "made_of")
    assert (any(child == two for child, _ in below)) == (any(parent == one for _, parent in above))
    assert below <= edges
    assert above <= edges


@over(graphs, nodes)
def test_every_link_from_what_was_reached_is_walked(edges: set[tuple[str, str]], one: str) -> None:
    below = reach(edges, [one], "made_into")
    inside = {one, *streams_of(below)}
    assert below == {edge for edge in edges if edge[1] in inside and edge[0] in inside}


def lot(*events: Any) -> Lot:
    units = ("free", "lapsed", "held", "committed", "aside", "gone", "used", "erased")
    state = given("lot-1", LotRegistered("X", units, NOW + 90 * DAY, "", "", "p"), LotReleased("q"), *events)
    assert isinstance(state, Lot)
    return state


def held(unit: str, case: Any = "case-1", until: timedelta = 9 * DAY) -> UnitHeld:
    return UnitHeld(unit, case, f"effect-{unit}", NOW + until)


def test_units_are_found_in_whatever_state_and_patients_with_what_they_got() -> None:
    state = lot(
        held("lapsed", until=DAY), held("held"), held("committed", "case-2"), UnitCommitted("committed"),
        held("aside"), UnitCommitted("aside"), UnitSetAside("aside"),
        held("gone", "case-3"), UnitCommitted("gone"), UnitSettled("gone", "destroyed", "warm", "q"),
        held("used", "case-2"), UnitCommitted("used"), UnitUsed("used"),
        held("erased", ERASED), UnitCommitted("erased"),
    )  # fmt: skip
    trace = Trace(("lot-1",), frozenset(), frozenset(), {}, {"lot-1": state, "lot-elsewhere": lot()}, ())
    found = units_of(trace, NOW + 2 * DAY)
    assert {one.unit: (one.state, one.case) for one in found} == {
        "free": ("in_stock", ""),
        "lapsed": ("in_stock", ""),
        "held": ("held", "case-1"),
        "committed": ("committed", "case-2"),
        "aside": ("set_aside", "case-1"),
        "gone": ("destroyed", "case-3"),
        "used": ("used", "case-2"),
        "erased": ("committed", ""),
    }
    patients = patients_of(found)
    assert {case: [one.unit for one in units] for case, units in patients.items()} == {
        "case-1": ["held", "aside"],
        "case-2": ["used", "committed"],
    }


def test_lots_that_only_name_a_code_are_among_the_affected() -> None:
    links = frozenset({("lot-b", "material-v")})
    lots = {name: lot() for name in ("lot-a", "lot-b", "lot-c")}
    trace = Trace(("material-v",), frozenset(), links, {}, lots, ("lot-a",))
    assert trace.affected == ["lot-a", "lot-b"]
    assert UnitFound("lot-a", "free", "in_stock", "") in units_of(trace, NOW)
