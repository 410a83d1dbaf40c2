"""Plans the way of a dose or of the patient's own cells: legs, carrier, shipper and seal [doses.custody]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, assert_never

from domain.case.asking import service
from domain.case.phases.submissions import Resource
from domain.case.stage import EVERY_STAGE, Stage, stages
from domain.case.state import Case
from domain.case.supply.shipments import Cargo, Holder, Shipment, ShippingLeg
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.core.codes import MOST_DAYS
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Trace, readable
from domain.core.policy import Party, Policy
from domain.stages.supply.stopping import ShipmentStopped, changed, require_shipment


@dataclass(frozen=True, slots=True)
class ShippingWay:
    """Tells who has it first, and who last."""

    first: tuple[Holder, ...]
    last: Holder


WAYS: Mapping[Cargo, ShippingWay] = {
    "dose": ShippingWay(("depot", "maker"), "hospital"),
    "cells_out": ShippingWay(("hospital",), "maker"),
    "cells_back": ShippingWay(("maker", "depot"), "hospital"),
}
"""What travels → from where to where."""
READY: Mapping[Cargo, tuple[str, ...]] = {
    "cells_out": ("held",),
    "cells_back": ("made", "remade"),
}
"""The patient's own cells → as they stand when they are sent."""


@dataclass(frozen=True, slots=True)
class PlanShipment:
    """Plan the way of the held dose, or of the patient's own cells (`resource`) to the maker or back.

    `shipper` is the store it travels in, whose logger is read, empty = not known yet; `seal` is the number of its seal.
    """

    cargo: Cargo
    legs: tuple[ShippingLeg, ...]
    shipper: str = ""
    seal: str = ""
    resource: str = ""
    type: Literal["PlanShipment"] = "PlanShipment"


@dataclass(frozen=True, slots=True)
class MoveShipment:
    """The carriers name other times, before or after they have it: the whole way again."""

    shipment: str
    legs: tuple[ShippingLeg, ...]
    type: Literal["MoveShipment"] = "MoveShipment"


@dataclass(frozen=True, slots=True)
class EndShipment:
    """It does not travel, or was lost on its way."""

    shipment: str
    outcome: Literal["cancelled", "lost"]
    type: Literal["EndShipment"] = "EndShipment"


Command = PlanShipment | MoveShipment | EndShipment


@dataclass(frozen=True, slots=True)
class ShipmentPlanned:
    """The way of a dose or of the patient's own cells is planned. `carries` is the code on its label."""

    shipment: str
    cargo: Cargo
    centre: str
    carries: Trace
    lot: Trace
    resource: str
    legs: tuple[ShippingLeg, ...]
    shipper: str
    seal: str
    type: Literal["ShipmentPlanned"] = "ShipmentPlanned"


@dataclass(frozen=True, slots=True)
class ShipmentMoved:
    """It leaves, or is expected, at other times."""

    shipment: str
    legs: tuple[ShippingLeg, ...]
    type: Literal["ShipmentMoved"] = "ShipmentMoved"


@dataclass(frozen=True, slots=True)
class ShipmentEnded:
    """It does not travel, or was lost."""

    shipment: str
    outcome: Literal["cancelled", "lost"]
    type: Literal["ShipmentEnded"] = "ShipmentEnded"


@dataclass(frozen=True, slots=True)
class ShipmentLate:
    """It was expected by then, and nobody has it where it goes to."""

    shipment: str
    arrives: datetime
    type: Literal["ShipmentLate"] = "ShipmentLate"


Event = ShipmentPlanned | ShipmentMoved | ShipmentEnded | ShipmentLate

TAKES = (
    Takes(PlanShipment, (ShipmentPlanned,), at=stages(Stage.ELIGIBILITY, Stage.FOLLOW_UP)),
    Takes(MoveShipment, (ShipmentMoved,), at=EVERY_STAGE),
    Takes(EndShipment, (ShipmentEnded, ShipmentStopped), at=EVERY_STAGE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event | ShipmentStopped]:
    """Decide about the way of something: return the events it brings about. Raises Refused."""
    match command:
        case PlanShipment():
            return [_plan(case, command, now, ids)]
        case MoveShipment():
            known = require_shipment(case, command.shipment, "planned", "on_the_way")
            _require_legs(command.legs, now)
            require(command.legs != known.legs, Reason.ALREADY, "it is planned so already", "legs")
            return [ShipmentMoved(known.id, command.legs)]
        case EndShipment():
            return _end(case, command)
        case _:
            assert_never(command)


def _plan(case: Case, c: PlanShipment, now: datetime, ids: Ids) -> Event:
    require(case.centre, Reason.NOT_NOW, "no centre has accepted: nothing travels to one yet")
    _require_legs(c.legs, now)
    words = "name the shipper as the store it is registered as (RegisterStore), or leave it out"
    require(not c.shipper or c.shipper.startswith("store-"), Reason.INVALID, words, "shipper")
    carries, lot = _dose(case, c, now) if c.cargo == "dose" else (_cells(case, c).ref, "")
    live = [s for s in case.shipments.values() if s.live and (s.cargo, s.carries) == (c.cargo, carries)]
    require(not live, Reason.ALREADY, "it travels already: move or end that shipment first", "cargo")
    return ShipmentPlanned(ids(), c.cargo, case.centre, carries, lot, c.resource, c.legs, c.shipper, c.seal)


def _dose(case: Case, c: PlanShipment, now: datetime) -> tuple[str, str]:
    require(not c.resource, Reason.INVALID, "the dose is the one that is held: leave this out", "resource")
    require(case.dose.good_at(now), Reason.NOT_NOW, "no dose is held for this case", "cargo")
    expires = case.noted(case.lot).get("expires") if case.lot else None
    lasts = not isinstance(expires, datetime) or c.legs[-1].arrives < expires
    require(lasts, Reason.LAPSED, "the dose expires before it is there", "legs")
    told = readable(case.dose.ref) and readable(case.lot)
    require(told, Reason.NOT_NOW, "nobody can read now which unit is held", "cargo")
    return case.dose.ref, case.lot


def _cells(case: Case, c: PlanShipment) -> Resource:
    known = case.resources.get(c.resource)
    if known is None or known.kind != "patient_cells":
        words = "name the patient's own cells that travel; record them first (RecordResource)"
        raise Refused(Reason.NOT_FOUND, words, "resource")
    ready = READY[c.cargo]
    words = f"they are {known.state.replace('_', ' ')}; they travel so once they are {' or '.join(ready)}"
    require(known.state in ready, Reason.NOT_NOW, words.replace("_", " "), "resource")
    told = readable(known.ref)
    require(told, Reason.MISSING, "the cells have no chain-of-identity number: record them with `ref`", "resource")
    return known


def _require_legs(legs: Sequence[ShippingLeg], now: datetime) -> None:
    require(legs, Reason.INVALID, "a way has at least one leg", "legs")
    for leg in legs:
        require(leg.carrier.strip(), Reason.INVALID, "say who carries it", "legs")
        require(leg.departs < leg.arrives, Reason.INVALID, "a leg arrives after it departs", "legs")
    for one, next_ in pairwise(legs):
        require(one.arrives <= next_.departs, Reason.INVALID, "a leg departs after the one before has arrived", "legs")
    require(legs[-1].arrives > now, Reason.INVALID, "it would be there already", "legs")
    near = legs[-1].arrives - now <= timedelta(days=MOST_DAYS)
    require(near, Reason.INVALID, f"it arrives within {MOST_DAYS} days", "legs")


def _end(case: Case, c: EndShipment) -> Sequence[Event | ShipmentStopped]:
    if c.outcome == "cancelled":
        known = require_shipment(case, c.shipment, "planned")
        return [ShipmentEnded(known.id, "cancelled")]
    known = require_shipment(case, c.shipment, "on_the_way")
    return [ShipmentEnded(known.id, "lost"), ShipmentStopped(known.id, ("lost",))]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about a way."""
    e = fact.event
    match e:
        case ShipmentPlanned():
            carries, lot = (one if isinstance(one, str) else "" for one in (e.carries, e.lot))
            new = Shipment(e.shipment, e.cargo, e.centre, carries, e.legs, lot, e.resource, e.shipper, e.seal)
            return replace(case, shipments={**case.shipments, new.id: new})
        case ShipmentMoved():
            return changed(case, e.shipment, legs=e.legs)
        case ShipmentEnded():
            return changed(case, e.shipment, state=e.outcome)
        case ShipmentLate():
            return changed(case, e.shipment, late_for=e.arrives)
        case _:
            assert_never(e)


def late(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What was expected by now and is not there is late, once for each instant it was expected at."""
    overdue = (s for s in case.shipments.values() if s.live and s.arrives <= now and s.late_for != s.arrives)
    return [ShipmentLate(s.id, s.arrives) for s in overdue]


def _expected(case: Case) -> Instants:
    return [s.arrives for s in case.shipments.values() if s.live and s.late_for != s.arrives]


RULES = (Rule("shipment_late", 1, late, ("ShipmentPlanned", "ShipmentMoved"), (ShipmentLate,), _expected),)


def _planned(case: Case) -> Iterable[str]:
    return [s.id for s in case.shipments.values() if s.state == "planned" and not case.exit]


def _left(case: Case, about: str) -> bool:
    known = case.shipments.get(about)
    return known is not None and known.left is not None


def _arriving(*cargoes: Cargo) -> Callable[[Case], Iterable[str]]:
    def found(case: Case) -> Iterable[str]:
        return [s.id for s in case.shipments.values() if s.live and s.left and s.cargo in cargoes]

    return found


def _arrived(case: Case, about: str) -> bool:
    known = case.shipments.get(about)
    return known is not None and known.state == "arrived"


def _departs(case: Case, about: str) -> datetime | None:
    return case.shipments[about].departs if about in case.shipments else None


def _arrives(case: Case, about: str) -> datetime | None:
    return case.shipments[about].arrives if about in case.shipments else None


INBOUND: tuple[Cargo, ...] = ("dose", "cells_back")
OWES = (
    Owes(
        "shipment_departure",
        Party.COORDINATOR,
        Party.HOSPITAL,
        _planned,
        _left,
        due=_departs,
        settled_in="handovers",
    ),
    Owes(
        "shipment_arrival",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _arriving(*INBOUND),
        _arrived,
        due=_arrives,
        asked_by="ask_for_handover",
        settled_in="handovers",
    ),
    Owes(
        "maker_arrival",
        Party.COORDINATOR,
        Party.HOSPITAL,
        _arriving("cells_out"),
        _arrived,
        due=_arrives,
        settled_in="handovers",
    ),
)


def _to_hand_over(case: Case) -> Iterable[str]:
    """The hospital gives what is planned to leave it, and takes what is on its way to it."""
    given = [s for s in _planned(case) if case.shipments[s].cargo == "cells_out"]
    return [*given, *_arriving(*INBOUND)(case)]


def _handed_over(case: Case, about: str) -> bool:
    known = case.shipments.get(about)
    return known is not None and any("hospital" in (h.giver, h.taker) for h in known.handovers)


WANTS = (
    Wants(
        "ask_for_handover",
        Party.HOSPITAL,
        _to_hand_over,
        _handed_over,
        asks=service("Please record the handover: when, condition, seal, and the code on the label"),
    ),
    Wants(
        "tell_lot_of_shipment",
        Party.SUPERVISOR,
        lambda c: [s.telling for s in c.shipments.values() if s.cargo == "dose" and s.lot and s.left],
    ),
)
"""The lot of a dose is told what became of its unit, each time something did."""
