"""A unit that left its store is its patient's or is destroyed, whatever is told of it, in any order [doses.custody]."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given as draw
from hypothesis import strategies as st

from domain.catalogue.around import Around
from domain.catalogue.streams import read_model
from domain.core.errors import Reason, Refused
from domain.doses import lot as lots
from domain.doses.custody.transit import FollowUnit, UnitArrived, UnitLeft, UnitStoppedOnWay, mark
from domain.doses.lot import LotRegistered, LotReleased
from domain.doses.readings import Excursion
from domain.doses.states import after
from domain.doses.stock import Lot
from domain.doses.storage import DecideStoppedUnit, UnitCleared, UnitDiscarded, UnitPlaced, UnitStopped
from domain.doses.unit import CommitUnit, FreeUnit, HoldUnit, SettleUnit, UnitHeld, UnitUsed, UseUnit
from tests.domain.catalogue.steps import AROUND, NOW, fact, given, refused, when
from tests.domain.doses.test_store import around
from tests.drawing import draws

LOT, HOUR = "lot-1", timedelta(hours=1)
UNTIL = NOW + timedelta(days=14)
REGISTERED = LotRegistered("X-1", ("u1", "u2"), NOW + timedelta(days=300), "", "", "person-1")
HELD = UnitHeld("u1", "case-1", "e", UNTIL)
LEFT = UnitLeft("u1", "s-1", "store-1", NOW - 3 * HOUR)
FOLLOW = FollowUnit("u1", "case-1", "s-1", NOW - 3 * HOUR, "store-1")
SEAL = UnitStoppedOnWay("u1", "s-1", "seal", 1)
WARM = Excursion(kind="warm", began=NOW - 2 * HOUR, ended=NOW - HOUR, warmest=-90.0)
COLD = around()


def lot(*events: Any) -> Lot:
    state = given(LOT, REGISTERED, LotReleased("person-2"), *events)
    assert isinstance(state, Lot)
    return state


def told(state: Lot, command: Any, beside: Around = COLD) -> list[Any]:
    return list(when(LOT, state, command, around=beside))


def test_it_leaves_once_and_is_nobody_elses_from_then_on() -> None:
    assert told(lot(HELD), FOLLOW) == [LEFT]
    away = lot(HELD, LEFT)
    assert told(away, FOLLOW) == []
    assert away.units["u1"].lies == replace(away.units["u1"].stays[-1], store="store-1", position="s-1")
    assert told(away, CommitUnit("u1", "case-1")) == [], "it is its patient's already"
    assert told(away, UseUnit("u1", "case-1")) == [UnitUsed("u1")]
    assert refused(LOT, away, replace(FOLLOW, case="case-2")) == (Reason.UNAVAILABLE, "unit")


def test_it_arrives_and_lies_in_its_shipper_no_more() -> None:
    here = replace(FOLLOW, arrived=NOW - HOUR)
    assert told(lot(HELD), here) == [LEFT, UnitArrived("u1", "s-1", NOW - HOUR)]
    came = lot(HELD, LEFT, UnitArrived("u1", "s-1", NOW - HOUR))
    assert (came.units["u1"].state, came.units["u1"].lies) == ("arrived", None)
    assert told(came, here) == []


def test_it_never_goes_back_to_stock() -> None:
    away = lot(HELD, LEFT)
    aside = told(away, FreeUnit("u1", "case-1"))
    for state in (away, lot(HELD, LEFT, *aside)):
        back = SettleUnit("u1", "returned", "not needed", "person-2")
        assert refused(LOT, state, back) == (Reason.IRREVERSIBLE, "outcome")
        [gone] = told(state, replace(back, outcome="destroyed"))
        assert gone.outcome == "destroyed"


def test_what_was_found_on_the_way_stops_it_until_its_case_has_decided() -> None:
    found = replace(FOLLOW, found=("seal",))
    assert told(lot(HELD), found) == [LEFT, SEAL]
    stopped = lot(HELD, LEFT, SEAL)
    assert refused(LOT, stopped, CommitUnit("u1", "case-1")) == (Reason.LAPSED, "unit")
    decide = DecideStoppedUnit("u1", "use", "fine", "person-2")
    assert refused(LOT, stopped, decide) == (Reason.NOT_NOW, "unit")
    assert "stopped" not in read_model(LOT, stopped), "its case knows first"
    cleared = told(stopped, replace(found, judged=1, outcome="use", by="person-3"))
    assert [type(one) for one in cleared] == [UnitCleared]
    after_it = lot(HELD, LEFT, SEAL, *cleared)
    assert told(after_it, CommitUnit("u1", "case-1")) == []
    again = replace(found, found=("seal", "condition"), judged=1, outcome="use", by="person-3")
    assert told(after_it, again) == [UnitStoppedOnWay("u1", "s-1", "condition", 2)]
    thrown = told(stopped, replace(found, judged=1, outcome="discard", by="person-3"))
    assert [type(one) for one in thrown] == [UnitDiscarded]


def test_a_warm_shipper_is_decided_on_by_quality_and_the_rest_by_the_case() -> None:
    warm = around(WARM)
    [left, stop] = told(lot(HELD), FOLLOW, warm)
    assert (left, stop) == (LEFT, UnitStopped("u1", "store-1", WARM.id))
    both = lot(HELD, LEFT, stop, SEAL)
    first = told(both, DecideStoppedUnit("u1", "use", "validated", "person-2"), warm)
    second = told(lot(HELD, LEFT, stop, SEAL, *first), DecideStoppedUnit("u1", "use", "validated", "person-3"), warm)
    cleared = lot(HELD, LEFT, stop, SEAL, *first, *second).units["u1"]
    assert cleared.stopped == (mark("s-1", 1, "seal"),), "the seal is not theirs to clear"


def test_where_it_lay_before_ends_when_it_leaves() -> None:
    placed = UnitPlaced("u1", "store-2", "A1", NOW - 9 * HOUR)
    stays = lot(HELD, placed, LEFT).units["u1"].stays
    assert [(one.store, one.until) for one in stays] == [("store-2", LEFT.at), ("store-1", None)]


COMMANDS: st.SearchStrategy[Any] = st.one_of(
    st.builds(HoldUnit, st.sampled_from(["case-1", "case-2"]), st.integers(2, 30).map("e-{}".format), st.just(UNTIL)),
    st.builds(FreeUnit, st.just("u1"), st.sampled_from(["case-1", "case-2"])),
    st.builds(CommitUnit, st.just("u1"), st.sampled_from(["case-1", "case-2"])),
    st.builds(UseUnit, st.just("u1"), st.sampled_from(["case-1", "case-2"])),
    st.builds(SettleUnit, st.just("u1"), st.sampled_from(["returned", "destroyed"]), st.just("x"), st.just("person-2")),
    st.builds(DecideStoppedUnit, st.just("u1"), st.sampled_from(["use", "discard"]), st.just("x"),
              st.sampled_from(["person-2", "person-3"])),
    st.builds(
        FollowUnit, st.just("u1"), st.sampled_from(["case-1", "case-2"]), st.just("s-1"), st.just(LEFT.at),
        st.sampled_from(["", "store-1"]), st.sampled_from([None, NOW]),
        st.sampled_from([(), ("seal",), ("seal", "identity")]), st.integers(0, 2),
        st.sampled_from(["", "use", "discard"]), st.just("person-3"),
    ),
)  # fmt: skip


@draw(st.lists(st.tuples(COMMANDS, st.booleans()), max_size=12))
@draws(150)
def test_once_it_left_nobody_else_ever_has_it(tries: list[tuple[Any, bool]]) -> None:
    state, number = lot(HELD, LEFT), 10
    for command, too_warm in tries:
        beside = around(WARM) if too_warm else COLD
        try:
            events = lots.decide(state, command, NOW, beside.beside)
        except Refused:
            continue
        for event in events:
            number += 1
            state = lots.evolve(state, fact(event, number))
        unit = state.units["u1"]
        assert unit.case == "case-1"
        assert unit.left
        assert unit.state in ("on_the_way", "arrived", "set_aside", "used", "destroyed")
        assert not unit.free_at(UNTIL)


def test_the_table_is_what_is_followed() -> None:
    """Control: without the move, what is told of leaving would leave the unit as it was."""
    assert after("held", "UnitLeft") == "on_the_way"
    assert after("destroyed", "UnitLeft") == "destroyed"
    assert AROUND.beside == {}
