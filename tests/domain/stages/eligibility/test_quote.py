"""The price, line by line: sums, the trial's share, what the family is sent, what may be paid."""

from __future__ import annotations

from typing import Any

import pytest

from domain.case.costs import KINDS, MOST, CostLine, CostLines
from domain.case.effect import EffectRequested
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.eligibility.quote import (
    AcceptQuote,
    AcknowledgeEstimate,
    EstimateIssued,
    GiveQuote,
    IssueEstimate,
    QuoteGiven,
)
from domain.stages.eligibility.submissions import WithdrawSubmission
from domain.stages.follow_up.acquired import RecordResource
from tests.domain.course import patient, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

LINES: dict[str, Any] = {
    "hospital_charges": CostLine(40_000, 70_000, ("hospital", "condition")),
    "cell_product": CostLine(20_000, 60_000, ("access",)),
    "monitoring": CostLine(10_000),
}
PRICED: dict[str, Any] = {
    "hospital_charges": CostLine(75_000),
    "cell_product": CostLine(60_000),
    "monitoring": CostLine(10_000),
    "trial_pays": ("cell_product",),
}

TOO_MUCH = f"at most {MOST} of a currency's main unit"


def price(j: Journey, **changes: Any) -> GiveQuote:
    return GiveQuote(submission(j), "USD", j.now + 14 * DAY, **{**PRICED, **changes})


REFUSALS = (
    No("eligibility", IssueEstimate("USD"), Reason.INVALID, "a range goes from low to high"),
    No("eligibility", IssueEstimate("USD", monitoring=CostLine(9, 8)), Reason.INVALID, "a range goes from low to high"),
    No("eligibility", IssueEstimate("USD", monitoring=CostLine(-1)), Reason.INVALID, "a range goes from low to high"),
    No("eligibility", IssueEstimate("USD", monitoring=CostLine(MOST + 1)), Reason.INVALID, TOO_MUCH),
    No("eligibility", IssueEstimate("USD", 1, MOST + 1), Reason.INVALID, TOO_MUCH),
    No("eligibility", IssueEstimate("USD", 1, 130_000, **LINES), Reason.INVALID, "the lines that the family pays"),
    No("accepted", lambda j: price(j, total=145_000), Reason.INVALID, "the lines that the family pays come to 85000"),
    No("accepted", lambda j: GiveQuote(submission(j), "USD", j.now + DAY, MOST + 1), Reason.INVALID, TOO_MUCH),
    No("accepted", lambda j: GiveQuote(submission(j), "USD", j.now + DAY), Reason.INVALID, "a price is more than"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_an_estimate_line_by_line() -> None:
    j = start("eligibility")
    when(j, IssueEstimate("USD", **LINES)).then_told(EstimateIssued(70_000, 140_000, "USD", **LINES))
    assert j.case.estimated
    assert (j.case.estimated.low, j.case.estimated.high) == (70_000, 140_000)


def test_a_price_leaves_out_what_the_trial_bears() -> None:
    j = start("accepted")
    until = j.now + 14 * DAY
    when(j, price(j, total=85_000)).then_told(QuoteGiven(submission(j), 85_000, "USD", until, **PRICED))
    assert j.case.quoted
    assert j.case.quoted.lines == CostLines(**PRICED)


def test_a_trial_may_bear_every_line() -> None:
    j = start("accepted")
    j.tell(GiveQuote(submission(j), "CNY", j.now + DAY, trial_pays=KINDS))
    assert j.case.quoted
    assert j.case.quoted.high == 0


def test_the_family_is_sent_the_estimate_until_it_acknowledged_it_or_a_price_took_its_place() -> None:
    j = start("eligibility")
    j.tell(IssueEstimate("USD", **LINES))
    [asked] = j.asked("send_estimate")
    assert (asked.to, j.owed("estimate_answer").debtor) == (Party.FAMILY, Party.FAMILY)
    j.deliver()
    j.tell(IssueEstimate("EUR", **LINES))
    assert len(j.asked("send_estimate")) == 2, "a new estimate is sent anew"
    j.tell(AcknowledgeEstimate(patient(j)))
    assert not j.all_owed("estimate_answer")


def test_the_family_is_sent_the_price_and_not_the_estimate_any_more() -> None:
    j = start("accepted")
    j.tell(IssueEstimate("USD", **LINES)).tell(price(j))
    assert not [e for e in j.case.effects.values() if e.kind == "send_estimate" and e.pending]
    assert EffectRequested in {type(one) for one in j.last}
    assert [e.to for e in j.asked("send_quote")] == [Party.FAMILY]
    assert not j.all_owed("estimate_answer")


def test_no_more_is_paid_than_the_accepted_price() -> None:
    j = start("accepted")
    j.tell(price(j)).tell(AcceptQuote(patient(j)))
    j.tell(RecordResource("payment", submission(j), "T1", "", 80_000, "USD"))
    j.tried(RecordResource("payment", submission(j), "T2", "", 5_001, "USD"))
    assert j.refused
    assert (j.refused.reason, j.refused.field) == (Reason.INVALID, "amount")
    assert "85000 USD" in j.refused.detail
    j.tell(RecordResource("payment", submission(j), "T3", "", 5_000, "USD"))


def test_another_centre_names_its_own_price() -> None:
    j = start("accepted")
    j.tell(price(j)).tell(WithdrawSubmission(submission(j)))
    assert j.case.quoted is None
