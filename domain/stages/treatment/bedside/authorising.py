"""The treating physician authorises the cells of an infusion [S8], and how many [dose.order]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.stage import Stage
from domain.case.state import Case, in_treatment
from domain.case.table import Takes
from domain.case.treatment import CellOrder, OrderStands
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity, readable
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.criteria.dosing import cells_of
from domain.stages.governing.cohort_place import require_turn
from domain.stages.treatment.bedside.dosing import cell_range, order_stands
from domain.stages.treatment.infusion import due, require_may_begin
from domain.stages.treatment.lymphodepletion import require_good_dose


@dataclass(frozen=True, slots=True)
class AuthoriseInfusion:
    """The treating physician authorises the cells; `cells` is how many in all, empty = not told here.

    A number outside of what the protocol writes for the patient's weight, or by a weight older than it lets it be, is
    the physician's to give, with the reason in `despite`. Where the protocol or the weight is not known nothing is
    compared.
    """

    clinician: Identity
    cells: Clinical = ""
    despite: Clinical = ""
    type: Literal["AuthoriseInfusion"] = "AuthoriseInfusion"


Command = AuthoriseInfusion


@dataclass(frozen=True, slots=True)
class InfusionAuthorised:
    """A physician authorised the next infusion; how many cells, and how that stands to what the protocol writes.

    `least` and `most` are what it wrote for the weight of the fact `weight`, empty = not known.
    """

    treatment: int
    clinician: Identity
    cells: Clinical = ""
    stands: OrderStands = "not_told"
    least: Clinical = ""
    most: Clinical = ""
    weight: str = ""
    despite: Clinical = ""
    schema_version: ClassVar[int] = 2
    type: Literal["InfusionAuthorised"] = "InfusionAuthorised"


Event = InfusionAuthorised

TAKES = (Takes(AuthoriseInfusion, (InfusionAuthorised,), at=(Stage.INFUSION,), by=Action.ANSWER),)
OVER: dict[OrderStands, str] = {
    "below": "that is fewer cells than the protocol writes for this patient",
    "above": "that is more cells than the protocol writes for this patient",
    "weight_old": "the newest weight is older than the protocol lets it be; record a newer one",
}
"""What is authorised with a reason only."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide an authorisation: return the event it brings about. Raises Refused."""
    match command:
        case AuthoriseInfusion():
            require(due(case).gate, Reason.NEVER_WAIVED, "the lymphodepletion gate is not signed")
            require_may_begin(case)
            require_turn(case, now.date())
            require_good_dose(case, now)
            return [_authorised(case, command, now)]
        case _:
            assert_never(command)


def _authorised(case: Case, c: AuthoriseInfusion, now: datetime) -> Event:
    number = len(case.treatments)
    if not (isinstance(c.cells, str) and c.cells.strip()):
        require(not readable(c.despite), Reason.INVALID, "the reason goes with the number of cells", "cells")
        return InfusionAuthorised(number, c.clinician)
    cells, written = cells_of(c.cells), cell_range(case, now)
    stands = order_stands(written, cells)
    over = stands in OVER
    way_on = f"{OVER.get(stands, '')}; look at number and weight again, or say why it is so"
    require(not over or readable(c.despite), Reason.MISSING, way_on, "despite")
    found = InfusionAuthorised(number, c.clinician, str(cells), stands, despite=c.despite if over else "")
    if written.unknown:
        return found
    by = written.weight if written.dose and written.dose.by_weight else ""
    return replace(found, least=str(written.least), most=str(written.most), weight=by)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one authorisation."""
    event = fact.event
    match event:
        case InfusionAuthorised():
            return in_treatment(
                replace(case, progressed=""), event.treatment, authorised=fact.id, order=_order(event, fact.id)
            )
        case _:
            assert_never(event)


def _order(event: InfusionAuthorised, fact: str) -> CellOrder | None:
    """Return the number as it was authorised; None where none was told, or it cannot be read any more."""
    if not (isinstance(event.cells, str) and event.cells):
        return None
    least, most, despite = (one if isinstance(one, str) else "" for one in (event.least, event.most, event.despite))
    return CellOrder(event.cells, event.stands, least, most, event.weight, despite, fact)
