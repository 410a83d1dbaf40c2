"""Stops what was not as it should be on its way: an alert at once, and quality assurance decides [doses.custody].

What was found with a dose takes the dose from the case at once; its lot is told and never returns it to stock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.treatment import Alert
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.supply.shipments import Finding, Shipment
from domain.case.table import Owes, Rule, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.doses import codes


@dataclass(frozen=True, slots=True)
class JudgeShipment:
    """Quality assurance judges what was stopped on its way: to use it takes two who say so, to discard it one."""

    shipment: str
    outcome: Literal["use", "discard"]
    reason: Identity
    by: str = ""
    type: Literal["JudgeShipment"] = "JudgeShipment"


Command = JudgeShipment


@dataclass(frozen=True, slots=True)
class ShipmentStopped:
    """Something was not as it should be on the way: it is not used until quality assurance decides."""

    shipment: str
    findings: tuple[Finding, ...]
    type: Literal["ShipmentStopped"] = "ShipmentStopped"


@dataclass(frozen=True, slots=True)
class ShipmentWarmed:
    """The store it travels in, or was put into, was too warm or unwatched; its lot has stopped the dose."""

    shipment: str
    type: Literal["ShipmentWarmed"] = "ShipmentWarmed"


@dataclass(frozen=True, slots=True)
class ShipmentUseProposed:
    """One person judged that it can be used all the same; a second is needed."""

    shipment: str
    reason: Identity
    by: str
    type: Literal["ShipmentUseProposed"] = "ShipmentUseProposed"


@dataclass(frozen=True, slots=True)
class ShipmentJudged:
    """Quality assurance decided: two people that it can be used, or one that it is destroyed."""

    shipment: str
    outcome: Literal["use", "discard"]
    reason: Identity
    by: str
    type: Literal["ShipmentJudged"] = "ShipmentJudged"


Event = ShipmentStopped | ShipmentWarmed | ShipmentUseProposed | ShipmentJudged

TAKES = (
    Takes(
        JudgeShipment,
        (ShipmentUseProposed, ShipmentJudged),
        at=EVERY_STAGE,
        by=Action.RELEASE_LOT,
        settles=("shipment_judgement",),
    ),
)


def require_shipment(case: Case, shipment: str, *states: str) -> Shipment:
    """Return a shipment in one of these states, in any where none is named. Raises Refused."""
    known = case.shipments.get(shipment)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "nothing of that name travels; plan it first (PlanShipment)", "shipment")
    words = f"it is {known.state.replace('_', ' ')}"
    require(not states or known.state in states, Reason.NOT_NOW, words, "shipment")
    return known


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide what quality assurance says of it: return the events it brings about. Raises Refused."""
    known = require_shipment(case, command.shipment)
    require(known.stopped, Reason.NOT_NOW, "nothing is to be judged of it", "shipment")
    require(readable(command.reason), Reason.INVALID, "say why", "reason")
    require(command.by, Reason.FOUR_EYES, "somebody decides this, by name", "by")
    if command.outcome == "discard":
        return [ShipmentJudged(known.id, "discard", command.reason, command.by)]
    lost = known.state == "lost"
    require(not lost, Reason.NOT_NOW, "it is lost: record the handover that found it, or discard it", "outcome")
    if not known.proposed_by:
        return [ShipmentUseProposed(known.id, command.reason, command.by)]
    require(known.proposed_by != command.by, Reason.FOUR_EYES, "you said so already; another person has to", "by")
    return [ShipmentJudged(known.id, "use", command.reason, command.by)]


def changed(case: Case, shipment: str, **changes: object) -> Case:
    """Return the case with one shipment standing differently."""
    known = case.shipments.get(shipment)
    if known is None:
        return case
    after = replace(known, **changes)  # type: ignore[arg-type]
    return replace(case, shipments={**case.shipments, shipment: after})


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event; an alert goes by the id of the fact that raised it."""
    e = fact.event
    known = case.shipments.get(e.shipment)
    if known is None:
        return case
    match e:
        case ShipmentStopped():
            after = changed(case, e.shipment, stops=(*known.stops, *e.findings), proposed_by="", outcome="")
            return _alerted(_without_dose(after, known, fact.id), known, fact.id)
        case ShipmentWarmed():
            return _alerted(changed(case, e.shipment, warmed=True), known, fact.id)
        case ShipmentUseProposed():
            return changed(case, e.shipment, proposed_by=e.by)
        case ShipmentJudged():
            stops = len(known.stops)
            after = changed(case, e.shipment, judged=stops, outcome=e.outcome, judged_by=e.by, proposed_by="")
            return _with_dose(after, known, fact.id) if e.outcome == "use" else after
        case _:
            assert_never(e)


def _without_dose(case: Case, known: Shipment, fact: str) -> Case:
    """Take the dose from the case, unless it is thawing: another is looked for at once."""
    thawed = case.treatment is not None and bool(case.treatment.thawed)
    its = known.cargo == "dose" and case.dose.state == "held" and case.dose.ref == known.carries
    return replace(case, dose=case.dose.again(fact, "lapsed")) if its and not thawed else case


def _with_dose(case: Case, known: Shipment, fact: str) -> Case:
    """Give the case its dose back; where it holds another by now or went on without, the lot gets it to be settled."""
    infused = any(codes.same(i.unit, known.carries) and i.lot == known.lot for i in case.infusions)
    if known.cargo != "dose" or not known.carries or infused or case.dose.ref == known.carries:
        return case
    after = replace(case, units={**case.units, fact: (known.lot, known.carries)})
    if case.exit or case.dose.state in ("held", "done"):
        return replace(after, spare=(*case.spare, ("release_dose", fact)))
    return replace(after, dose=case.dose.held(known.carries, None, fact), lot=known.lot)


def _alerted(case: Case, known: Shipment, fact: str) -> Case:
    return replace(case, alerts={**case.alerts, fact: Alert(fact, "custody", known.id)})


def warmed(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[ShipmentWarmed]:
    """A dose that its lot has stopped after it left raises an alert, once for each shipment."""
    left = (s for s in case.shipments.values() if s.cargo == "dose" and s.left is not None and not s.warmed)
    return [ShipmentWarmed(s.id) for s in left if s.carries in case.noted(s.lot).get("stopped", ())]


RULES = (Rule("shipment_too_warm", 1, warmed, ("LotStateNoted", "HandoverRecorded"), (ShipmentWarmed,)),)


def _to_judge(case: Case) -> Iterable[str]:
    return [f"{s.id}/{len(s.stops)}" for s in case.shipments.values() if s.stopped]


def _judged(case: Case, about: str) -> bool:
    shipment, _, stops = about.partition("/")
    known = case.shipments.get(shipment)
    return known is not None and known.judged >= int(stops)


OWES = (Owes("shipment_judgement", Party.SUPERVISOR, Party.HOSPITAL, _to_judge, _judged),)
