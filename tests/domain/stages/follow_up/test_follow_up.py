"""Follow-up [S12, S13]: home, hand-over, visits one by one, lost and found again, fifteen years."""

from dataclasses import replace

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason, Refused
from domain.core.when import When
from domain.engine.decide import decide
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.moving import StageEntered
from domain.stages.follow_up.closing import CaseReopened, ReopenCase
from domain.stages.follow_up.follow_up import (
    AcceptHandover,
    ContactTried,
    EndFollowUp,
    FollowUpEnded,
    HandoverAccepted,
    RecordVisit,
    ReturnedHome,
    ReturnHome,
    TryContact,
    VisitRecorded,
)
from domain.stages.follow_up.visit_plan import VISITS, last_due
from domain.stages.treatment.infusion import InfusionCompleted, RecordInfusion
from domain.stages.treatment.observations import DeathReported, ReportDeath
from domain.stages.treatment.recovery import DecidePathway
from tests.domain.course import STEPS, UNIT, start, visit_every_time
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.follow_up.searched import try_everybody

REFUSALS = (
    No("home", ReturnHome(), Reason.ALREADY, "the return home is recorded"),
    No("handed_over", AcceptHandover(), Reason.ALREADY, "the hand-over is accepted"),
    No("home", RecordVisit("M99", True), Reason.INVALID, "no such scheduled visit"),
    No("home", RecordVisit("M3", False), Reason.INVALID, "a death is reported as a death, with its own date"),
    No(
        "home",
        EndFollowUp("lost"),
        Reason.MISSING,
        "to be tried first (TryContact), or passed over with a reason (SkipContact): "
        "family, second_contact, home_doctor, hospital",
    ),
    No(
        "home",
        EndFollowUp("lost"),
        Reason.NOT_NOW,
        "EndFollowUp is accepted in: follow_up",
        lambda j: j.tell(EndFollowUp("withdrawn")),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_no_follow_up_is_ended_that_is_not_open() -> None:
    """Reached by a case that left before any cells and is looked at as if it were followed up."""
    j = start("follow_up")
    j.case = replace(j.case, follow_up="lost")
    with pytest.raises(Refused, match="no follow-up is open"):
        decide(j.case, EndFollowUp("withdrawn"), j.now, j.ids, j.policy)


def test_home_hand_over_first_call() -> None:
    j = start("follow_up")
    when(j, ReturnHome()).then_told(ReturnedHome()).then_opens("first_contact_home")
    when(j, AcceptHandover()).then_told(HandoverAccepted())
    when(j, TryContact("call", answered=False)).then_told(ContactTried("call", answered=False))
    assert j.owed("first_contact_home").state == "open"
    when(j, TryContact("call", answered=True)).then_told(ContactTried("call", answered=True))
    assert j.all_owed("first_contact_home") == []


def test_one_visit_is_owed_at_a_time_and_only_those_that_are_still_to_come() -> None:
    j = start("handed_over")
    assert j.owed("visit").about == "M2/1", "D28 was the response check at the hospital"
    when(j, RecordVisit("M2", True, "CR")).then_told(VisitRecorded("M2", True, "CR", "")).then_opens("visit")
    assert j.owed("visit").about == "M3/1"


def test_a_missed_visit_is_missed_and_the_next_one_is_owed() -> None:
    j = start("handed_over")
    first = j.owed("visit")
    j.wait(until=first.due)
    assert j.case.obligations[first.id].state == "missed"
    assert j.owed("visit").about == "M3/1"
    assert j.all_owed("chase") == []


def test_an_extra_visit_does_not_stand_in_for_a_scheduled_one() -> None:
    j = start("handed_over")
    before = j.owed("visit")
    j.tell(RecordVisit("", True, "fine"))
    assert j.owed("visit") == before
    assert list(j.case.visits) == ["extra-1"]


def test_every_way_is_tried_then_lost_and_taken_up_again() -> None:
    j = try_everybody(start("handed_over"))
    when(j, EndFollowUp("lost", "moved away")).then_told(
        FollowUpEnded("lost", "moved away"), StageEntered(Stage.CLOSED, Stage.FOLLOW_UP)
    )
    assert not j.case.open
    when(j, ReopenCase("they called")).then_told(CaseReopened(Stage.FOLLOW_UP, "they called"))
    assert (j.case.stage, j.case.follow_up, j.case.open) == (Stage.FOLLOW_UP, "open", True)
    assert j.owed("visit").state == "open"


def test_an_answer_starts_the_count_of_attempts_again() -> None:
    j = start("handed_over")
    for answered in (False, False, True, False):
        j.tell(TryContact("call", answered=answered))
    assert j.case.contact_attempts == 1


def test_death_ends_follow_up_at_once() -> None:
    j = start("handed_over")
    when(j, ReportDeath("relapse"))
    assert j.last[0] == DeathReported("relapse")
    assert FollowUpEnded("died", "") in j.last
    assert (j.case.stage, j.all_owed()) == (Stage.CLOSED, [])
    assert [e.kind for e in j.agenda.effects if e.to == "family"] == []
    when(j, ReopenCase("x")).then_refused(Reason.IRREVERSIBLE, "this case cannot be taken up again")


def test_the_fifteenth_year_ends_it_though_every_visit_was_missed() -> None:
    """Nobody records anything: one mail, and one way to the family owed and chased, however many visits follow."""
    j = start("handed_over")
    first = j.owed("visit").about
    end = last_due(j.case)
    assert end
    j.wait(until=end)
    assert FollowUpEnded("completed", "") in j.last
    visits = [o for o in j.case.obligations.values() if o.kind == "visit"]
    assert [o.state for o in visits] == ["missed"] * (len(VISITS) - 1)
    assert [e.about for e in j.case.effects.values() if e.kind == "ask_after_missed_visit"] == [first]
    assert [o.about for o in j.case.obligations.values() if o.kind == "reach_family"] == [f"family/{first}"]


def test_fifteen_years_are_over_at_their_instant_though_nobody_looked() -> None:
    j = start("handed_over")
    end = last_due(j.case)
    assert end
    j.now = end + 400 * DAY
    j.look()
    assert len(j.all_owed("visit")) == 1, "one question at a time, after the outage"
    visit_every_time(j, end + 4000 * DAY)
    assert j.case.follow_up == "completed" or j.all_owed("visit")


def test_an_unknown_day_0_is_asked_for_and_then_counted_from() -> None:
    j = start("thawed")
    j.tell(RecordInfusion(UNIT, "", When.unknown()))
    for step in ("assessed", "follow_up"):
        STEPS[step](j)
    assert j.all_owed("visit") == []
    assert j.owed("infusion_date").state == "open"
    day = When.on((j.now - 12 * DAY).date())
    j.tell(CorrectFact(j.newest(InfusionCompleted), RecordInfusion(UNIT, "", day), "in the chart"))
    assert j.owed("visit").about == "D28/1"


def test_another_treatment_decided_at_home_leaves_follow_up() -> None:
    j: Journey = start("handed_over")
    when(j, DecidePathway("redose", "Dr Li"))
    assert StageEntered(Stage.REDOSING, Stage.FOLLOW_UP) in j.last
