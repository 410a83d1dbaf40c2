"""The list of documents [records.checklist]: everything on it is asked for, and the dossier waits for it.

A person draws it up, or it is drawn up by itself once disease, age and protocol are known, and again when they change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Rule, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import readable
from domain.core.policy import Policy
from domain.criteria.diseases import DISEASES
from domain.stages.records.needed import chosen, lines, needed
from domain.stages.records.records import RecordKind, RecordRequested
from domain.stages.records.specimens import SpecimenAsked, specimens_to_ask

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
Drawn = Sequence[ChecklistDrawnUp | RecordRequested | SpecimenAsked]
TAKES = (
    Takes(
        DrawUpChecklist,
        (ChecklistDrawnUp, RecordRequested, SpecimenAsked),
        at=stages(Stage.INQUIRY, Stage.ADMISSION),
    ),
)


def decide(case: Case, command: DrawUpChecklist, now: datetime, ids: Ids, policy: Policy) -> Drawn:
    """Draw up the list, or draw it up anew. Raises Refused where it says the same and nothing is left to ask for."""
    drawn = [*_drawn(case, ids), *specimens_to_ask(case, ids)]
    require(drawn, Reason.ALREADY, "the list is drawn up, and everything on it asked for")
    return drawn


def _drawn(case: Case, ids: Ids) -> Sequence[ChecklistDrawnUp | RecordRequested]:
    """The list as it is needed now, and a request for each document nobody asked for; nothing where it stands so."""
    kinds = tuple(cast("RecordKind", one.kind) for one in needed(case))
    fresh = [cast("RecordKind", one.kind) for one in lines(case) if one.state == "missing"]
    if not fresh and kinds == case.checklist:
        return []
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


def draw(case: Case, now: datetime, ids: Ids, policy: Policy) -> Drawn:
    """The list is drawn up once what is needed is known, and anew when it changes; what is missing is asked for.

    With it, where pathology is on it, slides or blocks. What was waived stays so. Once a centre has accepted, what else
    is wanted is for people to ask.
    """
    papers = draw_papers(case, now, ids, policy)
    return [*papers, *specimens_to_ask(case, ids)] if papers else []


def draw_papers(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[ChecklistDrawnUp | RecordRequested]:
    """Draw up the list of documents alone: the rule of before."""
    before = case.stage in (Stage.INQUIRY, Stage.RECORDS, Stage.ELIGIBILITY) and not case.exit
    if not before or any(s.state == "accepted" for s in case.submissions.values()):
        return []
    kinds = tuple(one.kind for one in needed(case))
    due = kinds != case.checklist and (bool(case.checklist) or _known(case))
    return _drawn(case, ids) if due else []


def _known(case: Case) -> bool:
    """Whether disease, age and a protocol are known: before that a list would be a guess."""
    disease = readable(case.disease) and case.disease in DISEASES
    born = readable(case.birth) and bool(case.birth)
    return disease and born and any(case.noted(protocol) for protocol in chosen(case))


GROUNDS = ("DiagnosisStated", "PatientDescribed", "CentreChosen", "ProtocolStateNoted")
RULES = (Rule("checklist_follows", 2, draw, GROUNDS, (ChecklistDrawnUp, RecordRequested, SpecimenAsked)),)
EARLIER = (
    Rule(
        "checklist_follows",
        1,
        draw_papers,
        ("DiagnosisStated", "PatientDescribed", "CentreChosen", "ProtocolStateNoted"),
        (ChecklistDrawnUp, RecordRequested),
    ),
)
