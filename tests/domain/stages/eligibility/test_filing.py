"""Under Order 818 the filing is owed within 5 working days of the review, and the research costs nobody anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.case.costs import CostLine
from domain.case.obligation import ObligationOpened
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.eligibility.filing import StudyFilingTold, TellStudyFiling
from domain.stages.eligibility.quote import EstimateIssued, GiveQuote, IssueEstimate, QuoteGiven
from domain.stages.eligibility.submissions import ChooseCentre, WithdrawSubmission
from tests.domain.course import CENTRE, PROTOCOL, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

LAW: dict[str, Any] = {"route": "cn_order_818", "research_items": ("monitoring",)}
LINES: dict[str, Any] = {"hospital_charges": CostLine(40_000), "cell_product": CostLine(60_000)}


def passed(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def reviewed(days_ago: int = 0, **more: Any) -> Journey:
    j = start("submitted")
    return j.source(PROTOCOL, **LAW, reviewed=passed((j.now - days_ago * DAY).date()), **more)


def test_a_filing_is_owed_by_the_hospital_counted_from_the_review_whenever_it_was_told() -> None:
    told_at_once, told_late = reviewed(0).look().owed("study_filing"), reviewed(3).look().owed("study_filing")
    assert (told_at_once.debtor, told_at_once.creditor) == (Party.HOSPITAL, Party.COORDINATOR)
    assert told_late.due < told_at_once.due
    assert told_at_once.due.weekday() < 5
    assert timedelta(days=6) < told_at_once.due - told_at_once.anchor < timedelta(days=20)  # type: ignore[operator] # given


def test_working_days_are_those_of_the_hospital() -> None:
    """The first week of October is a holiday in China: five working days end after it; in Germany before."""
    due = []
    for country in ("CN", "DE"):
        j = reviewed().source(CENTRE, country=country)
        j.now = datetime(2026, 9, 28, 8, tzinfo=UTC)
        j.source(PROTOCOL, reviewed=passed(date(2026, 9, 28)), open_until=j.now + 90 * DAY).look()
        due.append(j.owed("study_filing").due.date())
    assert due[0] > date(2026, 10, 7) > due[1]


def test_the_number_meets_it_and_nothing_is_owed_without_a_review_or_on_another_route() -> None:
    j = reviewed().look()
    kept = j.owed("study_filing")
    j.source(PROTOCOL, filing="F-1").look()
    assert j.case.obligations[kept.id].state == "met"
    for state in ({"reviewed": None}, {"filing": "F-1"}, {"route": "cn_drug_trial"}):
        assert not reviewed().source(PROTOCOL, **state).look().all_owed("study_filing")


def test_a_submission_that_ends_owes_no_filing_and_an_amended_study_owes_another() -> None:
    j = reviewed(9).look()
    first = j.owed("study_filing")
    j.source(PROTOCOL, filing="F-1").look()
    j.source(PROTOCOL, filing="", reviewed=passed(j.now.date())).look()
    second = j.owed("study_filing")
    assert first.id != second.id
    j.tell(WithdrawSubmission(submission(j)))
    assert j.case.obligations[second.id].state == "withdrawn"


def test_missed_it_is_chased() -> None:
    j = reviewed().look()
    kept = j.owed("study_filing")
    j.away(30 * DAY).look()
    assert j.case.obligations[kept.id].state == "missed"
    assert [o for o in j.all_owed("chase") if o.about == f"study_filing:{kept.about}"]
    assert not [e for e in j.last if isinstance(e, ObligationOpened) and e.kind == "study_filing"]


def test_the_hospitals_own_answer_meets_it_until_the_study_is_reviewed_anew() -> None:
    j = reviewed(2).look()
    kept = j.owed("study_filing")
    filed = TellStudyFiling(submission(j), "F-7", j.now.date())
    j.tell(filed)
    assert StudyFilingTold(submission(j), (j.now - 2 * DAY).date(), "F-7", j.now.date()) in j.last
    assert j.case.obligations[kept.id].state == "met"
    j.source(PROTOCOL, reviewed=passed(j.now.date())).look()
    assert j.owed("study_filing").id != kept.id, "what is amended is reviewed and filed anew"


def asked(j: Journey) -> None:
    j.source(PROTOCOL, **LAW, reviewed=passed(j.now.date()))


def told(number: str, days: int) -> Callable[[Journey], TellStudyFiling]:
    return lambda j: TellStudyFiling(submission(j), number, (j.now + days * DAY).date())


def filed_already(j: Journey) -> None:
    asked(j)
    j.tell(told("E", 0)(j))


REFUSALS = (
    No("submitted", told("F", 0), Reason.NOT_NOW, "no filing is asked for"),
    No("submitted", told(" ", 0), Reason.INVALID, "a filing has a number", asked),
    No("submitted", told("F" * 101, 0), Reason.INVALID, "at most 100 characters", asked),
    No("submitted", told("F", 2), Reason.INVALID, "that lies in the future", asked),
    No("submitted", told("F", -9), Reason.INVALID, "a study is filed after its review", asked),
    No(
        "submitted",
        told("F", 0),
        Reason.ALREADY,
        "the filing after this review is told",
        filed_already,
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def price(j: Journey, **lines: Any) -> GiveQuote:
    return GiveQuote(submission(j), "USD", j.now + 14 * DAY, **lines)


@pytest.mark.parametrize("kind", ["cell_product", "monitoring"])
def test_a_price_for_the_research_is_refused_and_what_the_trial_bears_is_not(kind: Any) -> None:
    j = start("accepted").source(PROTOCOL, **LAW).look()
    lines: dict[str, Any] = {"hospital_charges": CostLine(40_000), kind: CostLine(5)}
    words = f"{kind} is research under this protocol, and the law charges no participant for it; mark it trial_pays"
    when(j, price(j, **lines)).then_refused(Reason.INVALID, words)
    when(j, IssueEstimate("USD", **lines)).then_refused(Reason.INVALID, words)
    told = j.tell(price(j, **lines, trial_pays=(kind,))).decided[0]
    assert isinstance(told, QuoteGiven)
    assert told.total == 40_000


def test_one_number_for_all_is_refused_there_and_taken_elsewhere() -> None:
    words = "a participant is charged nothing for this study; name the lines, so that it shows who bears which"
    j = start("accepted").source(PROTOCOL, **LAW).look()
    when(j, price(j, total=9)).then_refused(Reason.MISSING, words)
    when(j, IssueEstimate("USD", 1, 9)).then_refused(Reason.MISSING, words)
    elsewhere = start("accepted").source(PROTOCOL, route="cn_translated").look()
    assert isinstance(elsewhere.tell(price(elsewhere, **LINES)).decided[0], QuoteGiven)


def test_an_estimate_for_two_ways_of_which_one_may_charge_is_given() -> None:
    j = start("eligibility").source(PROTOCOL, **LAW).source("protocol-b", planned_infusions=1)
    j.tell(ChooseCentre(CENTRE, PROTOCOL))
    refused = IssueEstimate("USD", **LINES)
    when(j, refused).then_refused(Reason.INVALID, "cell_product is research")
    j.tell(ChooseCentre("centre-b", "protocol-b"))
    assert isinstance(j.tell(refused).decided[0], EstimateIssued)
