"""The chain of custody however it is told; what becomes of a dose that was stopped, judged or too old on its way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.supply.shipments import Handover, Holder, in_order
from domain.core.errors import Reason
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.supply.shipping import EndShipment, PlanShipment, ShipmentLate
from domain.stages.supply.stopping import JudgeShipment, ShipmentStopped
from domain.stages.treatment.dose import DoseLapsed, HoldDose
from tests.domain.course import LOT, UNIT, start
from tests.domain.journey import DAY, HOUR, START, Journey
from tests.domain.stages.supply.sent import broken, handed, legs, on_way, pick_up, plan, receive, shipment
from tests.drawing import draws


def used(j: Journey) -> Journey:
    """Two people judged that it can be used."""
    for by in ("person-7", "person-8"):
        j.tell(JudgeShipment(shipment(j), "use", "seen", by))
    return j


def owed(j: Journey, kind: str) -> list[str]:
    return [o.about for o in j.all_owed(kind)]


WAY: tuple[Holder, ...] = ("depot", "carrier", "customs", "carrier", "hospital")


@given(st.permutations(range(4)), st.lists(st.integers(0, 1), min_size=4, max_size=4))
@draws(60)
def test_of_handovers_at_one_instant_whoever_has_it_gives_it_on(order: list[int], steps: list[int]) -> None:
    at = [START + sum(steps[: n + 1]) * HOUR for n in range(4)]
    told = [Handover(*hands, at[n], "as_packed", "", "", ()) for n, hands in enumerate(pairwise(WAY))]
    chain = in_order(told[n] for n in order)
    assert [h.at for h in chain] == at
    assert all(one.taker == following.giver for one, following in pairwise(chain))


def test_what_arrived_stays_so_when_the_pick_up_of_that_minute_is_told_late() -> None:
    j = plan(start("dose_held")).away(9 * HOUR)
    j.tell(handed(j, "carrier", "hospital", at=j.now - HOUR)).tell(handed(j, "depot", "carrier", at=j.now - HOUR))
    sent = j.case.shipments[shipment(j)]
    assert (sent.state, sent.gaps) == ("arrived", ())
    assert not owed(j, "custody_gap")


def test_no_seal_is_the_same_as_none_and_one_that_appears_is_not() -> None:
    j = pick_up(start("dose_held").tell(PlanShipment("dose", legs(start("dose_held")))), seal="")
    other = j.fork()
    assert receive(j, seal="").case.shipments[shipment(j)].stops == ()
    assert receive(other).case.shipments[shipment(other)].stops == ("seal",)


@pytest.mark.parametrize(("new", "stops"), [("X-9", ("seal",)), ("", ())])
def test_a_seal_that_was_changed_before_is_missed_though_that_is_told_late(new: str, stops: tuple[str, ...]) -> None:
    j = on_way(start("dose_held")).away(3 * HOUR)
    j.tell(handed(j, "customs", "carrier"))
    j.tell(handed(j, "carrier", "customs", at=j.now - HOUR, new_seal=new))
    assert j.case.shipments[shipment(j)].stops == stops


def test_what_was_destroyed_on_its_way_is_expected_nowhere() -> None:
    j = on_way(start("dose_held")).away(HOUR).tell(handed(on_way(start("dose_held")), "carrier", "customs", at=None))
    j.tell(handed(j, "customs", "carrier", condition="thawed"))
    assert owed(j, "shipment_arrival") == [shipment(j)], "until quality has decided"
    j.tell(JudgeShipment(shipment(j), "discard", "thawed", "person-7"))
    assert not owed(j, "shipment_arrival")
    j.wait(by=9 * DAY)
    assert not [o for o in j.all_owed("chase") if "shipment" in o.about]
    assert not any(isinstance(f.event, ShipmentLate) for f in j.facts)


def test_what_left_although_it_was_cancelled_is_told_all_the_same() -> None:
    j = plan(start("dose_held"))
    j.tell(EndShipment(shipment(j), "cancelled")).away(HOUR).tell(handed(j, "depot", "carrier"))
    assert j.case.shipments[shipment(j)].state == "on_the_way"
    assert [e.about for e in j.asked("tell_lot_of_shipment")] == [f"{shipment(j)}/1"], "nobody else may have it"
    assert owed(j, "shipment_arrival") == [shipment(j)]


def test_a_dose_that_left_its_storage_ends_with_its_lot() -> None:
    j = on_way(start("dose_held"))
    j.source(LOT, expires=j.now + 5 * DAY).look()
    j.wait(by=4 * DAY)
    assert j.case.dose.good_at(j.now)
    brought = j.wait(by=2 * DAY).last
    assert any(isinstance(e, DoseLapsed) for e in brought)
    assert not j.case.dose.good_at(j.now)


def test_a_dose_judged_good_after_its_lot_expired_is_none() -> None:
    j = broken(start("dose_held"))
    j.source(LOT, expires=j.now + DAY).away(2 * DAY)
    used(j)
    assert j.case.dose.state != "held"


def test_a_dose_judged_good_that_nobody_needs_any_more_is_given_to_the_lot_to_settle() -> None:
    j = broken(start("dose_held")).tell(HoldDose(LOT, "unit-2", start("dose_held").now + 30 * DAY))
    used(j)
    [back] = j.asked("release_dose")
    assert j.case.units[back.about] == (LOT, UNIT)
    gone = broken(start("dose_held")).tell(LeaveJourney("withdrawn", "care at home"))
    assert not gone.asked("release_dose"), "it is stopped: quality decides first"
    [back] = used(gone).asked("release_dose")
    assert gone.case.units[back.about] == (LOT, UNIT)


def test_a_dose_judged_good_for_its_patient_is_not_given_away() -> None:
    j = used(broken(start("dose_held")))
    assert j.case.dose.good_at(j.now)
    assert not j.asked("release_dose")
    assert any(isinstance(f.event, ShipmentStopped) for f in j.facts), "the control"
    j.tried(handed(j, "hospital", "hospital"))
    assert j.refused is not None
    assert j.refused.reason is Reason.INVALID
