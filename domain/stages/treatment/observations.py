"""Takes what hospitals report of the treated patient, whenever it comes: progression, trial holds, death.

Reports may be late, out of order, or without a known day; nothing here is inferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.redosing import ResponseTold
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Policy
from domain.core.when import When
from domain.stages.response.assessing import with_response


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
    ReportProgression
    | ReportOtherTreatment
    | ReportOccurrence
    | ReportTrialHold
    | ReportTrialResumed
    | ReportOffStudy
    | ReportDeath
)


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
    ProgressionReported
    | OtherTreatmentReported
    | OccurrenceReported
    | TrialHoldReported
    | TrialResumed
    | OffStudyReported
    | DeathReported
)


TAKES = (
    Takes(ReportProgression, (ProgressionReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportOtherTreatment, (OtherTreatmentReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportOccurrence, (OccurrenceReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportTrialHold, (TrialHoldReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportTrialResumed, (TrialResumed,), at=EVERY_STAGE, over_fhir=True, settles=("trial_hold_review",)),
    Takes(ReportOffStudy, (OffStudyReported,), at=EVERY_STAGE, over_fhir=True),
    Takes(ReportDeath, (DeathReported,), at=EVERY_STAGE, over_fhir=True),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a report: it becomes a fact. Raises Refused."""
    c = command
    match c:
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


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one report."""
    event = fact.event
    match event:
        case OffStudyReported():
            return replace(case, off_study=fact.id)
        case DeathReported():
            return replace(case, died=fact.id)
        case ProgressionReported():
            return with_response(replace(case, progressed=fact.id), fact.id, ResponseTold(PROGRESSED, fact.occurred))
        case TrialHoldReported():
            return replace(case, trial_hold=fact.id)
        case TrialResumed():
            return replace(case, trial_hold="")
        case OtherTreatmentReported() | OccurrenceReported():
            return case
        case _:
            assert_never(event)


PROGRESSED = "PD"
