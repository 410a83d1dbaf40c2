"""Stores: limits with a source, readings recorded once, and units stopped until two people have judged them."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.catalogue.around import Around
from domain.catalogue.streams import named_by, parse_source_state, read_model
from domain.core.errors import Reason
from domain.doses.lot import LotRegistered, LotReleased
from domain.doses.readings import Excursion
from domain.doses.states import MOVES
from domain.doses.stock import Lot, lying, no_unit
from domain.doses.storage import (
    LIES,
    DecideStoppedUnit,
    PlaceUnit,
    StopUnits,
    UnitBeside,
    UnitCleared,
    UnitDiscarded,
    UnitPlaced,
    UnitStopped,
    UseOfUnitProposed,
)
from domain.doses.store import LimitStore, ReadingsRecorded, RegisterStore, Store, StoreLimited, StoreRegistered
from domain.doses.unit import CommitUnit, ExtendHold, HoldUnit, SettleUnit, UnitCommitted, UnitHeld, UnitUsed, UseUnit
from infra.ledger.encoding.rows import source_text
from tests.domain.catalogue.steps import AROUND, NOW, given, refused, when

STORE, LOT = "store-1", "lot-1"
HOUR = timedelta(hours=1)
REGISTER = RegisterStore("freezer", "F-7", "Boston", -150.0, 300, 600, "SOP 7")
REGISTERED = StoreRegistered("freezer", "F-7", "Boston", -150.0, 300, 600, "SOP 7")
WARM = Excursion(kind="warm", began=NOW - 3 * HOUR, ended=NOW - 2 * HOUR, warmest=-120.0)
LOT_REGISTERED = LotRegistered("X-1", ("u1", "u2"), NOW + timedelta(days=300), "", "", "person-1")
PLACED = UnitPlaced("u1", STORE, "A1", NOW - 9 * HOUR)
STOPPED = UnitStopped("u1", STORE, WARM.id)
UNTIL = NOW + timedelta(days=14)
DISCARDED = UnitDiscarded("u1", "too warm", "person-2")
HELD = UnitHeld("u1", "case-1", "e", UNTIL)
USE = DecideStoppedUnit("u1", "use", "validated for two hours", "person-2")


def store(*events: Any) -> Store:
    state = given(STORE, *events)
    assert isinstance(state, Store)
    return state


def lot(*events: Any) -> Lot:
    state = given(LOT, LOT_REGISTERED, LotReleased("person-2"), *events)
    assert isinstance(state, Lot)
    return state


def around(*excursions: Excursion) -> Around:
    """The store with these excursions, as it comes back from the database."""
    told = ReadingsRecorded("ab", NOW - 9 * HOUR, NOW, 540, -190.0, -120.0, excursions, None, None)
    state = source_text(read_model(STORE, store(REGISTERED, told)))
    return replace(AROUND, beside={STORE: parse_source_state(STORE, state)})


AFTER = around(WARM)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("where", ""), ("warmest", float("nan")), ("warmest", 300.0), ("tolerated", -1), ("gap", 0),
     ("source", "")],
)  # fmt: skip
def test_a_store_without_limits_is_refused(field: str, value: Any) -> None:
    assert when(STORE, given(STORE), REGISTER) == [REGISTERED]
    assert refused(STORE, given(STORE), replace(REGISTER, **{field: value})) == (Reason.INVALID, field)
    assert refused(STORE, store(REGISTERED), REGISTER) == (Reason.ALREADY, None)
    limit = LimitStore(-140.0, 60, 900, "SOP 8")
    assert when(STORE, store(REGISTERED), limit) == [StoreLimited(-140.0, 60, 900, "SOP 8")]
    if field not in ("name", "where"):
        assert refused(STORE, store(REGISTERED), replace(limit, **{field: value})) == (Reason.INVALID, field)


def test_readings_are_judged_by_the_limits_of_the_store_and_recorded_once() -> None:
    minutes = [-180.0, *[-140.0] * 7, -180.0]
    times = array("d", [(NOW - HOUR).timestamp() + 60 * n for n in range(len(minutes))])
    found = times, array("d", minutes)
    command = store(REGISTERED).summarised("ab", found)
    [event] = when(STORE, store(REGISTERED), command)
    assert isinstance(event, ReadingsRecorded)
    assert [(one.kind, one.warmest) for one in event.excursions] == [("warm", -140.0)]
    assert refused(STORE, store(REGISTERED, event), command) == (Reason.ALREADY, None)
    assert refused(STORE, given(STORE), command) == (Reason.NOT_FOUND, None)
    assert refused(STORE, store(REGISTERED), command, NOW - 2 * HOUR) == (Reason.INVALID, None)
    assert store(REGISTERED, StoreLimited(-130.0, 300, 600, "SOP 8")).summarised("ab", found).excursions == ()
    late = times.__class__("d", [one + 7200 for one in times]), array("d", minutes)
    kinds = [one.kind for one in store(REGISTERED, event).summarised("cd", late).excursions]
    assert kinds == ["gap", "warm"], "nobody knows how warm it was between the files"
    early = times.__class__("d", [one - 7200 for one in times]), array("d", minutes)
    assert [one.kind for one in store(REGISTERED, event).summarised("cd", early).excursions] == ["warm"]


def test_files_that_overlap_hide_no_warmth() -> None:
    """A logger that sends its last five minutes every two never shows more than is tolerated in one file."""
    told: list[Any] = [REGISTERED]
    for start in range(0, 12, 2):
        times = array("d", [(NOW - HOUR).timestamp() + 60 * (start + n) for n in range(6)])
        command = store(*told).summarised(f"file {start}", (times, array("d", [-140.0] * 6)))
        told += when(STORE, store(*told), command)
    found = [[(one.kind, one.began) for one in event.excursions] for event in told[1:]]
    assert found == [[], *[[("warm", NOW - HOUR)]] * 5]


def test_a_unit_has_its_place() -> None:
    place = PlaceUnit("U1", STORE, "A1")
    assert named_by(place, lot()) == {STORE}
    assert when(LOT, lot(), place, around=around()) == [UnitPlaced("u1", STORE, "A1", NOW)]
    assert when(LOT, lot(PLACED), place, around=around()) == []
    assert refused(LOT, lot(), place) == (Reason.NOT_FOUND, "store")
    assert refused(LOT, lot(), replace(place, unit="u9"), around=around()) == (Reason.NOT_FOUND, "unit")
    assert refused(LOT, lot(), replace(place, position=" "), around=around()) == (Reason.INVALID, "position")
    assert refused(LOT, lot(PLACED), replace(place, unit="u2"), around=around()) == (Reason.UNAVAILABLE, "position")
    assert refused(LOT, lot(), replace(place, since=NOW + HOUR), around=around()) == (Reason.INVALID, "since")
    before = replace(place, position="B2", since=NOW - 10 * HOUR)
    assert refused(LOT, lot(PLACED), before, around=around()) == (Reason.INVALID, "since")
    moved = UnitPlaced("u1", STORE, "B2", NOW)
    assert when(LOT, lot(PLACED, moved), replace(place, unit="u2"), around=around()) == [
        UnitPlaced("u2", STORE, "A1", NOW)
    ]


def test_no_two_units_of_any_lots_lie_at_one_place() -> None:
    place = PlaceUnit("U1", STORE, "A1")

    def beside(position: str) -> Around:
        other = {"lot-2": {LIES: (UnitBeside("lot-2", "x1", position),)}}
        return replace(AROUND, beside={**around().beside, **other})

    for written in ("A1", "a 1"):
        assert refused(LOT, lot(), place, around=beside(written)) == (Reason.UNAVAILABLE, "position")
    assert when(LOT, lot(), place, around=beside("A2")) == [UnitPlaced("u1", STORE, "A1", NOW)]
    gone = lot(PLACED, UnitPlaced("u1", "store-2", "B7", NOW))
    assert [(at, unit.id) for at, unit in lying(lot(PLACED), STORE)] == [("A1", "u1")]
    assert (lying(gone, STORE), len(lying(gone, "store-2"))) == ([], 1)
    assert lying(lot(PLACED, STOPPED, DISCARDED), STORE) == [], "what is no more lies nowhere"


def test_what_lay_in_a_store_that_was_too_warm_is_stopped_once() -> None:
    assert named_by(StopUnits(), lot(PLACED)) == {STORE}
    assert when(LOT, lot(PLACED), StopUnits(), around=AFTER) == [STOPPED]
    assert when(LOT, lot(PLACED, STOPPED), StopUnits(), around=AFTER) == []
    assert when(LOT, lot(replace(PLACED, since=NOW - HOUR)), StopUnits(), around=AFTER) == [], "it came later"
    gone = UnitPlaced("u1", "store-2", "A1", NOW - 5 * HOUR)
    assert when(LOT, lot(PLACED, gone), StopUnits(), around=AFTER) == [], "it had left before"
    assert when(LOT, lot(PLACED, STOPPED, DISCARDED), StopUnits(), around=AFTER) == [], "it is no more"
    late = PlaceUnit("u1", STORE, "A1", NOW - 3 * HOUR)
    assert when(LOT, lot(), late, around=AFTER) == [UnitPlaced("u1", STORE, "A1", NOW - 3 * HOUR), STOPPED]


def test_nobody_gets_a_unit_before_the_store_was_looked_at() -> None:
    """Between the reading and the stop nothing is given out: the lot asks the store itself."""
    other = HoldUnit("case-2", "e2", UNTIL)
    assert when(LOT, lot(PLACED), other, around=AFTER) == [UnitHeld("u2", "case-2", "e2", UNTIL)]
    both = (PLACED, UnitPlaced("u2", STORE, "A2", NOW - 9 * HOUR))
    assert refused(LOT, lot(*both), other, around=AFTER) == (Reason.UNAVAILABLE, None)
    assert refused(LOT, lot(PLACED, HELD), CommitUnit("u1", "case-1"), around=AFTER) == (Reason.LAPSED, "unit")
    longer = ExtendHold("u1", "case-1", UNTIL + HOUR)
    assert refused(LOT, lot(PLACED, HELD), longer, around=AFTER) == (Reason.LAPSED, "unit")
    assert when(LOT, lot(PLACED, HELD), CommitUnit("u1", "case-1"), around=around()) == [UnitCommitted("u1")]


def test_a_stopped_unit_is_nobodys() -> None:
    for before, after in (((HELD,), "free"), ((HELD, UnitCommitted("u1")), "set_aside")):
        state = lot(PLACED, *before, STOPPED)
        assert read_model(LOT, state)["stopped"] == ("u1",)
        assert (state.units["u1"].state, state.units["u1"].free_at(NOW)) == (after, False)
        assert refused(LOT, state, HoldUnit("case-1", "e", UNTIL)) == (Reason.LAPSED, "effect")
        again = HoldUnit("case-1", "e2", UNTIL)
        assert when(LOT, state, again, around=AFTER) == [UnitHeld("u2", "case-1", "e2", UNTIL)], "a replacement"
    only = lot(PLACED, STOPPED, UnitHeld("u2", "case-2", "e2", UNTIL))
    assert (no_unit(only, UNTIL, NOW), read_model(LOT, only)["free_units"]) == ("none_available", 0)


def test_what_went_into_the_patient_before_its_store_was_read_is_nobody_elses() -> None:
    """The file of readings comes an hour after the cells were given, and two people clear the unit."""
    proposed, cleared = UseOfUnitProposed("u1", "fine", "person-2"), UnitCleared("u1", "fine", "person-3")
    used, other = UseUnit("u1", "case-1"), HoldUnit("case-2", "e2", UNTIL)
    u2 = UnitHeld("u2", "case-3", "e3", UNTIL)
    told = (PLACED, u2, HELD, UnitCommitted("u1"), STOPPED, proposed, cleared)
    for known in (told[:-2], told):
        assert when(LOT, lot(*known), used, around=AFTER) == [UnitUsed("u1")]
        assert refused(LOT, lot(*known), other, around=AFTER) == (Reason.UNAVAILABLE, None)
        assert refused(LOT, lot(*known), replace(used, case="case-2")) == (Reason.UNAVAILABLE, "unit")
    settle = SettleUnit("u1", "returned", "it never left its storage", "person-2")
    [settled] = when(LOT, lot(*told), settle)
    back = lot(*told, settled)
    assert when(LOT, back, other, around=AFTER) == [UnitHeld("u1", "case-2", "e2", UNTIL)]
    assert refused(LOT, back, used) == (Reason.MISSING, "unit")
    assert when(LOT, lot(PLACED, HELD, STOPPED), used) == [UnitUsed("u1")], "told before it was ever committed"
    assert refused(LOT, lot(PLACED, HELD), used) == (Reason.MISSING, "unit")


def test_a_unit_that_was_given_is_stopped_by_readings_that_come_late_and_stays_given() -> None:
    given = lot(PLACED, HELD, UnitCommitted("u1"), UnitUsed("u1"))
    [stopped] = when(LOT, given, StopUnits(), around=AFTER)
    assert stopped == STOPPED
    after = lot(PLACED, HELD, UnitCommitted("u1"), UnitUsed("u1"), stopped)
    assert (after.units["u1"].state, read_model(LOT, after)["stopped"]) == ("used", ("u1",))
    assert when(LOT, after, StopUnits(), around=AFTER) == [], "once"
    assert refused(LOT, after, USE) == (Reason.IRREVERSIBLE, "unit")


def test_two_people_clear_a_stopped_unit_and_one_discards_it() -> None:
    proposed = UseOfUnitProposed("u1", "validated for two hours", "person-2")
    assert when(LOT, lot(PLACED, STOPPED), USE) == [proposed]
    state = lot(PLACED, STOPPED, proposed)
    assert refused(LOT, state, USE) == (Reason.FOUR_EYES, "by")
    cleared = UnitCleared("u1", "validated for two hours", "person-3")
    assert when(LOT, state, replace(USE, by="person-3")) == [cleared]
    free = lot(PLACED, STOPPED, proposed, cleared)
    assert free.units["u1"].free_at(NOW)
    assert when(LOT, free, StopUnits(), around=AFTER) == [], "it was judged"
    longer = replace(WARM, ended=WARM.ended + HOUR)
    assert when(LOT, free, StopUnits(), around=around(WARM, longer)) == [UnitStopped("u1", STORE, longer.id)]
    discarded = UnitDiscarded("u1", "too warm", "person-2")
    assert when(LOT, state, replace(USE, outcome="discard", reason="too warm")) == [discarded]
    over = lot(PLACED, STOPPED, discarded)
    assert over.units["u1"].state == "destroyed"
    assert over.units["u1"].stays[-1].until is not None
    assert refused(LOT, over, USE) == (Reason.NOT_NOW, "unit")
    assert refused(LOT, lot(PLACED), USE) == (Reason.NOT_NOW, "unit")
    assert refused(LOT, state, replace(USE, reason="")) == (Reason.INVALID, "reason")
    assert refused(LOT, state, replace(USE, by="")) == (Reason.FOUR_EYES, "by")


def test_only_what_the_table_lets_be_settled_is() -> None:
    settle = SettleUnit("u1", "returned", "never left", "person-2")
    assert "held" not in MOVES["UnitSettled returned"]
    assert refused(LOT, lot(HELD), settle) == (Reason.NOT_NOW, "unit")
