"""Once a year it is asked what happened: answered, or looked for; a new cancer and a death are reported as such."""

from __future__ import annotations

from typing import Any

import pytest

from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.follow_up.follow_up import EndFollowUp, FollowUpResumed
from domain.stages.follow_up.questions import BEFORE, QUESTIONS, YearlyQuestionsAnswered, YearlyQuestionsAsked
from domain.stages.follow_up.searching import missed_since
from domain.stages.treatment.observations import DeathReported
from domain.stages.treatment.recovery import day_0
from domain.stages.treatment.safety import MalignancyReported
from tests.domain.course import start, visit_every_time
from tests.domain.journey import DAY, when
from tests.domain.refusals import No
from tests.domain.stages.follow_up.searched import answer, ask_of_the_year, found, try_everybody

REFUSALS = (
    No("handed_over", answer, Reason.NOT_FOUND, "no such questions were asked"),
    No(
        "handed_over",
        answer,
        Reason.ALREADY,
        "the questions of that year are answered",
        lambda j: ask_of_the_year(j).tell(answer(j)),
    ),
    No(
        "handed_over",
        answer,
        Reason.NOT_NOW,
        "follow-up is over",
        lambda j: ask_of_the_year(j).tell(EndFollowUp("withdrawn")),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def told(**said: Any) -> YearlyQuestionsAnswered:
    """The event of a year's answers."""
    return YearlyQuestionsAnswered(year="Y1/1", **{"detail": "", **dict.fromkeys(QUESTIONS, "no"), **said})


def test_a_year_is_asked_about_once_thirty_days_before_it_is_over() -> None:
    j = start("handed_over")
    day = day_0(j.case)
    assert day
    visit_every_time(j, day + 320 * DAY)
    assert j.case.yearly == {}, "too early"
    j.wait(until=day + 340 * DAY)
    [asked] = [f.event for f in j.facts if isinstance(f.event, YearlyQuestionsAsked)]
    assert asked.year == "Y1/1"
    owed = j.owed("yearly_questions")
    assert (owed.debtor, owed.due) == (Party.FAMILY, asked.due)
    assert owed.due - owed.opened_at <= BEFORE
    [mail] = [e for e in j.case.effects.values() if e.kind == "ask_yearly_questions"]
    assert (mail.about, mail.to) == ("Y1/1", Party.FAMILY)


def test_after_an_outage_of_years_nobody_is_asked_what_can_no_more_be_answered_in_time() -> None:
    j = start("handed_over")
    day = day_0(j.case)
    assert day
    j.away(1500 * DAY).look()
    assert j.case.yearly == {}, "the fourth year is over"
    assert not [e for e in j.case.effects.values() if e.kind == "ask_yearly_questions"]
    found(j).wait(until=day + 1810 * DAY)
    assert list(j.case.yearly) == ["Y5/1"]
    assert j.owed("yearly_questions").due > j.now
    [mail] = [e for e in j.case.effects.values() if e.kind == "ask_yearly_questions"]
    assert (mail.about, mail.state) == ("Y5/1", "delivered")


def test_answers_are_kept_and_show_that_the_patient_lives() -> None:
    j = ask_of_the_year(start("handed_over"))
    when(j, answer(j, serious_infection="yes", detail="pneumonia")).then_told(
        told(serious_infection="yes", detail="pneumonia")
    )
    assert [o.state for o in j.case.obligations.values() if o.kind == "yearly_questions"] == ["met"]
    assert j.case.heard == j.now


def test_a_new_cancer_opens_the_alert_and_the_look_back() -> None:
    j = ask_of_the_year(start("handed_over"))
    when(j, answer(j, new_cancer="yes", detail="lymphoma of T cells")).then_told(
        told(new_cancer="yes", detail="lymphoma of T cells"), MalignancyReported("lymphoma of T cells")
    )
    assert j.owed("safety_alert").state == "open"
    assert [e.kind for e in j.asked("look_back")] == ["look_back"]


def test_control_no_new_cancer_alerts_nobody() -> None:
    j = ask_of_the_year(start("handed_over"))
    j.tell(answer(j, neurologic="yes", new_cancer="unknown"))
    assert j.all_owed("safety_alert") == []


def test_a_death_told_in_the_answers_is_reported_as_one() -> None:
    j = ask_of_the_year(start("handed_over"))
    when(j, answer(j, died=True, detail="relapse"))
    assert j.last[:2] == [told(detail="relapse"), DeathReported("relapse")]
    assert j.case.follow_up == "died"


def test_what_nobody_answers_is_looked_for_and_a_late_answer_ends_the_search() -> None:
    j = ask_of_the_year(start("handed_over"))
    due = j.owed("yearly_questions").due
    visit_every_time(j, due - 15 * DAY)
    j.wait(until=due)
    assert missed_since(j.case) == "Y1/1"
    assert j.owed("reach_family").about == "family/Y1/1"
    j.tell(answer(j))
    assert (missed_since(j.case), j.all_owed("reach_family")) == ("", [])


def test_an_answer_from_somebody_who_counted_as_lost_takes_follow_up_up_again() -> None:
    j = try_everybody(ask_of_the_year(start("handed_over"))).tell(EndFollowUp("lost"))
    when(j, answer(j)).then_told(told(), FollowUpResumed())
    assert j.case.follow_up == "open"
