"""Asks of a case what the law of its protocol's route asks: the study's filing, and no charge for the research."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.case.costs import KINDS, CostLines
from domain.case.phases.submissions import ASKED, Submission
from domain.case.state import Case
from domain.case.table import Owes
from domain.core.about import About
from domain.core.errors import Reason, require
from domain.core.policy import Party
from domain.law.countries import files, never_charged


def _unfiled(case: Case) -> Iterable[str]:
    """Submissions under a study that passed its review and is not filed, as far as anybody told [countries.cn-filing].

    A round is a version of the study: what is amended is reviewed and filed anew.
    """
    if case.exit:
        return []
    live = (s for s in case.submissions.values() if s.state in ("chosen", *ASKED, "accepted"))
    return [f"{s.id}/{_passed(case, s).date()}" for s in live if _passed(case, s) and not _number(case, s)]  # type: ignore[union-attr] # filtered


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
    return known is not None and bool(_number(case, known))


STUDY_FILING = Owes("study_filing", Party.HOSPITAL, Party.COORDINATOR, _unfiled, _filed, _since)


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
