"""A clinician's word changes the plan of follow-up, or stops it; a later infusion never shortens it."""

from __future__ import annotations

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.stages.anytime.moving import StageEntered
from domain.stages.follow_up.closing import CaseReopened, ReopenCase
from domain.stages.follow_up.follow_up import visit_lines
from domain.stages.follow_up.replanning import FollowUpReplanned, FollowUpStopped, ReplanFollowUp, StopFollowUp
from domain.stages.follow_up.visit_plan import last_due, visits_of
from domain.stages.treatment.recovery import DecidePathway
from tests.domain.course import start
from tests.domain.journey import DAY, when
from tests.domain.refusals import No
from tests.domain.stages.follow_up.test_visit_plan import followed

REFUSALS = (
    No("handed_over", ReplanFollowUp(51, (), "Dr Li", "late effects"), Reason.INVALID, "from 1 to 50 years"),
    No(
        "handed_over",
        ReplanFollowUp(5, (90, 28), "Dr Li", "late effects"),
        Reason.INVALID,
        "days after the infusion in order, each once, none after the end",
    ),
    No("handed_over", StopFollowUp("Dr Li", ""), Reason.INVALID, "say why; a reason is never empty"),
    No(
        "handed_over",
        ReplanFollowUp(1, (), "Dr Li", "short persistence"),
        Reason.INVALID,
        "those years are over; to end follow-up now, stop it (StopFollowUp)",
        lambda j: j.away(400 * DAY).look(),
    ),
    No("infused", StopFollowUp("Dr Li", "x"), Reason.NOT_NOW, "StopFollowUp is accepted in: follow_up"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_plan_is_lengthened_and_the_new_days_are_owed() -> None:
    j = followed(vector_integrates=False, follow_up_years=2, visit_days=(28, 90))
    end = last_due(j.case)
    when(j, ReplanFollowUp(5, (28, 120, 240), "Dr Li", "persistence longer than expected")).then_told(
        FollowUpReplanned(5, (28, 120, 240), "Dr Li", "persistence longer than expected")
    )
    after = last_due(j.case)
    assert end
    assert after
    assert (after - end).days in (1095, 1096)
    assert [name for name, _ in visits_of(j.case)] == ["D28", "D120", "D240", "Y1", "Y2", "Y3", "Y4", "Y5"]
    assert j.owed("visit").about == "D120/1"


def test_a_later_infusion_extends_what_a_clinician_planned_and_keeps_what_was_seen() -> None:
    j = followed(vector_integrates=False, follow_up_years=2, visit_days=(28, 90))
    j.tell(ReplanFollowUp(7, (28, 90), "Dr Li", "late effects expected"))
    seen = dict(j.case.visits)
    j.tell(DecidePathway("redose", "Dr Li"))
    assert j.case.visit_plan
    assert j.case.visit_plan.years == 7
    assert j.case.visits == seen


def test_follow_up_is_stopped_by_a_clinician_and_can_be_taken_up_again() -> None:
    j = start("handed_over")
    when(j, StopFollowUp("Dr Li", "the family asked, all is explained")).then_told(
        FollowUpStopped("Dr Li", "the family asked, all is explained"), StageEntered(Stage.CLOSED, Stage.FOLLOW_UP)
    )
    assert (j.case.follow_up, j.case.open) == ("stopped", False)
    when(j, ReopenCase("they changed their mind")).then_told(CaseReopened(Stage.FOLLOW_UP, "they changed their mind"))
    assert j.owed("visit").state == "open"
    assert any(line.stands == "owed" for line in visit_lines(j.case))
