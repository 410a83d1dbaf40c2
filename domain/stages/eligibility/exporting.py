"""Sending records out of a country [S3]: what its law asks for before they leave is told here [countries.cn-export]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.codes import require_day_come
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Policy
from domain.law.countries import asked_for_export

LONGEST = 100


@dataclass(frozen=True, slots=True)
class RecordExportAssessment:
    """The impact of sending records to a centre abroad was assessed on a day; `reference` is where that is kept."""

    centre: str
    reference: str
    assessed: date
    type: Literal["RecordExportAssessment"] = "RecordExportAssessment"


Command = RecordExportAssessment


@dataclass(frozen=True, slots=True)
class ExportAssessed:
    """What sending the records abroad means for the patient was assessed."""

    centre: str
    reference: str
    assessed: date
    type: Literal["ExportAssessed"] = "ExportAssessed"


Event = ExportAssessed

TAKES = (Takes(RecordExportAssessment, (ExportAssessed,), at=stages(Stage.INQUIRY, Stage.ADMISSION)),)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Take what was assessed. Raises Refused where nothing can be looked up by it, or it lies ahead."""
    c = command
    require(c.centre.startswith("centre-"), Reason.INVALID, "name a centre by its stream", "centre")
    require(c.reference.strip(), Reason.INVALID, "say under which number the assessment is kept", "reference")
    require(len(c.reference) <= LONGEST, Reason.INVALID, f"at most {LONGEST} characters", "reference")
    require_day_come(c.assessed, now, "assessed")
    told = ExportAssessed(c.centre, c.reference, c.assessed)
    require(case.exports.get(c.centre) != c.reference, Reason.ALREADY, "this assessment is recorded", "reference")
    return [told]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold the newest assessment of each recipient."""
    return replace(case, exports={**case.exports, fact.event.centre: fact.event.reference})


def require_may_leave(case: Case, centre: str) -> None:
    """Refuse to send records abroad before what the law of the patient's country asks for is told. Raises Refused.

    The consent that names the recipient is asked for whichever the country [people.consent-abroad].
    """
    abroad = case.noted(centre).get("country") != case.country
    lacks = abroad and "assessment" in asked_for_export(case.country) and centre not in case.exports
    words = f"the law of {case.country} asks for an assessment before records leave; record it (RecordExportAssessment)"
    require(not lacks, Reason.MISSING, words, "submission")
