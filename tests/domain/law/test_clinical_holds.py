"""Clinical holds [governance.hold]: placed, conditions fulfilled one by one, lifted by who placed them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.catalogue.protocol import ProtocolRegistered
from domain.catalogue.site import ConfirmSite, SiteConfirmed
from domain.catalogue.streams import read_model
from domain.catalogue.waiting.waiting_list import PlaceAllotted, PlaceFreed, TellWaitingList
from domain.core.errors import Reason
from domain.core.roles import Role
from domain.doses.lot import LotRegistered, LotReleased, ReleaseLot
from domain.doses.product import ProductRegistered, stream_of
from domain.doses.unit import CommitUnit, ExtendHold, FreeUnit, HoldUnit, UnitHeld
from domain.law.clinical_holds import (
    ClinicalHoldLifted,
    ClinicalHoldPlaced,
    FulfilHoldCondition,
    HoldConditionFulfilled,
    LiftClinicalHold,
    PlaceClinicalHold,
)
from domain.roles import Actor, action_of, allow
from tests.domain.catalogue.steps import AROUND, NOW, given, refused, when
from tests.domain.catalogue.test_protocol import FIELDS, STREAM

TODAY = NOW.date()
REGISTERED = ProtocolRegistered(**FIELDS)
PLACE = PlaceClinicalHold("regulator", "FDA", "two deaths", TODAY, ("amended consent", "narrower criteria"))
PLACED = ClinicalHoldPlaced(1, PLACE.holder, PLACE.authority, PLACE.reason, PLACE.decided, PLACE.conditions)
MET = tuple(HoldConditionFulfilled(1, n, f"letter {n}", TODAY) for n in (1, 2))
LIFT = LiftClinicalHold(1, "regulator", TODAY, "letter of 2 March")
LIFTED = ClinicalHoldLifted(1, "regulator", TODAY, "letter of 2 March")
LOT = (LotRegistered("FT-819", ("u1", "u2"), NOW + timedelta(days=90), "D", "V", "person-1"),)
PRODUCT = stream_of("ft-8 19")


@pytest.mark.parametrize("stream", [STREAM, PRODUCT])
def test_a_hold_stands_until_every_condition_is_fulfilled_and_those_who_placed_it_lift_it(stream: str) -> None:
    first = REGISTERED if stream == STREAM else ProductRegistered("FT-819", "")
    assert when(stream, given(stream, first), PLACE) == [PLACED]
    assert "holds" not in read_model(stream, given(stream, first))
    held = given(stream, first, PLACED)
    [noted] = read_model(stream, held)["holds"]
    assert (noted.authority, noted.unfulfilled) == ("FDA", (1, 2))
    assert refused(stream, held, LIFT) == (Reason.MISSING, "hold")
    assert when(stream, held, FulfilHoldCondition(1, 2, "letter 2", TODAY)) == [MET[1]]
    assert refused(stream, given(stream, first, PLACED, MET[1]), LIFT) == (Reason.MISSING, "hold")
    ready = given(stream, first, PLACED, *MET)
    assert refused(stream, ready, replace(LIFT, holder="sponsor")) == (Reason.NOT_ALLOWED, "holder")
    assert when(stream, ready, LIFT) == [LIFTED]
    assert "holds" not in read_model(stream, given(stream, first, PLACED, *MET, LIFTED))


@pytest.mark.parametrize(
    ("before", "command", "reason", "field"),
    [
        ((), replace(PLACE, authority=" "), Reason.INVALID, "authority"),
        ((), replace(PLACE, reason="r" * 2001), Reason.INVALID, "reason"),
        ((), replace(PLACE, decided=TODAY + timedelta(days=2)), Reason.INVALID, "decided"),
        ((), replace(PLACE, conditions=("a", " ")), Reason.INVALID, "conditions"),
        ((), replace(PLACE, conditions=("a",) * 51), Reason.INVALID, "conditions"),
        ((PLACED,), PLACE, Reason.ALREADY, "authority"),
        ((), LIFT, Reason.NOT_FOUND, "hold"),
        ((PLACED,), FulfilHoldCondition(2, 1, "letter", TODAY), Reason.NOT_FOUND, "hold"),
        ((PLACED,), FulfilHoldCondition(1, 3, "letter", TODAY), Reason.INVALID, "condition"),
        ((PLACED, MET[0]), FulfilHoldCondition(1, 1, "letter", TODAY), Reason.INVALID, "condition"),
        ((PLACED,), FulfilHoldCondition(1, 1, "", TODAY), Reason.INVALID, "evidence"),
        ((PLACED,), FulfilHoldCondition(1, 1, "letter", date(2027, 1, 1)), Reason.INVALID, "fulfilled"),
        ((PLACED, *MET), replace(LIFT, source=""), Reason.INVALID, "source"),
        ((PLACED, *MET), replace(LIFT, decided=TODAY - timedelta(days=1)), Reason.INVALID, "decided"),
        ((PLACED, *MET, LIFTED), LIFT, Reason.ALREADY, "hold"),
    ],
)
def test_what_cannot_be_is_refused(before: tuple[Any, ...], command: Any, reason: Reason, field: str) -> None:
    assert refused(STREAM, given(STREAM, REGISTERED, *before), command) == (reason, field)


def test_two_authorities_may_hold_at_once_and_a_lifted_hold_may_come_back() -> None:
    both = given(STREAM, REGISTERED, PLACED, replace(PLACED, hold=2, holder="sponsor", authority="S", conditions=()))
    assert [one.number for one in read_model(STREAM, both)["holds"]] == [1, 2]
    again = given(STREAM, REGISTERED, PLACED, *MET, LIFTED)
    assert when(STREAM, again, PLACE) == [replace(PLACED, hold=2)]


def test_no_place_is_offered_while_a_protocol_is_on_hold_and_the_free_ones_are_when_it_goes_on() -> None:
    confirm = ConfirmSite("centre-a", "open", NOW + timedelta(days=30), "Dr Li", TODAY, 1)
    site = SiteConfirmed("centre-a", "open", TODAY, NOW + timedelta(days=30), "Dr Li", 1)
    waits = TellWaitingList("w1", 1, "case-1", "", urgent=False, since=NOW)
    held = given(STREAM, REGISTERED, replace(PLACED, conditions=()), site)
    joined = when(STREAM, held, waits)
    freed = when(STREAM, given(STREAM, REGISTERED, replace(PLACED, conditions=()), *joined), confirm)
    assert [type(one) for one in freed] == [SiteConfirmed, PlaceFreed]
    still = given(STREAM, REGISTERED, replace(PLACED, conditions=()), *joined, *freed)
    lifted, offered = when(STREAM, still, LIFT)
    assert (lifted, type(offered), offered.case) == (LIFTED, PlaceAllotted, "case-1")


@pytest.mark.parametrize("command", [HoldUnit("case-1", "e1", NOW + timedelta(days=3)),
                                     ExtendHold("u1", "case-1", NOW + timedelta(days=9)),
                                     CommitUnit("u1", "case-1"), ReleaseLot("person-2")])  # fmt: skip
def test_nothing_of_a_lot_moves_towards_a_patient_while_its_product_is_on_hold(command: Any) -> None:
    held = (*LOT, LotReleased("person-2"), UnitHeld("u1", "case-1", "e0", NOW + timedelta(days=5)))
    lot = given("lot-a", *(LOT if isinstance(command, ReleaseLot) else held))
    runs = {PRODUCT: read_model(PRODUCT, given(PRODUCT, ProductRegistered("FT-819", "")))}
    still = {PRODUCT: read_model(PRODUCT, given(PRODUCT, ProductRegistered("FT-819", ""), PLACED))}
    assert refused("lot-a", lot, command, around=replace(AROUND, beside=still)) == (Reason.LAPSED, None)
    assert when("lot-a", lot, command, around=replace(AROUND, beside=runs))
    back = FreeUnit("u1", "case-1")
    assert isinstance(command, ReleaseLot) or when("lot-a", lot, back, around=replace(AROUND, beside=still))


def test_many_may_stop_and_only_who_releases_lots_lets_it_go_on() -> None:
    who = {role: [allow(Actor("p", role), action_of(c.__name__)) for c in (PlaceClinicalHold, LiftClinicalHold)]
           for role in (Role.SUPERVISOR, Role.QUALITY, Role.COORDINATOR)}  # fmt: skip
    assert who == {Role.SUPERVISOR: [True, False], Role.QUALITY: [True, True], Role.COORDINATOR: [False, False]}
