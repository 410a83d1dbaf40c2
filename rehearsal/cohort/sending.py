"""Says what people do about a dose, or the patient's own cells, on the way: planned, handed over, found late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.case.supply.shipments import Holder, Shipment, ShippingLeg
from domain.core.fact import Command
from domain.stages.supply import handovers, shipping, stopping
from rehearsal.cohort.situation import React, Situation

SEAL = "S-{}"
BROKEN = 0.03
"""How often a seal is another than the one it left with."""


def plan_dose(s: Situation) -> Command | None:
    """Plan the way of the held dose once the patient is there: by road and by air; None where it travels already."""
    case = s.case
    sent = any(one.cargo == "dose" and one.carries == case.dose.ref for one in case.shipments.values())
    if sent or not case.dose.good_at(s.now) or not case.centre:
        return None
    begins = s.now + timedelta(hours=12)
    expires = case.noted(case.lot).get("expires") if case.lot else None
    if isinstance(expires, datetime) and expires <= begins + timedelta(days=2):
        return None
    road = ShippingLeg("Cold Road Ltd", begins, begins + timedelta(hours=6))
    air = ShippingLeg("Air Cargo Ltd", begins + timedelta(hours=8), begins + timedelta(hours=40))
    return shipping.PlanShipment("dose", (road, air), seal=SEAL.format(case.version))


def _handed(s: Situation, sent: Shipment, giver: Holder, taker: Holder, seal: str) -> Command:
    return handovers.RecordHandover(sent.id, giver, taker, s.now, sent.carries or "not readable", seal)


def _picked_up(s: Situation) -> Command | None:
    """Whoever has it first hands it to the carrier, who signs."""
    sent = s.case.shipments.get(s.root)
    if sent is None or sent.left is not None:
        return None
    return _handed(s, sent, shipping.WAYS[sent.cargo].first[0], "carrier", sent.seal)


def _received(s: Situation) -> Command | None:
    """What was chased, the coordinator is told on the phone; now and then with another seal than it left with."""
    sent = s.case.shipments.get(s.root)
    if sent is None or not sent.handovers or (sent.cargo != "cells_out" and not s.chased):
        return None
    seal = "not the one" if s.often(BROKEN) else sent.handovers[-1].sealed_with
    return _handed(s, sent, "carrier", shipping.WAYS[sent.cargo].last, seal)


def _missing_link(s: Situation) -> Command | None:
    """The carrier is asked who had it between."""
    sent = s.case.shipments.get(s.root)
    gap = sent.gaps[0] if sent and sent.gaps else None
    if sent is None or gap is None:
        return None
    n = next(n for n, h in enumerate(sent.handovers) if h.at == gap)
    before, after = sent.handovers[n - 1], sent.handovers[n]
    at = before.at + (after.at - before.at) / 2
    return handovers.RecordHandover(
        sent.id, before.taker, after.giver, at, sent.carries or "not readable", before.sealed_with
    )


def _judge(s: Situation) -> Command | None:
    """One of quality assurance says that it is destroyed: another dose is held by then, or looked for."""
    sent = s.case.shipments.get(s.root)
    return stopping.JudgeShipment(sent.id, "discard", "not as packed", "quality") if sent and sent.stopped else None


SENDING: Mapping[str, React] = {
    "shipment_departure": _picked_up,
    "shipment_arrival": _received,
    "maker_arrival": _received,
    "custody_gap": _missing_link,
    "shipment_judgement": _judge,
}
"""Kind of obligation → what is said next about it."""
