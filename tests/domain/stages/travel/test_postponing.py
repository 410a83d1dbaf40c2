"""Postponing [S5]: the hospital admits later than planned; nobody travels to a door that is not open yet."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.stages.travel.postponing import AdmissionPostponed, PostponeAdmission
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No


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


def test_the_new_day_is_recorded() -> None:
    j = start("admission")
    command = postponed(j, 9)
    when(j, command).then(AdmissionPostponed(command.admits_from, command.reason))
