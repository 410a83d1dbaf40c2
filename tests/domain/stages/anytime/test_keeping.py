"""What the law of a study keeps is not destroyed before its time; where offspring are concerned it never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.law.countries import kept
from domain.stages.anytime.erasing import CaseErased, ConfirmErasure, OrderErasure, RecordErasure
from domain.stages.anytime.keeping import keeping
from domain.stages.follow_up.follow_up import EndFollowUp
from tests.domain.course import PROTOCOL, start
from tests.domain.journey import Journey, when

ORDER = OrderErasure("consent_withdrawn", stops="nothing", by="person-8")
TRACE = "Regulation (EC) No 1394/2007, Article 15"


def ended(**state: Any) -> Journey:
    j = start("handed_over").source(PROTOCOL, **state).look()
    return j.tell(EndFollowUp("transferred"))


def order(j: Journey) -> str:
    assert j.case.erasure
    return j.case.erasure.order


def test_the_clinical_records_of_a_study_under_order_818_stay_for_thirty_years() -> None:
    j = ended(route="cn_order_818")
    [one] = keeping(j.case)
    assert j.case.stage_since
    assert one.until == j.case.stage_since.date().replace(year=j.case.stage_since.year + 30)
    words = f"the law keeps the records of this study until {one.until} (cn_keep); order it with trace_and_clinical"
    when(j, ORDER).then_refused(Reason.NOT_NOW, words)
    j.tell(replace(ORDER, keep="trace_and_clinical")).tell(ConfirmErasure(order(j), "person-9"))
    j.tell(RecordErasure(order(j)), ENGINE)
    [erased] = [e for e in j.last if isinstance(e, CaseErased)]
    assert (erased.classes, erased.law) == (("identity",), f"{TRACE}; cn_keep")
    when(j, ORDER).then_refused(Reason.NOT_NOW, words)
    j.away(timedelta(days=30 * 366)).tell(ORDER)
    assert order(j)


def test_where_offspring_are_concerned_they_stay_for_ever() -> None:
    j = ended(route="cn_order_818", concerns_offspring=True).away(timedelta(days=100 * 366))
    when(j, ORDER).then_refused(Reason.NOT_NOW, "the law keeps the records of this study for ever (cn_keep_offspring)")


@pytest.mark.parametrize(
    "state", [{}, {"route": "cn_drug_trial"}, {"route": "approved_use", "concerns_offspring": True}]
)
def test_other_routes_and_a_route_nobody_told_keep_no_clinical_records(state: dict[str, Any]) -> None:
    j = ended(**state)
    assert not keeping(j.case)
    j.tell(ORDER).tell(ConfirmErasure(order(j), "person-9")).tell(RecordErasure(order(j)), ENGINE)
    [erased] = [e for e in j.last if isinstance(e, CaseErased)]
    assert (set(erased.classes), erased.law) == ({"identity", "clinical"}, TRACE)


def test_what_is_told_of_the_route_after_the_order_counts_when_it_is_confirmed() -> None:
    j = ended().tell(ORDER)
    j.source(PROTOCOL, route="cn_order_818").look()
    when(j, ConfirmErasure(order(j), "person-9")).then_refused(
        Reason.NOT_NOW, "the law keeps the records of this study"
    )


def test_who_took_no_part_is_kept_by_no_rule_of_the_study() -> None:
    j = start("submitted").source(PROTOCOL, route="cn_order_818").look()
    assert not keeping(j.case)


def test_rows_of_a_route_and_of_whichever_route() -> None:
    assert [one.name for one in kept("", offspring=True)] == ["eu_trace"]
    assert [one.name for one in kept("cn_order_818", offspring=False)] == ["cn_keep", "eu_trace"]
    assert [one.name for one in kept("cn_order_818", offspring=True)] == ["eu_trace", "cn_keep_offspring"]
