"""Takes what hospitals report of harm, whenever it comes: toxicity, infection, a laboratory finding, a stay.

Reports may be late, out of order, or without a known day; nothing here is inferred and no grade is computed. A grade
from which on others must know calls them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.phases.redosing import GradeTold
from domain.case.stage import EVERY_STAGE, Stage
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Policy
from domain.core.when import When
from domain.grading import ctcae
from domain.grading.kinds import kind_of
from domain.stages.treatment import safety


@dataclass(frozen=True, slots=True)
class ReportToxicity:
    """A graded toxicity (CRS, ICANS, GVHD, cytopenia …). Exactly the grade given: one, at least one, or none."""

    name: Clinical
    grade: int | None = None
    grade_at_least: int | None = None
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportToxicity"] = "ReportToxicity"


@dataclass(frozen=True, slots=True)
class ResolveToxicity:
    """A toxicity is over."""

    name: Clinical
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ResolveToxicity"] = "ResolveToxicity"


@dataclass(frozen=True, slots=True)
class ReportInfection:
    """An infection, by site and organism as far as known.

    From its `treatment` a grade is computed that stands beside the clinician's, and counts where there is none.
    """

    site: Clinical = ""
    organism: Clinical = ""
    grade: int | None = None
    grade_at_least: int | None = None
    detail: Clinical = ""
    occurred: When | None = None
    treatment_route: Clinical = ""
    life_threatening: bool = False
    type: Literal["ReportInfection"] = "ReportInfection"


@dataclass(frozen=True, slots=True)
class ReportLaboratory:
    """A laboratory or persistence finding in the hospital's words."""

    what: Clinical
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportLaboratory"] = "ReportLaboratory"


@dataclass(frozen=True, slots=True)
class ReportStay:
    """A stay in hospital outside the planned one."""

    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportStay"] = "ReportStay"


Command = ReportToxicity | ResolveToxicity | ReportInfection | ReportLaboratory | ReportStay


@dataclass(frozen=True, slots=True)
class ToxicityReported:
    """A toxicity with the grade as given."""

    name: Clinical
    grade: int | None
    grade_at_least: int | None
    detail: Clinical
    type: Literal["ToxicityReported"] = "ToxicityReported"


@dataclass(frozen=True, slots=True)
class ToxicityResolved:
    """A toxicity is over."""

    name: Clinical
    detail: Clinical
    type: Literal["ToxicityResolved"] = "ToxicityResolved"


@dataclass(frozen=True, slots=True)
class InfectionReported:
    """An infection."""

    site: Clinical
    organism: Clinical
    grade: int | None
    grade_at_least: int | None
    detail: Clinical
    treatment_route: Clinical = ""
    life_threatening: bool = False
    calculated: int | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["InfectionReported"] = "InfectionReported"


@dataclass(frozen=True, slots=True)
class LaboratoryReported:
    """A laboratory finding."""

    what: Clinical
    detail: Clinical
    type: Literal["LaboratoryReported"] = "LaboratoryReported"


@dataclass(frozen=True, slots=True)
class StayReported:
    """A stay in hospital."""

    detail: Clinical
    type: Literal["StayReported"] = "StayReported"


Event = ToxicityReported | ToxicityResolved | InfectionReported | LaboratoryReported | StayReported


WAITING = (Stage.ELIGIBILITY, Stage.VISA)
"""Where an infection or a stay in hospital makes the centre look again before travel [eligibility.disease-moves-on]."""
GRADES = range(6)
"""CTCAE and ASTCT grades [safety.grades]."""

TAKES = (
    Takes(ReportToxicity, (ToxicityReported, safety.AdverseEventAlerted), at=EVERY_STAGE, over_fhir=True),
    Takes(ResolveToxicity, (ToxicityResolved,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportInfection, (InfectionReported, safety.AdverseEventAlerted), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportLaboratory, (LaboratoryReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportStay, (StayReported,), at=EVERY_STAGE, over_fhir=True),
)


def decide(
    case: Case, command: Command, now: datetime, ids: Ids, policy: Policy
) -> Sequence[Event | safety.AdverseEventAlerted]:
    """Decide a report: it becomes a fact, and an alert where its grade calls for one. Raises Refused."""
    c = command
    match c:
        case ReportToxicity():
            _grades(c.grade, c.grade_at_least)
            told = ToxicityReported(c.name, c.grade, c.grade_at_least, c.detail)
            return [told, *safety.called_for(case, kind_of(str(c.name)), str(c.name), _least(c), now)]
        case ResolveToxicity():
            return [ToxicityResolved(c.name, c.detail)]
        case ReportInfection():
            _grades(c.grade, c.grade_at_least)
            infection = _infection(c)
            return [infection, *safety.called_for(case, "infection", f"{c.site} {c.organism}", _least(infection), now)]
        case ReportLaboratory():
            return [LaboratoryReported(c.what, c.detail)]
        case ReportStay():
            return [StayReported(c.detail)]
        case _:
            assert_never(c)


def _grades(grade: int | None, at_least: int | None) -> None:
    """Exactly the grade that was given: one, a lower bound, or none."""
    require(grade is None or at_least is None, Reason.INVALID, "a grade is exact or a lower bound, not both", "grade")
    require(grade is None or grade in GRADES, Reason.INVALID, "grades run from 0 to 5", "grade")
    require(at_least is None or at_least in GRADES, Reason.INVALID, "grades run from 0 to 5", "grade_at_least")


def _infection(c: ReportInfection) -> InfectionReported:
    known, words = not c.treatment_route or c.treatment_route in ctcae.TREATMENTS, ", ".join(ctcae.TREATMENTS)
    require(known, Reason.INVALID, f"an infection is treated in one of these ways: {words}", "treatment_route")
    calculated = ctcae.infection(str(c.treatment_route), life_threatening=c.life_threatening)
    return InfectionReported(
        c.site, c.organism, c.grade, c.grade_at_least, c.detail, c.treatment_route, c.life_threatening, calculated
    )


def _least(report: ReportToxicity | ToxicityReported | InfectionReported) -> int | None:
    told = report.grade if report.grade is not None else report.grade_at_least
    return report.calculated if told is None and isinstance(report, InfectionReported) else told


def _grade(kind: str, event: ToxicityReported | InfectionReported, fact: Fact[Event]) -> GradeTold:
    exact = event.grade is not None or event.grade_at_least is None
    return GradeTold(kind, _least(event), exact and _least(event) is not None, fact.occurred)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one report."""
    event = fact.event
    match event:
        case InfectionReported():
            told = safety.with_grade(case, fact.id, _grade("infection", event, fact))
            moved = replace(told, progressed=fact.id) if case.stage in WAITING else told
            if isinstance(event.site, str) and isinstance(event.organism, str):
                name = f"{event.site} {event.organism}"
                return safety.graded(moved, "infection", name, _least(event), fact.id, event.calculated)
            return moved
        case StayReported():
            return replace(case, progressed=fact.id) if case.stage in WAITING else case
        case ToxicityReported():
            known = isinstance(event.name, str)
            toxicity = str(event.name)
            kind = kind_of(toxicity) if known else ""
            told = safety.with_grade(case, fact.id, _grade(kind, event, fact))
            return safety.graded(told, kind, toxicity, _least(event), fact.id) if known else told
        case ToxicityResolved():
            return safety.ended(case, event.name) if isinstance(event.name, str) else case
        case LaboratoryReported():
            return case
        case _:
            assert_never(event)
