"""A lot made of a patient's own cells is that patient's: held, committed and used for nobody else, erased or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from domain.core.errors import Reason, Refused
from domain.core.personal import ERASED
from domain.doses.allocation import DoseWanted, StockedLot, fits, judged
from domain.doses.custody.binding import BindLot, LotBound
from domain.doses.lot import LotRegistered, LotReleased
from domain.doses.stock import Lot
from domain.doses.unit import CommitUnit, ExtendHold, HoldUnit, UnitCommitted, UnitHeld, UnitUsed, UseUnit
from tests.domain.catalogue.steps import NOW, given, refused, when
from tests.drawing import draws

LOT, DAY = "lot-1", timedelta(days=1)
LATER = NOW + 9 * DAY
OWN = LotBound("case-own", "COI-7", "", "person-1")
WAIVED = (Reason.NEVER_WAIVED, "case")


def lot(*events: Any) -> Lot:
    registered = LotRegistered("X", ("u1", "u2"), NOW + 90 * DAY, "", "", "p")
    state = given(LOT, registered, LotReleased("q"), *events)
    assert isinstance(state, Lot)
    return state


def held(case: str, unit: str = "u1") -> UnitHeld:
    return UnitHeld(unit, case, f"e-{case}", LATER)


def test_it_is_bound_once_and_a_repeat_brings_nothing_new() -> None:
    told = BindLot("case-own", "COI-7", by="person-1")
    assert when(LOT, lot(), told) == [OWN]
    assert when(LOT, lot(OWN), told) == []
    assert refused(LOT, lot(), BindLot("SAHAY-1", "COI-7")) == (Reason.INVALID, "case")
    assert refused(LOT, lot(), BindLot("case-own", "")) == (Reason.INVALID, "coi")


@pytest.mark.parametrize(
    "asked",
    [
        HoldUnit("case-else", "e-1", LATER), ExtendHold("u1", "case-else", LATER), CommitUnit("u1", "case-else"),
        UseUnit("u1", "case-else"),
    ],
    ids=lambda asked: asked.type,
)  # fmt: skip
def test_nobody_else_is_given_a_unit_of_it(asked: Any) -> None:
    assert refused(LOT, lot(OWN), asked) == WAIVED
    assert refused(LOT, lot(LotBound(ERASED, ERASED, "", "person-1")), asked) == WAIVED


def test_its_patient_is_and_whoever_asks_for_a_unit_of_a_lot_of_nobodys_cells() -> None:
    assert when(LOT, lot(OWN), HoldUnit("case-own", "e-1", LATER))[0].type == "UnitHeld"
    assert when(LOT, lot(), HoldUnit("case-else", "e-1", LATER))[0].type == "UnitHeld"
    mine = lot(OWN, held("case-own"))
    assert when(LOT, mine, CommitUnit("u1", "case-own")) == [UnitCommitted("u1")]


def test_a_search_for_a_unit_passes_it_over_for_everybody_else() -> None:
    def found(case: str) -> Any:
        return judged(StockedLot(LOT, lot(OWN)), DoseWanted(case, LATER, LATER), NOW)

    assert set(found("case-else").values()) == {"of_another_patient"}
    assert fits(found("case-own"))


def test_a_wrong_binding_is_set_right_by_a_second_person_before_a_unit_is_anybodys() -> None:
    right = BindLot("case-two", "COI-8", "labels mixed up", "person-2")
    assert when(LOT, lot(OWN), right) == [LotBound("case-two", "COI-8", "labels mixed up", "person-2")]
    assert refused(LOT, lot(OWN), BindLot("case-two", "COI-8", "", "person-2")) == (Reason.MISSING, "reason")
    assert refused(LOT, lot(OWN), BindLot("case-two", "COI-8", "mixed", "person-1")) == (Reason.FOUR_EYES, "by")
    for taken in ((held("case-own"),), (held("case-own"), UnitCommitted("u1"), UnitUsed("u1"))):
        assert refused(LOT, lot(OWN, *taken), right) == (Reason.NOT_NOW, "case")
    assert refused(LOT, lot(held("case-else")), BindLot("case-own", "COI-7")) == (Reason.NOT_NOW, "case")


cases = st.sampled_from(["case-a", "case-b"])
asks = st.one_of(
    st.builds(BindLot, cases, st.just("C"), st.sampled_from(["", "why"]), st.sampled_from(["p1", "p2"])),
    st.builds(HoldUnit, cases, st.sampled_from(["e1", "e2", "e3"]), st.just(LATER)),
    st.builds(CommitUnit, st.sampled_from(["u1", "u2"]), cases),
    st.builds(UseUnit, st.sampled_from(["u1", "u2"]), cases),
)


@draws(200)
@over(st.lists(asks, max_size=12))
def test_whatever_is_asked_in_whatever_order_no_unit_of_a_bound_lot_is_anybody_elses(asked: list[Any]) -> None:
    told: list[Any] = []
    for one in asked:
        try:
            told += when(LOT, lot(*told), one)
        except Refused:
            continue
        state = lot(*told)
        if state.bound:
            assert {unit.case for unit in state.units.values() if unit.case} <= {state.bound.case}
