"""Ways of a dose and of the patient's own cells: planned, on the way, arrived; scenes and random commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from domain.case.supply.shipments import CARGOES, Cargo, Condition, Holder, ShippingLeg
from domain.stages.follow_up.acquired import RecordResource, ReportResource
from domain.stages.supply.gaps import CloseCustodyGap
from domain.stages.supply.handovers import RecordHandover
from domain.stages.supply.shipping import EndShipment, MoveShipment, PlanShipment
from domain.stages.supply.stopping import JudgeShipment
from tests.domain.course import UNIT, submission
from tests.domain.journey import DAY, HOUR, Journey

Step = Callable[[Journey], object]
SEAL, SHIPPER, CELLS = "S-1", "store-s", "COI-7"


def legs(j: Journey, days: int = 2) -> tuple[ShippingLeg, ...]:
    """By road, then by air."""
    return (
        ShippingLeg("Road Co", j.now + 3 * HOUR, j.now + 5 * HOUR),
        ShippingLeg("Air Co", j.now + 6 * HOUR, j.now + days * DAY),
    )


def shipment(j: Journey) -> str:
    """The newest shipment."""
    return list(j.case.shipments)[-1]


def plan(j: Journey, cargo: Cargo = "dose", resource: str = "") -> Journey:
    """Its way is planned."""
    return j.tell(PlanShipment(cargo, legs(j), SHIPPER, SEAL, resource))


def handed(
    j: Journey,
    giver: Holder,
    taker: Holder,
    *,
    at: datetime | None = None,
    label: str = UNIT,
    seal: str = SEAL,
    **more: Any,
) -> RecordHandover:
    """Return a handover as it should be, but for what is said."""
    return RecordHandover(shipment(j), giver, taker, at or j.now, label, seal, **more)


def pick_up(j: Journey, **more: Any) -> Journey:
    """The dose leaves the depot."""
    return j.away(2 * HOUR).tell(handed(j, "depot", "carrier", **more))


def receive(j: Journey, **more: Any) -> Journey:
    """The hospital has the dose."""
    return j.away(DAY).tell(handed(j, "carrier", "hospital", **more))


def on_way(j: Journey) -> Journey:
    """The dose is with the carrier."""
    return pick_up(plan(j))


def broken(j: Journey) -> Journey:
    """It arrived with another seal."""
    return receive(on_way(j), seal="S-9")


def collected(j: Journey) -> Journey:
    """The patient's own cells are collected."""
    return j.tell(RecordResource("patient_cells", submission(j), CELLS))


def cells(j: Journey) -> str:
    """The patient's own cells."""
    return next(r.id for r in j.case.resources.values() if r.kind == "patient_cells")


def cells_out(j: Journey) -> Journey:
    """They are with the carrier, on the way to the maker."""
    collected(j)
    return plan(j, "cells_out", cells(j)).away(2 * HOUR).tell(handed(j, "hospital", "carrier", label=CELLS))


def gap(j: Journey) -> Journey:
    """Customs gave on what nobody had given it."""
    return on_way(j).away(HOUR).tell(handed(j, "customs", "carrier"))


def judged(j: Journey) -> Journey:
    """Quality assurance had it destroyed."""
    return j.tell(JudgeShipment(shipment(j), "discard", "the seal", "person-7"))


def cells_back(j: Journey) -> Journey:
    """They are made, and on their way back."""
    collected(j).tell(ReportResource(cells(j), "made"))
    return plan(j, "cells_back", cells(j)).away(2 * HOUR).tell(handed(j, "maker", "carrier", label=CELLS))


SCENES_OF_SHIPMENTS: Mapping[str, tuple[str, Step, Step]] = {
    "shipment_departure": ("dose_held", pick_up, plan),
    "shipment_arrival": ("dose_held", receive, on_way),
    "maker_arrival": ("dose_held", lambda j: j.tell(handed(j, "carrier", "maker", label=CELLS)), cells_out),
    "shipment_judgement": ("dose_held", judged, broken),
    "custody_gap": (
        "dose_held",
        lambda j: j.tell(handed(j, "carrier", "customs", at=j.case.shipments[shipment(j)].handovers[0].at + HOUR / 2)),
        gap,
    ),
}
"""Kind → where, what meets it, what brings it about."""


def _one(j: Journey, n: int) -> str:
    known = list(j.case.shipments)
    return known[n % len(known)] if known else "nothing"


def _plan(j: Journey, n: int) -> PlanShipment:
    cargo = CARGOES[n % 3]
    own = [r.id for r in j.case.resources.values() if r.kind == "patient_cells"]
    resource = own[-1] if own and cargo != "dose" else ""
    return PlanShipment(cargo, legs(j, 1 + n % 9), SHIPPER if n % 2 else "", SEAL if n % 4 else "", resource)


HOLDERS: tuple[Holder, ...] = ("depot", "carrier", "customs", "hospital", "maker")


def _handover(j: Journey, n: int) -> RecordHandover:
    known = j.case.shipments.get(_one(j, n // 2))
    label = known.carries if known and n % 5 else "another"
    giver, taker = HOLDERS[n % 5], HOLDERS[(n + 1 + n // 5 % 4) % 5]
    seal = SEAL if n % 7 else "S-9"
    condition: Condition = "damaged" if n % 4 == 3 else "as_packed"
    return RecordHandover(_one(j, n // 2), giver, taker, j.now - n % 3 * HOUR, label or "x", seal, condition)


MAKE: Mapping[type[Any], Callable[[Journey, int], Any]] = {
    PlanShipment: _plan,
    MoveShipment: lambda j, n: MoveShipment(_one(j, n), legs(j, 2 + n % 9)),
    EndShipment: lambda j, n: EndShipment(_one(j, n), "lost" if n % 2 else "cancelled"),
    RecordHandover: _handover,
    CloseCustodyGap: lambda j, n: CloseCustodyGap(_one(j, n), "nobody knows", f"person-{n % 2}"),
    JudgeShipment: lambda j, n: JudgeShipment(
        _one(j, n), "use" if n // 3 % 2 else "discard", "looked", f"person-{n % 2}"
    ),
}
