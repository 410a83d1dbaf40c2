"""Holds what the law of a protocol's route asks of a case: the study's filing, told by the hospital, and no charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.case.costs import KINDS, CostLines
from domain.case.phases.submissions import ASKED, Submission
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.about import About
from domain.core.codes import require_day_come
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.law.countries import files, never_charged
from domain.law.study import LONGEST
from domain.stages.eligibility.submissions import moved, require_submission

LIVE = ("chosen", *ASKED, "accepted")


@dataclass(frozen=True, slots=True)
class TellStudyFiling:
    """The hospital says on which day and under which number it filed the study with the authority.

    It settles what this case asks; the catalogue keeps its own record, which whoever keeps it confirms.
    """

    submission: str
    number: str
    filed: date
    type: Literal["TellStudyFiling"] = "TellStudyFiling"


Command = TellStudyFiling


@dataclass(frozen=True, slots=True)
class StudyFilingTold:
    """The hospital told the number of the filing that followed the review of that day."""

    submission: str
    reviewed: date
    number: str
    filed: date
    type: Literal["StudyFilingTold"] = "StudyFilingTold"


Event = StudyFilingTold

TAKES = (Takes(TellStudyFiling, (StudyFilingTold,), at=EVERY_STAGE, by=Action.ANSWER, answers=("study_filing",)),)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide what a hospital says of a study's filing: return the events it brings about. Raises Refused."""
    known = require_submission(case, command.submission, *LIVE)
    passed = _passed(case, known)
    require(passed, Reason.NOT_NOW, "no filing is asked for: no review of this study is on record", "submission")
    assert passed is not None
    require(command.number.strip(), Reason.INVALID, "a filing has a number", "number")
    require(len(command.number) <= LONGEST, Reason.INVALID, f"at most {LONGEST} characters", "number")
    require_day_come(command.filed, now, "filed")
    require(command.filed >= passed.date(), Reason.INVALID, "a study is filed after its review", "filed")
    told = known.filed == str(passed.date())
    require(not told, Reason.ALREADY, "the filing after this review is told", "number")
    return [StudyFilingTold(known.id, passed.date(), command.number, command.filed)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what a hospital said of a study's filing."""
    known = case.submissions.get(fact.event.submission)
    return moved(case, known.id, filed=str(fact.event.reviewed)) if known else case


def _unfiled(case: Case) -> Iterable[str]:
    """Submissions under a study that passed its review and is not filed, as far as anybody told [countries.cn-filing].

    A round is a version of the study: what is amended is reviewed and filed anew.
    """
    if case.exit:
        return []
    live = [(s, passed) for s in case.submissions.values() if s.state in LIVE and (passed := _passed(case, s))]
    return [f"{s.id}/{passed.date()}" for s, passed in live if not _number(case, s) and s.filed != str(passed.date())]


def _passed(case: Case, s: Submission) -> datetime | None:
    told = case.noted(s.protocol)
    passed = told.get("reviewed")
    return passed if files(told.get("route", "")) and isinstance(passed, datetime) else None


def _number(case: Case, s: Submission) -> str:
    return str(case.noted(s.protocol).get("filing", ""))


def _since(case: Case, about: str) -> datetime | None:
    known = case.submissions.get(About.of(about).id)
    return _passed(case, known) if known else None


def _filed(case: Case, about: str) -> bool:
    known = case.submissions.get(About.of(about).id)
    return known is not None and (bool(_number(case, known)) or known.filed == About.of(about).round)


OWES = (Owes("study_filing", Party.HOSPITAL, Party.COORDINATOR, _unfiled, _filed, _since),)


def require_free_of_research(case: Case, protocols: Iterable[str], told: CostLines) -> None:
    """Refuse a price that charges the family for the research, where the law forbids it [countries.cn-no-charge].

    Only where each of these protocols runs under such a law, for another may charge. Raises Refused naming the line.
    """
    noted = [case.noted(protocol) for protocol in protocols]
    free = [never_charged(one.get("route", ""), one.get("research_items", ())) for one in noted]
    never = frozenset.intersection(*free) if free else frozenset()
    if not never:
        return
    words = "a participant is charged nothing for this study; name the lines, so that it shows who bears which"
    require(told.itemised, Reason.MISSING, words, "trial_pays")
    for kind in KINDS:
        line = told.line(kind)
        charged = kind in never and line is not None and line.most > 0 and kind not in told.trial_pays
        words = f"{kind} is research under this protocol, and the law charges no participant for it; mark it trial_pays"
        require(not charged, Reason.INVALID, words, kind)
