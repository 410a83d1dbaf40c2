"""Corrective action: planned, done, seen whether it helped; each day owed, and what did not help asks for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from domain.core.errors import Reason
from domain.stages.anytime.corrective import (
    CheckCorrectiveAction,
    CompleteCorrectiveAction,
    CorrectiveActionChecked,
    CorrectiveActionCompleted,
)
from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure
from domain.stages.anytime.holding import HoldCase
from domain.stages.treatment.safety import AnswerAlert, ReportMalignancy
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.anytime.acting.acted import check, complete, done, in_vain, near_miss, newest, plan, planning


def alarmed(j: Journey) -> None:
    j.tell(ReportMalignancy("T cell"))


REFUSALS = (
    No(
        "infused",
        lambda j: replace(planning(j), alert="nothing"),
        Reason.NOT_FOUND,
        "there is no such alert to act on in this case",
        alarmed,
    ),
    No(
        "infused",
        lambda j: replace(planning(j), measure=""),
        Reason.MISSING,
        "say what is done about the cause",
        alarmed,
    ),
    No("infused", lambda j: replace(planning(j), responsible=""), Reason.MISSING, "say who does it", alarmed),
    No("infused", lambda j: CompleteCorrectiveAction(newest(j), ""), Reason.MISSING, "say how it was done", plan),
    No(
        "infused",
        lambda j: CheckCorrectiveAction(newest(j), effective=True, account=""),
        Reason.MISSING,
        "say what shows it",
        done,
    ),
    No("infused", lambda j: planning(j, -1), Reason.INVALID, "what is planned is done today or later", alarmed),
    No(
        "infused",
        lambda j: planning(j, 9, 8),
        Reason.INVALID,
        "whether it helped is looked at after it is done",
        alarmed,
    ),
    No("infused", lambda j: planning(j, 9, 2000), Reason.INVALID, "at most 1095 days ahead", alarmed),
    No("infused", CompleteCorrectiveAction("none", "x"), Reason.NOT_FOUND, "no such corrective action in this case"),
    No(
        "infused",
        lambda j: CompleteCorrectiveAction(newest(j), "again"),
        Reason.ALREADY,
        "it is said that this is done",
        done,
    ),
    No(
        "infused",
        lambda j: CheckCorrectiveAction(newest(j), effective=True, account="x"),
        Reason.NOT_NOW,
        "it is not done yet; say first that it is",
        plan,
    ),
    No(
        "infused",
        lambda j: CheckCorrectiveAction(newest(j), effective=True, account="x"),
        Reason.ALREADY,
        "it is said whether this helped",
        in_vain,
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def owed(j: Journey) -> list[str]:
    return [one.kind for one in j.all_owed() if one.kind.startswith("corrective")]


def test_it_is_done_by_its_day_and_checked_on_another() -> None:
    j = start("infused")
    plan(j)
    ends = datetime.combine(j.now.date() + 14 * DAY, time.max, UTC)
    assert j.owed("corrective_action").due == ends
    when(j, CompleteCorrectiveAction(newest(j), "trained")).then_told(CorrectiveActionCompleted(newest(j), "trained"))
    assert owed(j) == ["corrective_check"]
    assert j.owed("corrective_check").due == ends + 46 * DAY
    when(j, CheckCorrectiveAction(newest(j), effective=True, account="none since")).then_told(
        CorrectiveActionChecked(newest(j), effective=True, account="none since")
    )
    assert owed(j) == []
    assert j.case.corrective[newest(j)].state == "effective"


def test_what_did_not_help_asks_for_another_about_the_same_alert() -> None:
    j = start("infused")
    in_vain(j)
    first = newest(j)
    assert owed(j) == ["corrective_again"]
    plan(j)
    assert owed(j) == ["corrective_action"]
    complete(j)
    check(j, helped=True)
    assert (owed(j), newest(j) != first) == ([], True)


def test_after_a_near_miss_the_plan_is_owed_and_after_a_cancer_it_is_not() -> None:
    j = start("checked")
    near_miss(j)
    assert owed(j) == ["corrective_plan"]
    assert j.owed("corrective_plan").due == j.now + 14 * DAY
    plan(j)
    assert owed(j) == ["corrective_action"]
    alarmed(j)
    assert owed(j) == ["corrective_action"]


def test_of_somebody_erased_nothing_is_owed_since_nobody_knows_what_was_planned() -> None:
    j = start("handed_over")
    plan(j)
    for party in ("coordinator", "hospital"):
        j.tell(AnswerAlert(list(j.case.alerts)[-1], party))
    assert owed(j) == ["corrective_action"]
    j.tell(OrderErasure("consent_withdrawn", stops="follow_up", by="person-8"))
    assert owed(j) == ["corrective_action"], "an order may be withdrawn"
    j.tell(ConfirmErasure(j.case.erasure.order, "person-9"))  # type: ignore[union-attr]
    assert owed(j) == []
    assert j.case.latest("corrective_action", newest(j)).state == "withdrawn"  # type: ignore[union-attr]
    when(j, CompleteCorrectiveAction(newest(j), "trained")).then_refused(Reason.INVALID, "this person was erased")
    when(j, CompleteCorrectiveAction(newest(j), "")).then_refused(Reason.IRREVERSIBLE, "this person was erased")


def test_a_hold_of_the_journey_does_not_hold_it() -> None:
    j = start("infused")
    plan(j)
    j.tell(HoldCase("infection"))
    j.wait(by=16 * DAY)
    assert j.case.latest("corrective_action", newest(j)).state == "missed"  # type: ignore[union-attr]


def test_a_day_that_passed_is_chased() -> None:
    j = start("infused")
    plan(j)
    j.wait(by=16 * DAY)
    assert j.case.latest("corrective_action", newest(j)).state == "missed"  # type: ignore[union-attr]
    assert any(one.kind.startswith("chase") and "corrective_action" in one.about for one in j.all_owed())
