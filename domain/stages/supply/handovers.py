"""Records each handover on the way: who gave, who took, when, in what condition, seal and label read [doses.custody].

What was read is compared with what was planned; nobody says that it is the same. A handover that was told late finds
its place by its instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.supply.shipments import Condition, Finding, Handover, Holder, Shipment, in_order
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, Trace, readable
from domain.core.policy import Party, Policy
from domain.doses import codes
from domain.stages.supply.shipping import WAYS
from domain.stages.supply.stopping import ShipmentStopped, changed, require_shipment


@dataclass(frozen=True, slots=True)
class RecordHandover:
    """It went from `giver` to `taker` at that instant, in this condition.

    `label` is the code that was read on it, `seal` the number that was read on the seal, `new_seal` the one put on
    instead, as after a look by customs. `gave` and `took` are the persons.
    """

    shipment: str
    giver: Holder
    taker: Holder
    at: datetime
    label: Trace
    seal: str
    condition: Condition = "as_packed"
    new_seal: str = ""
    gave: Identity = ""
    took: Identity = ""
    place: Identity = ""
    type: Literal["RecordHandover"] = "RecordHandover"


Command = RecordHandover


@dataclass(frozen=True, slots=True)
class HandoverRecorded:
    """It went from one hand to another. `findings` say what was not as it should be."""

    shipment: str
    giver: Holder
    taker: Holder
    at: datetime
    label: Trace
    seal: str
    new_seal: str
    condition: Condition
    gave: Identity
    took: Identity
    place: Identity
    findings: tuple[Finding, ...]
    type: Literal["HandoverRecorded"] = "HandoverRecorded"


Event = HandoverRecorded

TAKES = (
    Takes(
        RecordHandover,
        (HandoverRecorded, ShipmentStopped),
        at=EVERY_STAGE,
        over_fhir=True,
        answers=("ask_for_handover",),
        settles=("shipment_departure", "shipment_arrival", "maker_arrival", "custody_gap"),
    ),
)


def decide(
    case: Case, c: RecordHandover, now: datetime, ids: Ids, policy: Policy
) -> Sequence[HandoverRecorded | ShipmentStopped]:
    """Decide what was told of a handover: return the events it brings about. Raises Refused."""
    known = require_shipment(case, c.shipment)  # also one that was cancelled: it may have left all the same
    require(c.giver != c.taker, Reason.INVALID, "it goes from one to another", "taker")
    require(c.at <= now, Reason.INVALID, "that lies in the future", "at")
    require(readable(c.label), Reason.MISSING, "read the code on the label, or type it", "label")
    same = any((h.giver, h.taker, h.at) == (c.giver, c.taker, c.at) for h in known.handovers)
    require(not same, Reason.ALREADY, "this handover is recorded", "at")
    findings = _findings(known, c)
    stops = [ShipmentStopped(known.id, findings)] if findings else []
    told = HandoverRecorded(
        known.id, c.giver, c.taker, c.at, c.label, c.seal, c.new_seal, c.condition, c.gave, c.took, c.place, findings
    )
    return [told, *stops]


def _findings(known: Shipment, c: RecordHandover) -> tuple[Finding, ...]:
    """Return what is not as it was planned, or as it was when it was handed over before.

    Where a later handover was told first, its seal is compared only now with the one this went on with.
    """
    new = Handover(c.giver, c.taker, c.at, c.condition, c.seal, c.new_seal, ())
    chain = in_order((*known.handovers, new))
    at = chain.index(new)
    before, after = chain[:at][-1:], chain[at + 1 : at + 2]
    sealed = before[0].sealed_with if before else known.seal or c.seal
    later = any(_differ(new.sealed_with, h.seal) for h in after if "seal" not in h.findings)
    found: dict[Finding, bool] = {
        "seal": _differ(sealed, c.seal) or later,
        "identity": not codes.same(known.carries, c.label),
        "condition": c.condition != "as_packed",
    }
    return tuple(name for name, so in found.items() if so)


def _differ(one: str, other: str) -> bool:
    """Whether two seals are not the same; no seal is the same as none."""
    return bool(codes.folded(one) or codes.folded(other)) and not codes.same(one, other)


def evolve(case: Case, fact: Fact[HandoverRecorded]) -> Case:
    """Fold one handover into the chain, at its instant."""
    e = fact.event
    known = case.shipments.get(e.shipment)
    if known is None:
        return case
    new = Handover(e.giver, e.taker, e.at, e.condition, e.seal, e.new_seal, e.findings, e.gave, e.took, e.place)
    chain = in_order((*known.handovers, new))
    arrived = chain[-1].taker == WAYS[known.cargo].last
    after = changed(case, known.id, handovers=chain, state="arrived" if arrived else "on_the_way")
    its = known.cargo == "dose" and case.dose.state == "held" and case.dose.ref == known.carries
    # what left its storage is this patient's: there is no lease that could end
    return replace(after, dose=replace(case.dose, until=None)) if its and case.dose.until else after


def _of(known: Shipment, at: datetime) -> str:
    return f"{known.id}/{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _gaps(case: Case) -> Iterable[str]:
    return [_of(s, at) for s in case.shipments.values() for at in s.open_gaps]


OWES = (Owes("custody_gap", Party.COORDINATOR, Party.SUPERVISOR, _gaps, lambda c, about: about not in _gaps(c)),)
