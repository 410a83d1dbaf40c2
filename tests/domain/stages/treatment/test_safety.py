"""A recall after infusion, a new cancer: the coordinator and the hospital answer within a day, at any stage [P8]."""

from unittest.mock import ANY

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.anytime.watching import LotStateNoted, watched
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.safety import (
    AlertAnswered,
    AnswerAlert,
    ExcursionReached,
    MalignancyReported,
    RecallReached,
    ReportMalignancy,
)
from tests.domain.course import LOT, start, visit_every_time
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No


def alert(j: Journey) -> str:
    return list(j.case.alerts)[-1]


def answered(j: Journey) -> None:
    j.tell(ReportMalignancy("x")).tell(AnswerAlert(alert(j), "hospital"))


REFUSALS = (
    No("infused", AnswerAlert("nothing", "hospital"), Reason.NOT_FOUND, "no such alert in this case"),
    No("infused", lambda j: AnswerAlert(alert(j), "hospital"), Reason.ALREADY, "that party has answered", answered),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_recall_reaches_who_has_the_cells() -> None:
    j = start("handed_over")
    j.source(LOT, state="recalled")
    when(j).then_told(LotStateNoted(LOT, 2, "recalled", ANY), RecallReached(LOT)).then_opens(
        "safety_alert", "safety_answer"
    ).then_asks("tell_centre_of_alert")
    assert [o.due - j.now for o in j.all_owed("safety_alert")] == [24 * HOUR]
    assert {o.debtor for o in j.all_owed() if o.kind.startswith("safety")} == {Party.COORDINATOR, Party.HOSPITAL}


def test_readings_that_come_late_reach_who_sees_to_the_patient() -> None:
    j = start("handed_over")
    unit = str(j.case.infusions[-1].unit)
    j.source(LOT, stopped=("another",))
    when(j).then_told(LotStateNoted(LOT, 2, "released", ANY, ("another",)))
    j.source(LOT, stopped=("another", unit))
    when(j).then_told(
        LotStateNoted(LOT, 3, "released", ANY, ("another", unit)), ExcursionReached(LOT, unit)
    ).then_opens("safety_alert", "safety_answer").then_asks("tell_centre_of_alert")
    j.source(LOT, stopped=()).look()
    j.source(LOT, stopped=(unit,)).look()
    assert [a.kind for a in j.case.alerts.values()] == ["excursion"], "once for each unit"


def test_a_quarantine_after_infusion_is_noted_and_no_alert_yet() -> None:
    j = start("infused")
    j.source(LOT, state="quarantined")
    when(j).then_told(LotStateNoted(LOT, 2, "quarantined", ANY))


def test_one_recall_is_one_alert_however_often_the_lot_changes() -> None:
    j = start("infused")
    j.source(LOT, state="recalled").look()
    j.source(LOT, state="recalled", expires=j.now).look()
    assert len(j.case.alerts) == 1


def test_a_recall_finds_the_patient_after_fifteen_years() -> None:
    j = start("handed_over")
    visit_every_time(j, j.now + 20 * 365 * DAY)
    j.wait(by=90 * DAY)
    assert (j.case.stage, j.case.open) == (Stage.CLOSED, False)
    assert watched(j.case) == {LOT}
    j.source(LOT, state="recalled")
    when(j).then_opens("safety_alert", "safety_answer")
    assert j.case.open
    for party in ("coordinator", "hospital"):
        j.tell(AnswerAlert(alert(j), party))
    j.deliver()
    assert not j.case.open


def test_a_new_cancer_is_an_alert_with_hours_to_answer() -> None:
    j = start("handed_over")
    when(j, ReportMalignancy("T-cell lymphoma")).then_told(MalignancyReported("T-cell lymphoma")).then_opens(
        "safety_alert", "safety_answer"
    )
    assert j.owed("safety_alert").steps[0].at == j.now + HOUR
    when(j, AnswerAlert(alert(j), "coordinator", "authority told")).then_told(
        AlertAnswered(alert(j), "coordinator", "authority told")
    )
    assert j.all_owed("safety_alert") == []
    assert j.owed("safety_answer").state == "open"


def test_nobody_is_asked_to_look_at_a_patient_who_died() -> None:
    j = start("handed_over").tell(ReportDeath())
    j.source(LOT, state="recalled")
    when(j).then_opens("safety_alert").then_asks()
