"""The list of documents [records.checklist]: drawn up once, everything on it is asked for; the dossier waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Policy
from domain.stages.records.needed import lines, needed
from domain.stages.records.records import RecordKind, RecordRequested

AT_THE_DOCTOR = frozenset({"pathology", "antigen", "marrow_mrd", "cardiac_lung", "treatment_history"})
"""What the doctor at home has rather than the family, where the case knows that doctor."""


@dataclass(frozen=True, slots=True)
class DrawUpChecklist:
    """Ask for every document that this disease, age and protocol need, as far as none was asked for yet."""

    type: Literal["DrawUpChecklist"] = "DrawUpChecklist"


@dataclass(frozen=True, slots=True)
class ChecklistDrawnUp:
    """The documents this case needs are listed; the dossier waits for each of them."""

    kinds: tuple[RecordKind, ...]
    type: Literal["ChecklistDrawnUp"] = "ChecklistDrawnUp"


Command, Event = DrawUpChecklist, ChecklistDrawnUp
TAKES = (Takes(DrawUpChecklist, (ChecklistDrawnUp, RecordRequested), at=stages(Stage.INQUIRY, Stage.ADMISSION)),)


def decide(
    case: Case, command: DrawUpChecklist, now: datetime, ids: Ids, policy: Policy
) -> Sequence[ChecklistDrawnUp | RecordRequested]:
    """Draw up the list, or draw it up anew. Raises Refused where it says the same and nothing is left to ask for."""
    kinds = tuple(cast("RecordKind", one.kind) for one in needed(case))
    fresh = [cast("RecordKind", one.kind) for one in lines(case) if one.state == "missing"]
    require(fresh or kinds != case.checklist, Reason.ALREADY, "the list is drawn up, and everything on it asked for")
    doctor = case.home_doctor is not None and case.shares_with_doctor
    return [
        ChecklistDrawnUp(kinds),
        *(
            RecordRequested(ids(), kind, "home_oncologist" if doctor and kind in AT_THE_DOCTOR else "family", "")
            for kind in fresh
        ),
    ]


def evolve(case: Case, fact: Fact[ChecklistDrawnUp]) -> Case:
    """Fold the list."""
    return replace(case, checklist=fact.event.kinds)
