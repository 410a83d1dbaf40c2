"""A new cancer of somebody with cells is looked back from: asked at once, recorded once, also on hold."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.core.when import When
from domain.stages.anytime.holding import HoldCase
from domain.stages.treatment.infusion import RecordInfusion
from domain.stages.treatment.look_back import LookedBack, RecordLookBack
from domain.stages.treatment.safety import ReportMalignancy
from tests.domain.course import STEPS, start
from tests.domain.journey import DAY, Journey
from tests.domain.refusals import No


def cancer(at: str = "handed_over") -> tuple[Journey, str]:
    j = start(at)
    j.tell(ReportMalignancy("T cell"))
    return j, next(iter(j.case.alerts))


def found(alert: str) -> RecordLookBack:
    return RecordLookBack(alert, ("lot-1",), ("material-v",), 2, 30, 5)


def looked(j: Journey) -> None:
    j.tell(ReportMalignancy("x"))
    j.tell(found(newest(j)), ENGINE)


def newest(j: Journey) -> str:
    return list(j.case.alerts)[-1]


REFUSALS = (
    No("infused", found("nothing"), Reason.NOT_FOUND, "no new cancer of this case has that alert"),
    No("infused", lambda j: found(newest(j)), Reason.ALREADY, "it was looked back from that alert", looked),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_new_cancer_is_looked_back_from_at_once() -> None:
    j, alert = cancer()
    [asked] = j.asked("look_back")
    assert (asked.about, asked.state) == (alert, "requested")
    j.tell(found(alert), ENGINE)
    assert LookedBack(alert, ("lot-1",), ("material-v",), 2, 30, 5) in j.last
    kept = j.case.alerts[alert].looked_back
    assert kept
    assert (kept.lots, kept.vector_lots, kept.patients) == (("lot-1",), ("material-v",), 5)
    assert [e.state for e in j.asked("look_back")] == ["delivered"]


def test_without_cells_there_is_nothing_to_look_back_to() -> None:
    j, _ = cancer("admitted")
    assert j.asked("look_back") == []


def test_each_new_cancer_is_looked_back_from_once() -> None:
    j, alert = cancer()
    j.tell(found(alert), ENGINE)
    j.wait(by=3 * DAY)
    assert len(j.asked("look_back")) == 1
    j.tell(ReportMalignancy("skin"))
    assert len(j.asked("look_back")) == 2


def test_a_case_on_hold_is_looked_back_from_all_the_same() -> None:
    j = start("handed_over")
    j.tell(HoldCase("away")).tell(ReportMalignancy("T cell"))
    assert [e.state for e in j.asked("look_back")] == ["requested"]


def test_a_cancer_found_before_the_cells_went_in_is_not_looked_back_from() -> None:
    j, _ = cancer("thawed")
    found_at = j.now
    j.wait(by=2 * DAY)
    STEPS["infused"](j)
    assert j.case.infusions
    assert j.asked("look_back") == []
    j.tell(ReportMalignancy("skin", occurred=When.at(found_at)))
    assert j.asked("look_back") == [], "told later, found before"
    j.tell(ReportMalignancy("T cell"))
    assert [e.about for e in j.asked("look_back")] == [newest(j)]


def test_cells_told_late_are_looked_back_to() -> None:
    j = start("thawed")
    given = j.now
    j.wait(by=2 * DAY).tell(ReportMalignancy("T cell"))
    j.tell(RecordInfusion("unit-1", occurred=When.at(given)))
    assert [e.about for e in j.asked("look_back")] == [newest(j)]
