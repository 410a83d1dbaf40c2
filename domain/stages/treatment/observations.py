"""Takes what hospitals report of the treated patient, whenever it comes: toxicity, infection, response, death.

Reports may be late, out of order, or without a known day; nothing here is inferred and no grade is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.stage import EVERY_STAGE, Stage
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Policy
from domain.core.when import When


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
    """An infection, by site and organism as far as known."""

    site: Clinical = ""
    organism: Clinical = ""
    grade: int | None = None
    grade_at_least: int | None = None
    detail: Clinical = ""
    occurred: When | None = None
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


@dataclass(frozen=True, slots=True)
class AssessResponse:
    """A response check with its result as reported (CR, CRi, PR, SD, PD, MRD-negative CR …)."""

    result: Clinical
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["AssessResponse"] = "AssessResponse"


@dataclass(frozen=True, slots=True)
class ReportProgression:
    """The disease progressed or came back."""

    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportProgression"] = "ReportProgression"


@dataclass(frozen=True, slots=True)
class ReportOtherTreatment:
    """Another treatment was given (radiotherapy, CD34 boost, a new drug …)."""

    what: Clinical
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportOtherTreatment"] = "ReportOtherTreatment"


@dataclass(frozen=True, slots=True)
class ReportOccurrence:
    """Anything else that happened to the patient, in the hospital's words (a vaccination, a failed manufacture …)."""

    what: Clinical
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportOccurrence"] = "ReportOccurrence"


@dataclass(frozen=True, slots=True)
class ReportTrialHold:
    """An authority or sponsor put the trial, or an arm of it, on hold."""

    by: str = ""
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportTrialHold"] = "ReportTrialHold"


@dataclass(frozen=True, slots=True)
class ReportTrialResumed:
    """The trial, or the arm, goes on."""

    by: str = ""
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportTrialResumed"] = "ReportTrialResumed"


@dataclass(frozen=True, slots=True)
class ReportOffStudy:
    """The patient left the study; long-term follow-up goes on."""

    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportOffStudy"] = "ReportOffStudy"


@dataclass(frozen=True, slots=True)
class ReportDeath:
    """The patient died. Reminders to the family stop at once."""

    cause: Clinical = ""
    occurred: When | None = None
    type: Literal["ReportDeath"] = "ReportDeath"


Command = (
    ReportToxicity
    | ResolveToxicity
    | ReportInfection
    | ReportLaboratory
    | ReportStay
    | AssessResponse
    | ReportProgression
    | ReportOtherTreatment
    | ReportOccurrence
    | ReportTrialHold
    | ReportTrialResumed
    | ReportOffStudy
    | ReportDeath
)


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


@dataclass(frozen=True, slots=True)
class ResponseAssessed:
    """The result of a response check."""

    result: Clinical
    detail: Clinical
    type: Literal["ResponseAssessed"] = "ResponseAssessed"


@dataclass(frozen=True, slots=True)
class ProgressionReported:
    """The disease progressed."""

    detail: Clinical
    type: Literal["ProgressionReported"] = "ProgressionReported"


@dataclass(frozen=True, slots=True)
class OtherTreatmentReported:
    """Another treatment was given."""

    what: Clinical
    detail: Clinical
    type: Literal["OtherTreatmentReported"] = "OtherTreatmentReported"


@dataclass(frozen=True, slots=True)
class OccurrenceReported:
    """Something else happened."""

    what: Clinical
    detail: Clinical
    type: Literal["OccurrenceReported"] = "OccurrenceReported"


@dataclass(frozen=True, slots=True)
class TrialHoldReported:
    """The trial or an arm of it is on hold."""

    by: str
    detail: Clinical
    type: Literal["TrialHoldReported"] = "TrialHoldReported"


@dataclass(frozen=True, slots=True)
class TrialResumed:
    """The trial or the arm takes patients again."""

    by: str
    detail: Clinical
    type: Literal["TrialResumed"] = "TrialResumed"


@dataclass(frozen=True, slots=True)
class OffStudyReported:
    """The patient left the study."""

    detail: Clinical
    type: Literal["OffStudyReported"] = "OffStudyReported"


@dataclass(frozen=True, slots=True)
class DeathReported:
    """The patient died."""

    cause: Clinical
    type: Literal["DeathReported"] = "DeathReported"


Event = (
    ToxicityReported
    | ToxicityResolved
    | InfectionReported
    | LaboratoryReported
    | StayReported
    | ResponseAssessed
    | ProgressionReported
    | OtherTreatmentReported
    | OccurrenceReported
    | TrialHoldReported
    | TrialResumed
    | OffStudyReported
    | DeathReported
)


WAITING = (Stage.ELIGIBILITY, Stage.VISA)
"""Where an infection or a stay in hospital makes the centre look again before travel [eligibility.disease-moves-on]."""
GRADES = range(6)
"""CTCAE and ASTCT grades [safety.grades]."""

TAKES = (
    Takes(ReportToxicity, (ToxicityReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ResolveToxicity, (ToxicityResolved,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportInfection, (InfectionReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportLaboratory, (LaboratoryReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportStay, (StayReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(AssessResponse, (ResponseAssessed,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportProgression, (ProgressionReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportOtherTreatment, (OtherTreatmentReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportOccurrence, (OccurrenceReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportTrialHold, (TrialHoldReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportTrialResumed, (TrialResumed,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportOffStudy, (OffStudyReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportDeath, (DeathReported,), at=EVERY_STAGE, over_fhir=True),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a report: it becomes a fact. Raises Refused."""
    c = command
    match c:
        case ReportToxicity():
            _grades(c.grade, c.grade_at_least)
            return [ToxicityReported(c.name, c.grade, c.grade_at_least, c.detail)]
        case ResolveToxicity():
            return [ToxicityResolved(c.name, c.detail)]
        case ReportInfection():
            _grades(c.grade, c.grade_at_least)
            return [InfectionReported(c.site, c.organism, c.grade, c.grade_at_least, c.detail)]
        case ReportLaboratory():
            return [LaboratoryReported(c.what, c.detail)]
        case ReportStay():
            return [StayReported(c.detail)]
        case AssessResponse():
            return [ResponseAssessed(c.result, c.detail)]
        case ReportProgression():
            return [ProgressionReported(c.detail)]
        case ReportOtherTreatment():
            return [OtherTreatmentReported(c.what, c.detail)]
        case ReportOccurrence():
            return [OccurrenceReported(c.what, c.detail)]
        case ReportTrialHold():
            return [TrialHoldReported(c.by, c.detail)]
        case ReportTrialResumed():
            return [TrialResumed(c.by, c.detail)]
        case ReportOffStudy():
            return [OffStudyReported(c.detail)]
        case ReportDeath():
            require(not case.died, Reason.ALREADY, "the death is recorded; a correction supersedes it")
            return [DeathReported(c.cause)]
        case _:
            assert_never(c)


def _grades(grade: int | None, at_least: int | None) -> None:
    """Exactly the grade that was given: one, a lower bound, or none."""
    require(grade is None or at_least is None, Reason.INVALID, "a grade is exact or a lower bound, not both", "grade")
    require(grade is None or grade in GRADES, Reason.INVALID, "grades run from 0 to 5", "grade")
    require(at_least is None or at_least in GRADES, Reason.INVALID, "grades run from 0 to 5", "grade_at_least")


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one report."""
    event = fact.event
    match event:
        case ResponseAssessed():
            return replace(case, assessments=case.assessments + 1)
        case OffStudyReported():
            return replace(case, off_study=fact.id)
        case DeathReported():
            return replace(case, died=fact.id)
        case ProgressionReported():
            return replace(case, progressed=fact.id)
        case InfectionReported() | StayReported():
            return replace(case, progressed=fact.id) if case.stage in WAITING else case
        case TrialHoldReported():
            return replace(case, trial_hold=fact.id)
        case TrialResumed():
            return replace(case, trial_hold="")
        case (
            ToxicityReported()
            | ToxicityResolved()
            | LaboratoryReported()
            | OtherTreatmentReported()
            | OccurrenceReported()
        ):
            return case
        case _:
            assert_never(event)
