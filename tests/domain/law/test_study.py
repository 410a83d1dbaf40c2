"""A study's review and filing: told of the version as it reads now, and asked anew once it was amended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.catalogue.protocol import AmendProtocol, ProtocolAmended, ProtocolRegistered, RegisterProtocol
from domain.catalogue.streams import State, read_model
from domain.core.errors import Reason
from domain.law.study import RecordStudyFiling, RecordStudyReview, StudyFiled, StudyReviewPassed
from tests.domain.catalogue.steps import given, refused, when
from tests.domain.catalogue.test_protocol import FIELDS, STREAM

UNDER: dict[str, Any] = {**FIELDS, "route": "cn_order_818"}
REGISTERED = ProtocolRegistered(**UNDER)
AMENDED = ProtocolAmended(**UNDER, number=2, label="v2", change="dose")
PASSED = StudyReviewPassed(1, date(2026, 2, 20), "minutes of both boards")
FILED = StudyFiled(1, "F-2026-7", date(2026, 2, 26), "trial office")
REVIEW = RecordStudyReview(PASSED.passed, PASSED.source)
FILING = RecordStudyFiling(FILED.number, FILED.filed, FILED.source)


def study(*events: Any) -> State:
    return given(STREAM, REGISTERED, *events)


def test_review_and_filing_are_recorded_of_the_version_as_it_reads_now() -> None:
    assert when(STREAM, study(), REVIEW) == [PASSED]
    assert when(STREAM, study(PASSED), FILING) == [FILED]
    assert when(STREAM, study(PASSED, FILED, AMENDED), REVIEW) == [replace(PASSED, version=2)]
    noted = read_model(STREAM, study(PASSED, FILED))
    assert (noted["reviewed"].date(), noted["filing"]) == (PASSED.passed, "F-2026-7")


def test_what_was_told_of_an_earlier_version_counts_for_no_later_one() -> None:
    noted = read_model(STREAM, study(PASSED, FILED, AMENDED))
    assert noted["route"] == "cn_order_818"
    assert not {"reviewed", "filing"} & set(noted)


@pytest.mark.parametrize(
    ("before", "command", "reason", "field"),
    [
        ((), FILING, Reason.MISSING, "filed"),
        ((PASSED, AMENDED), FILING, Reason.MISSING, "filed"),
        ((PASSED,), replace(FILING, filed=date(2026, 2, 19)), Reason.INVALID, "filed"),
        ((PASSED,), replace(FILING, filed=date(2026, 3, 3)), Reason.INVALID, "filed"),
        ((PASSED,), replace(FILING, number=" "), Reason.INVALID, "number"),
        ((PASSED,), replace(FILING, number="7" * 101), Reason.INVALID, "number"),
        ((PASSED,), replace(FILING, source=""), Reason.INVALID, "source"),
        ((PASSED, FILED), FILING, Reason.ALREADY, "number"),
        ((), replace(REVIEW, passed=date(2026, 3, 3)), Reason.INVALID, "passed"),
        ((PASSED,), REVIEW, Reason.ALREADY, "passed"),
    ],
)
def test_what_cannot_be_is_refused(before: tuple[Any, ...], command: Any, reason: Reason, field: str) -> None:
    assert refused(STREAM, study(*before), command) == (reason, field)


def test_a_route_that_asks_for_no_filing_takes_none() -> None:
    assert refused(STREAM, given(STREAM, ProtocolRegistered(**FIELDS)), REVIEW) == (Reason.NOT_NOW, "type")


@pytest.mark.parametrize("access", ["approved_use", "compassionate_use"])
def test_a_route_and_the_way_of_access_have_to_fit(access: Any) -> None:
    fields = {**UNDER, "access": access}
    assert refused(STREAM, given(STREAM), RegisterProtocol(**fields)) == (Reason.INVALID, "route")
    amend = AmendProtocol(**fields, label="v2", change="x")
    assert refused(STREAM, study(), amend) == (Reason.INVALID, "route")
    assert when(STREAM, given(STREAM), RegisterProtocol(**UNDER)) == [REGISTERED]
