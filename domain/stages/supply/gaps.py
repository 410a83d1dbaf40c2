"""Ends a gap in a chain of custody that nobody can explain: two people of quality assurance say so [doses.custody].

The gap stays in the chain and is shown for ever; nobody is asked for the missing handover any more. Whoever tells it
later still can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.supply.shipments import UnexplainedGap
from domain.case.table import Takes
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.stages.supply.stopping import changed, require_shipment


@dataclass(frozen=True, slots=True)
class CloseCustodyGap:
    """Nobody can explain who had it in between, and why that is so; it takes two people who say so."""

    shipment: str
    reason: Identity
    by: str = ""
    type: Literal["CloseCustodyGap"] = "CloseCustodyGap"


Command = CloseCustodyGap


@dataclass(frozen=True, slots=True)
class CustodyGapUnexplained:
    """One of quality assurance says that nobody can explain a gap in the chain; with a second it is closed."""

    shipment: str
    gaps: tuple[datetime, ...]
    reason: Identity
    by: str
    type: Literal["CustodyGapUnexplained"] = "CustodyGapUnexplained"


Event = CustodyGapUnexplained

TAKES = (Takes(CloseCustodyGap, (CustodyGapUnexplained,), at=EVERY_STAGE, by=Action.RELEASE_LOT),)


def decide(case: Case, c: CloseCustodyGap, now: datetime, ids: Ids, policy: Policy) -> Sequence[CustodyGapUnexplained]:
    """Decide what is said of the gaps of a shipment: return the event it brings about. Raises Refused."""
    known = require_shipment(case, c.shipment)
    told = "no link of its chain is missing, or two people have said that nobody can explain it"
    require(known.open_gaps, Reason.NOT_NOW, told, "shipment")
    require(readable(c.reason), Reason.INVALID, "say who was asked, and what is not known", "reason")
    require(c.by, Reason.FOUR_EYES, "somebody says this, by name", "by")
    left = tuple(at for at in known.open_gaps if UnexplainedGap(at, c.by) not in known.unexplained)
    require(left, Reason.FOUR_EYES, "you said so already; another person has to", "by")
    return [CustodyGapUnexplained(known.id, left, c.reason, c.by)]


def evolve(case: Case, fact: Fact[CustodyGapUnexplained]) -> Case:
    """Fold who said that a gap cannot be explained."""
    e = fact.event
    known = case.shipments.get(e.shipment)
    said = tuple(UnexplainedGap(at, e.by) for at in e.gaps)
    return changed(case, e.shipment, unexplained=(*known.unexplained, *said)) if known else case
