"""Postponing [S5]: the hospital admits later than planned; nobody travels to a door that is not open yet."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.stages.travel.postponing import AdmissionPostponed, PostponeAdmission
from domain.stages.travel.travel import DoorClosed, DoorReopened, PlanStay
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

LATER = "the hospital has postponed the admission past the planned arrival"


def postponed(j: Journey, days: int) -> PostponeAdmission:
    """By so many days past the planned arrival."""
    return PostponeAdmission(j.case.stay_plan["arrives"] + days * DAY, "no bed on the ward")


REFUSALS = (
    No("admission", lambda j: PostponeAdmission(j.now.date(), "full"), Reason.INVALID, "the new day lies ahead"),
    No("arrived", lambda j: PostponeAdmission((j.now + DAY).date(), "full"), Reason.NOT_NOW, "no journey is being"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_booked_journey_stands_before_a_door_that_opens_later() -> None:
    j = start("admission")
    command = postponed(j, 9)
    when(j, command).then_told(AdmissionPostponed(command.admits_from, command.reason), DoorClosed((LATER,)))


def test_the_door_is_open_again_for_who_arrives_on_the_new_day() -> None:
    j = start("admission")
    plan = j.case.stay_plan
    j.tell(command := postponed(j, 9))
    j.tell(PlanStay(command.admits_from, plan["days"], plan["attendant"], "lodging", funds_confirmed=True))
    assert DoorReopened() in j.last
    assert not j.case.shut


def test_a_postponement_to_before_the_planned_day_shuts_nothing() -> None:
    j = start("admission")
    j.tell(postponed(j, 0))
    assert not j.case.shut
