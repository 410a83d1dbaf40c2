"""Doses and the patient's own cells go from hand to hand; what is not as it should be stops them [doses.custody]."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.supply.shipments import Holder, ShippingLeg
from domain.core.errors import Reason
from domain.engine.answers import of_another_centre
from domain.stages.follow_up.acquired import RecordResource, ReportResource
from domain.stages.supply.gaps import CloseCustodyGap, CustodyGapUnexplained
from domain.stages.supply.handovers import RecordHandover
from domain.stages.supply.shipping import EndShipment, MoveShipment, PlanShipment, ShipmentLate
from domain.stages.supply.stopping import JudgeShipment, ShipmentJudged, ShipmentStopped, ShipmentWarmed
from domain.stages.treatment.dose import HoldDose
from tests.domain.course import CENTRE, LOT, UNIT, start, submission
from tests.domain.journey import DAY, HOUR, START, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.supply.sent import (
    CELLS,
    broken,
    cells,
    cells_back,
    cells_out,
    collected,
    gap,
    handed,
    legs,
    on_way,
    pick_up,
    plan,
    receive,
    shipment,
)
from tests.drawing import draws


def planned(j: Journey, *ways: tuple[str, float, float], shipper: str = "", resource: str = "") -> PlanShipment:
    """Return a plan with these legs: who, hours from now until hours from now."""
    parts = (ShippingLeg(who, j.now + begins * HOUR, j.now + ends * HOUR) for who, begins, ends in ways)
    return PlanShipment("dose", tuple(parts), shipper, resource=resource)


def without_number(j: Journey) -> PlanShipment:
    return PlanShipment("cells_out", legs(j), resource=cells(j))


def unnamed(j: Journey) -> Journey:
    return j.tell(RecordResource("patient_cells", submission(j)))


def once(j: Journey) -> Journey:
    return broken(j).tell(JudgeShipment(shipment(j), "use", "seen", "person-7"))


def lost(j: Journey) -> Journey:
    return on_way(j).tell(EndShipment(shipment(j), "lost"))


REFUSALS = (
    No("acknowledged", lambda j: PlanShipment("dose", legs(j)), Reason.NOT_NOW, "no centre has accepted"),
    No("priced", lambda j: PlanShipment("dose", legs(j)), Reason.NOT_NOW, "no dose is held for this case"),
    No("dose_held", PlanShipment("dose", ()), Reason.INVALID, "a way has at least one leg"),
    No("dose_held", lambda j: planned(j, (" ", 1, 2)), Reason.INVALID, "say who carries it"),
    No("dose_held", lambda j: planned(j, ("A", 2, 1)), Reason.INVALID, "a leg arrives after it departs"),
    No("dose_held", lambda j: planned(j, ("A", 1, 3), ("B", 2, 4)), Reason.INVALID, "a leg departs after the one"),
    No("dose_held", lambda j: planned(j, ("A", -3, -1)), Reason.INVALID, "it would be there already"),
    No("dose_held", lambda j: planned(j, ("A", 1, 24 * 99999)), Reason.INVALID, "it arrives within "),
    No("dose_held", lambda j: planned(j, ("A", 1, 24 * 366)), Reason.LAPSED, "the dose expires before it is there"),
    No("dose_held", lambda j: planned(j, ("A", 1, 2), resource="r"), Reason.INVALID, "the dose is the one that is"),
    No("dose_held", lambda j: planned(j, ("A", 1, 2), shipper="box 7"), Reason.INVALID, "name the shipper as the"),
    No("dose_held", lambda j: PlanShipment("dose", legs(j)), Reason.ALREADY, "it travels already", plan),
    No("dose_held", lambda j: PlanShipment("cells_out", legs(j)), Reason.NOT_FOUND, "name the patient's own cells"),
    No("dose_held", without_number, Reason.MISSING, "the cells have no chain-of-identity number", unnamed),
    No("dose_held", lambda j: PlanShipment("cells_back", legs(j), resource=cells(j)), Reason.NOT_NOW, "they are held",
       collected),
    No("dose_held", lambda j: MoveShipment(shipment(j), j.case.shipments[shipment(j)].legs), Reason.ALREADY,
       "it is planned so already", plan),
    No("dose_held", lambda j: handed(j, "depot", "depot"), Reason.INVALID, "it goes from one to another", plan),
    No("dose_held", lambda j: handed(j, "depot", "carrier", at=j.now + HOUR), Reason.INVALID,
       "that lies in the future", plan),
    No("dose_held", lambda j: handed(j, "depot", "carrier", label=""), Reason.MISSING, "read the code", plan),
    No("dose_held", lambda j: handed(j, "depot", "carrier"), Reason.ALREADY, "this handover is recorded", on_way),
    No("dose_held", RecordHandover("x", "depot", "carrier", START, UNIT, ""), Reason.NOT_FOUND,
       "nothing of that name travels"),
    No("dose_held", lambda j: EndShipment(shipment(j), "lost"), Reason.NOT_NOW, "it is planned", plan),
    No("dose_held", lambda j: EndShipment(shipment(j), "cancelled"), Reason.NOT_NOW, "it is on the way", on_way),
    No("dose_held", lambda j: JudgeShipment(shipment(j), "use", "fine", "person-7"), Reason.NOT_NOW,
       "nothing is to be judged of it", on_way),
    No("dose_held", lambda j: JudgeShipment(shipment(j), "use", "", "person-7"), Reason.INVALID, "say why", broken),
    No("dose_held", lambda j: JudgeShipment(shipment(j), "use", "fine"), Reason.FOUR_EYES,
       "somebody decides this, by name", broken),
    No("dose_held", lambda j: JudgeShipment(shipment(j), "use", "fine", "person-7"), Reason.FOUR_EYES,
       "you said so already; another person has to", once),
    No("dose_held", lambda j: JudgeShipment(shipment(j), "use", "fine", "person-7"), Reason.NOT_NOW,
       "it is lost: record the handover that found it", lost),
    No("dose_held", lambda j: CloseCustodyGap(shipment(j), "x", "person-7"), Reason.NOT_NOW,
       "no link of its chain is missing", on_way),
    No("dose_held", lambda j: CloseCustodyGap(shipment(j), "", "person-7"), Reason.INVALID, "say who was asked", gap),
    No("dose_held", lambda j: CloseCustodyGap(shipment(j), "x"), Reason.FOUR_EYES, "somebody says this, by name", gap),
    No("dose_held", lambda j: CloseCustodyGap(shipment(j), "x", "person-7"), Reason.FOUR_EYES,
       "you said so already; another person has to",
       lambda j: gap(j).tell(CloseCustodyGap(shipment(j), "x", "person-7"))),
)  # fmt: skip


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def kinds(j: Journey) -> set[str]:
    ours = {"shipment_departure", "shipment_arrival", "maker_arrival", "shipment_judgement", "custody_gap"}
    return {o.kind for o in j.all_owed()} & ours


def test_from_the_depot_to_the_ward() -> None:
    j = plan(start("dose_held"))
    assert kinds(j) == {"shipment_departure"}
    assert j.owed("shipment_departure").due == j.case.shipments[shipment(j)].departs
    assert kinds(pick_up(j)) == {"shipment_arrival"}
    assert j.owed("shipment_arrival").due == j.case.shipments[shipment(j)].arrives
    assert [e.pending for e in j.asked("ask_for_handover")] == [True]
    assert kinds(receive(j)) == set()
    sent = j.case.shipments[shipment(j)]
    assert (sent.state, sent.stopped, sent.gaps) == ("arrived", False, ())
    assert [(h.giver, h.taker) for h in sent.handovers] == [("depot", "carrier"), ("carrier", "hospital")]
    assert not j.case.alerts
    assert j.case.dose.state == "held"


def test_its_lot_is_told_each_time_something_became_of_it() -> None:
    j = receive(on_way(start("dose_held")))
    told = [e for e in j.case.effects.values() if e.kind == "tell_lot_of_shipment"]
    assert [(e.about, e.state) for e in told] == [(f"{shipment(j)}/1", "withdrawn"), (f"{shipment(j)}/2", "requested")]


def test_late_is_said_once_for_each_expected_arrival_and_chased() -> None:
    j = on_way(start("dose_held"))
    due = j.case.shipments[shipment(j)].arrives
    j.now = due
    j.look()
    assert [e for e in j.last if isinstance(e, ShipmentLate)] == [ShipmentLate(shipment(j), due)]
    assert "chase" in {o.kind for o in j.all_owed()}
    j.tell(MoveShipment(shipment(j), legs(j, 3)))
    assert kinds(j) == {"shipment_arrival"} or "chase" in {o.kind for o in j.all_owed()}
    j.now = j.case.shipments[shipment(j)].arrives
    j.look()
    assert sum(isinstance(f.event, ShipmentLate) for f in j.facts) == 2
    j.look()
    assert sum(isinstance(f.event, ShipmentLate) for f in j.facts) == 2


@pytest.mark.parametrize(
    ("changed", "finding"),
    [({"seal": "S-9"}, "seal"), ({"seal": ""}, "seal"), ({"label": "unit-2"}, "identity"),
     ({"condition": "thawed"}, "condition")],
)  # fmt: skip
def test_what_is_not_as_it_should_be_stops_the_dose(changed: dict[str, str], finding: str) -> None:
    j = receive(on_way(start("dose_held")), **changed)
    assert [e.findings for e in j.last if isinstance(e, ShipmentStopped)] == [(finding,)]
    assert [a.kind for a in j.case.alerts.values()] == ["custody"]
    assert j.case.dose.state != "held", "another is looked for at once"
    assert kinds(j) == {"shipment_judgement"}
    assert {"safety_alert", "safety_answer"} <= {o.kind for o in j.all_owed()}


def test_a_seal_that_customs_changed_and_said_so_stops_nothing() -> None:
    j = on_way(start("dose_held"))
    j.away(HOUR).tell(handed(j, "carrier", "customs"))
    j.away(HOUR).tell(handed(j, "customs", "carrier", new_seal="C-2"))
    other = j.fork()
    assert not receive(j, seal="c-2").case.alerts
    assert receive(other).case.alerts, "the old one would"


def test_to_use_it_takes_two() -> None:
    j = broken(start("dose_held"))
    j.tell(JudgeShipment(shipment(j), "use", "the carrier changed it", "person-7"))
    assert kinds(j) == {"shipment_judgement"}
    again = JudgeShipment(shipment(j), "use", "yes", "person-7")
    when(j, again).then_refused(Reason.FOUR_EYES, "you said so already; another person has to")
    j.tell(JudgeShipment(shipment(j), "use", "seen", "person-8"))
    assert isinstance(j.decided[0], ShipmentJudged)
    assert kinds(j) == set()
    assert not j.case.shipments[shipment(j)].stopped


def test_what_is_found_after_the_first_word_asks_for_two_anew() -> None:
    j = broken(start("dose_held"))
    j.tell(JudgeShipment(shipment(j), "use", "the carrier changed it", "person-7"))
    j.away(HOUR).tell(handed(j, "hospital", "depot", seal="S-9", condition="thawed"))
    j.tell(JudgeShipment(shipment(j), "use", "seen", "person-8"))
    assert j.case.shipments[shipment(j)].stopped, "the first had not seen this"


def test_a_hand_that_had_not_taken_it_is_a_gap_until_the_missing_one_is_told() -> None:
    j = gap(start("dose_held"))
    assert "custody_gap" in kinds(j)
    first = j.case.shipments[shipment(j)].handovers[0].at
    j.tell(handed(j, "carrier", "customs", at=first + HOUR / 2))
    assert "custody_gap" not in kinds(j)
    assert [h.giver for h in j.case.shipments[shipment(j)].handovers] == ["depot", "carrier", "customs"]


def test_a_gap_that_nobody_can_explain_ends_when_two_people_say_so() -> None:
    j = gap(start("dose_held"))
    [at] = j.case.shipments[shipment(j)].gaps
    one, other = (CloseCustodyGap(shipment(j), "customs keeps no list", by) for by in ("person-7", "person-8"))
    when(j, CloseCustodyGap(shipment(j), "", "person-7")).then_refused(Reason.INVALID, "say who was asked")
    when(j, CloseCustodyGap(shipment(j), "x")).then_refused(Reason.FOUR_EYES, "by name")
    when(j, one).then_told(CustodyGapUnexplained(shipment(j), (at,), "customs keeps no list", "person-7"))
    assert "custody_gap" in kinds(j), "one person does not close it"
    when(j, one).then_refused(Reason.FOUR_EYES, "another person has to")
    j.tell(other)
    assert "custody_gap" not in kinds(j)
    assert (j.case.shipments[shipment(j)].gaps, j.case.shipments[shipment(j)].open_gaps) == ((at,), ())
    when(j, one).then_refused(Reason.NOT_NOW, "no link of its chain is missing")
    j.away(HOUR).tell(handed(j, "customs", "hospital"))
    assert "custody_gap" in kinds(j), "another gap is another question"


def test_a_hospital_speaks_of_its_own_shipments_only() -> None:
    j = on_way(start("dose_held"))
    took = handed(j, "carrier", "hospital")
    assert of_another_centre(j.case, took, "centre-b")
    assert not of_another_centre(j.case, took, CENTRE), "the control"


def test_cells_out_of_specification_do_not_travel_back() -> None:
    j = collected(start("dose_held"))
    j.tell(ReportResource(cells(j), "in_manufacture")).tell(ReportResource(cells(j), "out_of_specification"))
    back = PlanShipment("cells_back", legs(j), resource=cells(j))
    when(j, back).then_refused(Reason.NOT_NOW, "they are out of specification")
    j.tell(ReportResource(cells(j), "remade")).tell(back)


def test_a_lost_one_is_found_again_and_judged() -> None:
    j = on_way(start("dose_held")).tell(EndShipment(shipment(on_way(start("dose_held"))), "lost"))
    use = JudgeShipment(shipment(j), "use", "fine", "person-7")
    when(j, use).then_refused(Reason.NOT_NOW, "it is lost")
    j.away(HOUR).tell(handed(j, "carrier", "hospital"))
    assert kinds(j) == {"shipment_judgement"}
    j.tell(use)


def test_a_shipper_that_was_too_warm_raises_one_alert() -> None:
    j = on_way(start("dose_held"))
    j.source(LOT, stopped=(UNIT,)).look()
    assert sum(isinstance(e, ShipmentWarmed) for e in j.last) == 1
    assert j.case.dose.state != "held"
    j.source(LOT, stopped=(UNIT, "unit-9")).look()
    assert [a.kind for a in j.case.alerts.values()] == ["custody"]


def test_a_cleared_dose_is_the_patients_again() -> None:
    j = broken(start("dose_held"))
    for by in ("person-7", "person-8"):
        j.tell(JudgeShipment(shipment(j), "use", "seen", by))
    assert (j.case.dose.state, j.case.dose.ref, j.case.dose.until) == ("held", UNIT, None)
    assert "find_dose" not in {o.kind for o in j.all_owed()}


def test_a_dose_that_was_replaced_meanwhile_is_not_taken_back() -> None:
    j = broken(start("dose_held")).tell(HoldDose(LOT, "unit-2", start("dose_held").now + 30 * DAY))
    for by in ("person-7", "person-8"):
        j.tell(JudgeShipment(shipment(j), "use", "seen", by))
    assert (j.case.dose.state, j.case.dose.ref) == ("held", "unit-2")


def test_a_dose_that_left_its_storage_is_held_without_end() -> None:
    j = on_way(start("dose_held"))
    assert "dose_hold_renewal" not in {o.kind for o in j.all_owed()}
    j.away(90 * DAY)
    assert j.case.dose.state == "held"


def test_the_patients_own_cells_go_out_and_come_back() -> None:
    j = cells_out(start("dose_held"))
    assert kinds(j) == {"maker_arrival"}
    j.away(DAY).tell(handed(j, "carrier", "maker", label=CELLS))
    assert kinds(j) == set()
    back = cells_back(start("dose_held"))
    assert kinds(back) == {"shipment_arrival"}
    receive(back, label="COI-8")
    assert [a.kind for a in back.case.alerts.values()] == ["custody"], "somebody else's cells"
    assert back.case.dose.state == "held", "it is not the dose that was stopped"


@given(st.permutations(range(4)))
@draws(24)
def test_handovers_stand_in_the_order_of_their_instants_however_they_are_told(order: list[int]) -> None:
    j = plan(start("dose_held")).away(9 * HOUR)
    hands: tuple[Holder, ...] = ("depot", "carrier", "customs", "carrier", "hospital")
    for n in order:
        j.tell(handed(j, hands[n], hands[n + 1], at=j.now - (5 - n) * HOUR))
    sent = j.case.shipments[shipment(j)]
    assert [(h.giver, h.taker) for h in sent.handovers] == [*pairwise(hands)]
    assert (sent.state, sent.gaps, sent.stops) == ("arrived", (), ())
    assert "custody_gap" not in kinds(j)
