"""Cells that are gone: persistence lost, or rejected by the patient, and what that was read from [response.loss].

Whoever reports it says by which assay; how it goes on is then owed, and a clinician decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from domain.case.phases.redosing import CellLoss
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.criteria import observation


@dataclass(frozen=True, slots=True)
class ReportCellLoss:
    """The cells are lost or rejected, by an assay with what it measured and its limit of quantification.

    `measured` is empty where nothing was detected; `assay_unit` is of both numbers, as the laboratory writes it.
    """

    loss: Clinical
    assay: Clinical
    measured: Clinical = ""
    quantification_limit: Clinical = ""
    assay_unit: Clinical = ""
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportCellLoss"] = "ReportCellLoss"


Command = ReportCellLoss


@dataclass(frozen=True, slots=True)
class CellsLost:
    """The infused cells are lost or rejected."""

    loss: Clinical
    assay: Clinical
    measured: Clinical
    quantification_limit: Clinical
    assay_unit: Clinical
    detail: Clinical
    type: Literal["CellsLost"] = "CellsLost"


Event = CellsLost

TAKES = (Takes(ReportCellLoss, (CellsLost,), at=stages(Stage.INFUSION), over_fhir=True),)

CODED: Mapping[str, Sequence[str]] = {
    "loss": ("persistence", "rejection"),
    "assay": ("qpcr", "digital_pcr", "flow", "chimerism", "antibodies"),
}
"""Field → what may be said in it."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a report: it becomes a fact. Raises Refused."""
    c = command
    require(case.infusions, Reason.MISSING, "no cells were infused that could be lost")
    for field, codes in CODED.items():
        require(getattr(c, field) in codes, Reason.INVALID, f"is one of these: {', '.join(codes)}", field)
    words = "persistence is lost below a limit: say the assay's limit of quantification"
    require(c.loss != "persistence" or c.quantification_limit, Reason.MISSING, words, "quantification_limit")
    limit, measured = (_amount(c, field) for field in ("quantification_limit", "measured"))
    require(limit is None or limit > 0, Reason.INVALID, "a limit is more than nothing", "quantification_limit")
    told = limit is not None or measured is not None
    require(not told or c.assay_unit, Reason.MISSING, "say in which unit the assay counts", "assay_unit")
    return [CellsLost(c.loss, c.assay, c.measured, c.quantification_limit, c.assay_unit, c.detail)]


def _amount(c: ReportCellLoss, field: str) -> Decimal | None:
    said = getattr(c, field)
    if not said:
        return None
    amount = observation.number(str(said))
    if amount is None or amount < 0:
        raise Refused(Reason.INVALID, "is a number from 0", field)
    return amount


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one report; the newest leaves the question open how it goes on."""
    e = fact.event
    said = [e.loss, e.assay, e.measured, e.quantification_limit, e.assay_unit]
    loss, assay, measured, limit, unit = (one if isinstance(one, str) else "" for one in said)
    told = CellLoss(loss, assay, measured, limit, unit, fact.occurred)
    return replace(case, cell_losses={**case.cell_losses, fact.id: told}, loss_open=fact.id)


def below_limit(told: CellLoss) -> bool | None:
    """Tell whether what was measured lies below the assay's limit; None = one of them is not known."""
    limit = observation.number(told.quantification_limit)
    if limit is None:
        return None
    measured = observation.number(told.measured) if told.measured else Decimal(0)
    return None if measured is None else measured < limit


AFTER_CELLS = stages(Stage.INFUSION, Stage.FOLLOW_UP)


def _undecided(case: Case) -> Iterable[str]:
    here = case.stage in AFTER_CELLS and not (case.exit or case.died)
    return [case.loss_open] if case.loss_open and here else []


OWES = (
    Owes(
        "after_loss",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _undecided,
        lambda c, _: not (c.loss_open or c.exit or c.died),
        settled_in="recovery",
    ),
)
