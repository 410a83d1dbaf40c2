"""Lots: released by a second person; each unit for one patient, held on a lease, committed, used once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.doses.lot import (
    LotQuarantined,
    LotRecalled,
    LotRegistered,
    LotReleased,
    QuarantineLot,
    RecallLot,
    RegisterLot,
    ReleaseLot,
    read_model,
)
from domain.doses.stock import Lot, no_unit, unit_for
from domain.doses.unit import (
    CommitUnit,
    DestroyThawedUnit,
    ExtendHold,
    FreeUnit,
    HoldExtended,
    HoldUnit,
    SettleUnit,
    ThawedUnitDestroyed,
    UnitCommitted,
    UnitFreed,
    UnitHeld,
    UnitSetAside,
    UnitSettled,
    UnitUsed,
    UseUnit,
)
from tests.domain.catalogue.steps import NOW, given, refused, when

STREAM = "lot-1"
DAY = timedelta(days=1)
EXPIRES = NOW + 300 * DAY
REGISTER = RegisterLot("X-1", ("u1", "u2"), EXPIRES, "A999925123456", "LV-7", "person-1")
REGISTERED = LotRegistered("X-1", ("u1", "u2"), EXPIRES, "A999925123456", "LV-7", "person-1")
RELEASED = LotReleased("person-2")
UNTIL = NOW + 14 * DAY
HOLD = HoldUnit("case-1", "effect-1", UNTIL)
HELD = UnitHeld("u1", "case-1", "effect-1", UNTIL)
COMMITTED, USED = UnitCommitted("u1"), UnitUsed("u1")


def lot(*events: Any) -> Lot:
    state = given(STREAM, REGISTERED, RELEASED, *events)
    assert isinstance(state, Lot)
    return state


def test_a_lot_comes_in_and_nothing_of_it_can_be_held_yet() -> None:
    assert when(STREAM, given(STREAM), REGISTER) == [REGISTERED]
    state = given(STREAM, REGISTERED)
    assert isinstance(state, Lot)
    assert (state.state, no_unit(state, UNTIL, NOW)) == ("registered", "lot_not_released")
    assert refused(STREAM, state, HOLD) == (Reason.UNAVAILABLE, None)
    assert refused(STREAM, state, REGISTER) == (Reason.ALREADY, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("product", ""), ("units", ()), ("units", ("u1", "")), ("units", ("u1", "u1")), ("expires", NOW)],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    assert refused(STREAM, given(STREAM), replace(REGISTER, **{field: value})) == (Reason.INVALID, field)


def test_released_by_somebody_else_than_whoever_registered_it() -> None:
    state = given(STREAM, REGISTERED)
    assert when(STREAM, state, ReleaseLot("person-2")) == [RELEASED]
    assert refused(STREAM, state, ReleaseLot("person-1")) == (Reason.FOUR_EYES, "by")
    assert refused(STREAM, state, ReleaseLot("")) == (Reason.FOUR_EYES, "by")
    assert refused(STREAM, state, ReleaseLot("person-2"), EXPIRES) == (Reason.LAPSED, None)
    assert refused(STREAM, lot(), ReleaseLot("person-2")) == (Reason.ALREADY, None)
    unnamed = given(STREAM, replace(REGISTERED, by=""))  # then it was whoever recorded it
    assert refused(STREAM, unnamed, ReleaseLot("somebody")) == (Reason.FOUR_EYES, "by")


def test_quarantine_stops_new_holds_and_ends_by_another_release() -> None:
    assert when(STREAM, lot(HELD), QuarantineLot("logger gap")) == [LotQuarantined("logger gap")]
    state = lot(HELD, LotQuarantined("logger gap"))
    assert when(STREAM, state, QuarantineLot("again")) == []
    assert refused(STREAM, state, HoldUnit("case-2", "effect-2", UNTIL)) == (Reason.UNAVAILABLE, None)
    assert refused(STREAM, state, ExtendHold("u1", "case-1", UNTIL + DAY)) == (Reason.LAPSED, None)
    assert refused(STREAM, state, CommitUnit("u1", "case-1")) == (Reason.LAPSED, None)
    assert when(STREAM, state, ReleaseLot("person-2")) == [RELEASED]


def test_a_recall_is_for_ever() -> None:
    assert when(STREAM, lot(), RecallLot("late positive")) == [LotRecalled("late positive")]
    state = lot(LotRecalled("late positive"))
    assert read_model(state)["state"] == "recalled"
    assert when(STREAM, state, RecallLot("again")) == []
    assert refused(STREAM, state, ReleaseLot("person-2")) == (Reason.IRREVERSIBLE, None)
    assert refused(STREAM, state, QuarantineLot("x")) == (Reason.IRREVERSIBLE, None)


def test_the_first_free_unit_is_held() -> None:
    assert when(STREAM, lot(), HOLD) == [HELD]
    assert when(STREAM, lot(HELD), HoldUnit("case-2", "effect-2", UNTIL)) == [
        UnitHeld("u2", "case-2", "effect-2", UNTIL)
    ]


def test_the_same_request_twice_gets_the_same_unit_and_nothing_new() -> None:
    state = lot(HELD)
    assert when(STREAM, state, HOLD) == []
    assert unit_for(state, "effect-1") == state.units["u1"]
    assert when(STREAM, lot(HELD, COMMITTED), HOLD) == []
    assert when(STREAM, lot(HELD, COMMITTED, USED), HOLD) == []


def test_a_request_whose_hold_is_gone_does_not_quietly_get_another_unit() -> None:
    assert refused(STREAM, lot(HELD), HOLD, UNTIL) == (Reason.LAPSED, "effect")
    assert refused(STREAM, lot(HELD, UnitFreed("u1")), HOLD) == (Reason.LAPSED, "effect")
    taken = UnitHeld("u1", "case-2", "effect-2", UNTIL + 9 * DAY)
    assert refused(STREAM, lot(HELD, taken), HOLD, UNTIL + DAY) == (Reason.LAPSED, "effect")


def test_a_hold_is_free_from_the_instant_it_ends() -> None:
    other = HoldUnit("case-2", "effect-2", UNTIL + 14 * DAY)
    before = UNTIL - timedelta(microseconds=1)
    assert when(STREAM, lot(HELD), other, before) == [UnitHeld("u2", "case-2", "effect-2", UNTIL + 14 * DAY)]
    assert when(STREAM, lot(HELD), other, UNTIL) == [UnitHeld("u1", "case-2", "effect-2", UNTIL + 14 * DAY)]


def test_a_case_that_asks_again_keeps_the_unit_it_holds() -> None:
    longer = HoldUnit("case-1", "effect-2", UNTIL + 7 * DAY)
    assert when(STREAM, lot(HELD), longer) == [UnitHeld("u1", "case-1", "effect-2", UNTIL + 7 * DAY)]
    shorter = HoldUnit("case-1", "effect-2", NOW + DAY)
    assert when(STREAM, lot(HELD), shorter) == [UnitHeld("u1", "case-1", "effect-2", UNTIL)]
    full = lot(HELD, UnitHeld("u2", "case-2", "effect-9", UNTIL))
    assert when(STREAM, full, longer) == [UnitHeld("u1", "case-1", "effect-2", UNTIL + 7 * DAY)]


def test_a_second_planned_infusion_gets_a_second_unit() -> None:
    second = HoldUnit("case-1", "effect-2", UNTIL)
    assert when(STREAM, lot(HELD, COMMITTED), second) == [UnitHeld("u2", "case-1", "effect-2", UNTIL)]


def test_why_there_is_no_unit() -> None:
    full = lot(HELD, UnitHeld("u2", "case-2", "effect-2", UNTIL))
    assert no_unit(full, UNTIL, NOW) == "none_available"
    assert no_unit(full, UNTIL, UNTIL - DAY) == "none_available"
    assert no_unit(lot(), EXPIRES, NOW) == "expires_too_soon"
    assert no_unit(lot(), UNTIL, NOW) is None
    assert refused(STREAM, full, HoldUnit("case-3", "effect-3", UNTIL)) == (Reason.UNAVAILABLE, None)
    assert refused(STREAM, lot(), replace(HOLD, until=NOW)) == (Reason.INVALID, "until")
    assert refused(STREAM, lot(), replace(HOLD, case=ERASED)) == (Reason.INVALID, "case")


def test_a_standing_hold_is_extended_never_shortened() -> None:
    state = lot(HELD)
    assert when(STREAM, state, ExtendHold("u1", "case-1", UNTIL + DAY)) == [HoldExtended("u1", UNTIL + DAY)]
    assert when(STREAM, state, ExtendHold("u1", "case-1", UNTIL)) == []
    assert refused(STREAM, state, ExtendHold("u1", "case-1", EXPIRES)) == (Reason.LAPSED, "until")
    assert refused(STREAM, state, ExtendHold("u1", "case-1", UNTIL + DAY), UNTIL) == (Reason.LAPSED, "unit")
    assert refused(STREAM, state, ExtendHold("u1", "case-2", UNTIL + DAY)) == (Reason.UNAVAILABLE, "unit")
    assert refused(STREAM, state, ExtendHold("u9", "case-1", UNTIL + DAY)) == (Reason.NOT_FOUND, "unit")


def test_freed_once_and_only_by_whose_it_is() -> None:
    assert when(STREAM, lot(HELD), FreeUnit("u1", "case-1")) == [UnitFreed("u1")]
    assert when(STREAM, lot(HELD, UnitFreed("u1")), FreeUnit("u1", "case-1")) == []
    assert when(STREAM, lot(HELD), FreeUnit("u1", "case-2")) == []
    assert when(STREAM, lot(HELD), FreeUnit("u1", ERASED)) == []
    freed = lot(HELD, UnitFreed("u1"))
    assert when(STREAM, freed, HoldUnit("case-2", "effect-2", UNTIL)) == [UnitHeld("u1", "case-2", "effect-2", UNTIL)]


def test_committed_while_held_for_this_case_and_the_lot_released() -> None:
    state = lot(HELD)
    assert when(STREAM, state, CommitUnit("u1", "case-1")) == [COMMITTED]
    assert when(STREAM, lot(HELD, COMMITTED), CommitUnit("u1", "case-1"), UNTIL + DAY) == []
    assert refused(STREAM, state, CommitUnit("u1", "case-1"), UNTIL) == (Reason.LAPSED, "unit")
    assert refused(STREAM, state, CommitUnit("u1", "case-2")) == (Reason.UNAVAILABLE, "unit")
    assert refused(STREAM, state, CommitUnit("u2", "case-1")) == (Reason.UNAVAILABLE, "unit")
    long = lot(replace(HELD, until=EXPIRES + DAY))
    assert refused(STREAM, long, CommitUnit("u1", "case-1"), EXPIRES) == (Reason.LAPSED, None)
    recalled = lot(HELD, COMMITTED, LotRecalled("x"))
    assert refused(STREAM, recalled, CommitUnit("u1", "case-1")) == (Reason.LAPSED, None)


def test_a_committed_unit_does_not_lapse() -> None:
    later = UNTIL + 30 * DAY
    state = lot(HELD, COMMITTED, UnitHeld("u2", "case-2", "effect-2", later + DAY))
    assert no_unit(state, later + DAY, later) == "none_available"


def test_used_once_and_for_ever_even_after_a_recall() -> None:
    assert when(STREAM, lot(HELD, COMMITTED), UseUnit("u1", "case-1")) == [USED]
    assert when(STREAM, lot(HELD, COMMITTED, LotRecalled("x")), UseUnit("u1", "case-1")) == [USED]
    assert refused(STREAM, lot(HELD), UseUnit("u1", "case-1")) == (Reason.MISSING, "unit")
    assert refused(STREAM, lot(HELD, COMMITTED), UseUnit("u1", "case-2")) == (Reason.UNAVAILABLE, "unit")
    used = lot(HELD, COMMITTED, USED)
    assert when(STREAM, used, UseUnit("u1", "case-1")) == []
    assert refused(STREAM, used, FreeUnit("u1", "case-1")) == (Reason.IRREVERSIBLE, "unit")
    assert refused(STREAM, used, SettleUnit("u1", "destroyed", "x", "person-2")) == (Reason.IRREVERSIBLE, "unit")


@pytest.mark.parametrize("known", [(HELD,), (HELD, COMMITTED), (HELD, COMMITTED, UnitSetAside("u1"), LotRecalled("x"))])
def test_what_was_destroyed_at_the_bedside_is_nobodys_again_whatever_the_lot_knew(known: tuple[Any, ...]) -> None:
    gone = DestroyThawedUnit("u1", "case-1")
    assert when(STREAM, lot(*known), gone) == [ThawedUnitDestroyed("u1")]
    after = lot(*known, ThawedUnitDestroyed("u1"))
    assert after.units["u1"].state == "destroyed"
    assert when(STREAM, after, gone) == [], "told twice"
    assert refused(STREAM, after, UseUnit("u1", "case-1")) == (Reason.MISSING, "unit")
    assert refused(STREAM, lot(*known), DestroyThawedUnit("u1", "case-2")) == (Reason.UNAVAILABLE, "unit")


def test_what_went_into_a_patient_was_not_destroyed() -> None:
    assert refused(STREAM, lot(HELD, COMMITTED, USED), DestroyThawedUnit("u1", "case-1")) == (
        Reason.IRREVERSIBLE,
        "unit",
    )


def test_a_committed_unit_nobody_needs_waits_for_quality_assurance() -> None:
    assert when(STREAM, lot(HELD, COMMITTED), FreeUnit("u1", "case-1")) == [UnitSetAside("u1")]
    aside = lot(HELD, COMMITTED, UnitSetAside("u1"))
    assert when(STREAM, aside, FreeUnit("u1", "case-1")) == []
    back, gone = (
        SettleUnit("u1", "returned", "never moved", "person-2"),
        SettleUnit("u1", "destroyed", "warm", "person-2"),
    )
    assert when(STREAM, aside, back) == [UnitSettled("u1", "returned", "never moved", "person-2")]
    assert when(STREAM, lot(HELD, COMMITTED), gone) == [UnitSettled("u1", "destroyed", "warm", "person-2")]
    assert refused(STREAM, aside, replace(back, by="person-1")) == (Reason.FOUR_EYES, "by")
    assert refused(STREAM, lot(HELD), gone) == (Reason.NOT_NOW, "unit")
    returned = lot(HELD, COMMITTED, UnitSetAside("u1"), UnitSettled("u1", "returned", "", "person-2"))
    assert when(STREAM, returned, HoldUnit("case-2", "effect-2", UNTIL)) == [
        UnitHeld("u1", "case-2", "effect-2", UNTIL)
    ]
    destroyed = lot(HELD, COMMITTED, UnitSettled("u1", "destroyed", "", "person-2"))
    assert when(STREAM, destroyed, HoldUnit("case-2", "effect-2", UNTIL)) == [
        UnitHeld("u2", "case-2", "effect-2", UNTIL)
    ]


def test_the_read_model_counts_stock_without_a_clock() -> None:
    known: Sequence[datetime] = [UNTIL]
    assert read_model(lot(HELD)) == {
        "state": "released",
        "expires": EXPIRES,
        "product": "X-1",
        "free_units": 1,
        "held_until": known,
    }
    assert read_model(lot(HELD, COMMITTED))["held_until"] == []


@pytest.mark.parametrize("command", [ReleaseLot("p"), RecallLot("x"), HOLD, CommitUnit("u1", "case-1")])
def test_nothing_happens_to_a_lot_that_is_not_there(command: Any) -> None:
    assert refused(STREAM, given(STREAM), command) == (Reason.NOT_FOUND, None)


@pytest.mark.parametrize(
    "units", [("A9999 17 123456", "A999917123456"), ("A1", "A1 "), ("a1", "A1"), ("A1", " "), ("A1", "\u3164")]
)
def test_one_dose_written_twice_is_refused_and_so_is_none(units: tuple[str, ...]) -> None:
    assert refused(STREAM, Lot(), replace(REGISTER, units=units)) == (Reason.INVALID, "units")


def test_a_product_that_shows_nothing_is_none() -> None:
    assert refused(STREAM, Lot(), replace(REGISTER, product="\u200b")) == (Reason.INVALID, "product")


def test_a_unit_is_found_however_it_is_written_and_keeps_its_own_id() -> None:
    assert when(STREAM, lot(HELD), CommitUnit(" U1", "case-1")) == [UnitCommitted("u1")]
