"""A study's review and its filing with the authority, where its route asks for them [countries.cn-filing]."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from domain.core.codes import require_day_come
from domain.core.errors import Reason, require
from domain.law.countries import files

LONGEST = 100


@dataclass(frozen=True, slots=True)
class RecordStudyReview:
    """The scientific and the ethics review of the study, as it reads now, were passed on a day; `source` says it."""

    passed: date
    source: str
    type: Literal["RecordStudyReview"] = "RecordStudyReview"


@dataclass(frozen=True, slots=True)
class RecordStudyFiling:
    """The study, as it reads now, is filed with the authority on a day, under this number."""

    number: str
    filed: date
    source: str
    type: Literal["RecordStudyFiling"] = "RecordStudyFiling"


@dataclass(frozen=True, slots=True)
class StudyReviewPassed:
    """The reviews of this version of the study were passed."""

    version: int
    passed: date
    source: str
    type: Literal["StudyReviewPassed"] = "StudyReviewPassed"


@dataclass(frozen=True, slots=True)
class StudyFiled:
    """This version of the study is filed with the authority."""

    version: int
    number: str
    filed: date
    source: str
    type: Literal["StudyFiled"] = "StudyFiled"


Command = RecordStudyReview | RecordStudyFiling
Event = StudyReviewPassed | StudyFiled


@dataclass(frozen=True, slots=True)
class Study:
    """The newest review and the newest filing, each of the version of the protocol it was told of; None = not told."""

    review: StudyReviewPassed | None = None
    filing: StudyFiled | None = None

    def reviewed(self, version: int) -> datetime | None:
        """Return the day that version passed its reviews, as an instant: noon UTC, that day in nearly every zone."""
        known = self.review
        return datetime.combine(known.passed, time(12), UTC) if known and known.version == version else None

    def number(self, version: int) -> str:
        """Return the number under which that version is filed, empty = not known."""
        return self.filing.number if self.filing and self.filing.version == version else ""


NOTHING = Study()


def decide(study: Study, c: Command, version: int, route: str, now: datetime) -> Event:
    """Decide what is told of a study's review or filing. Raises Refused."""
    way_on = "the protocol's route asks for no filing; amend the protocol to name its route first"
    require(files(route), Reason.NOT_NOW, way_on, "type")
    require(c.source.strip(), Reason.INVALID, "say who says so", "source")
    if isinstance(c, RecordStudyReview):
        require_day_come(c.passed, now, "passed")
        told = StudyReviewPassed(version, c.passed, c.source)
        require(told != study.review, Reason.ALREADY, "this review is recorded", "passed")
        return told
    require_day_come(c.filed, now, "filed")
    require(c.number.strip(), Reason.INVALID, "a filing has a number", "number")
    require(len(c.number) <= LONGEST, Reason.INVALID, f"at most {LONGEST} characters", "number")
    reviewed = study.reviewed(version)
    require(reviewed, Reason.MISSING, "record the review of this version of the study first", "filed")
    early = reviewed is not None and c.filed >= reviewed.date()
    require(early, Reason.INVALID, "a study is filed after its review", "filed")
    filed = StudyFiled(version, c.number, c.filed, c.source)
    require(filed != study.filing, Reason.ALREADY, "this filing is recorded", "number")
    return filed


def evolve(study: Study, event: Event) -> Study:
    """Fold what was told."""
    if isinstance(event, StudyReviewPassed):
        return Study(event, study.filing)
    return Study(study.review, event)
