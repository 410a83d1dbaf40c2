"""Cohorts after an amendment, a correction, or harm that came late: nobody is left standing, nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from domain.catalogue.protocols.cohorts import (
    CohortReviewed,
    LimitingToxicityTold,
    OpenCohort,
    ReviewCohort,
    SubjectAsked,
    SubjectEnrolled,
    SubjectInfused,
    SubjectSetBack,
)
from domain.core.errors import Reason
from tests.domain.catalogue.protocols.trial import HIGH, LOW, PLAN, TODAY, amended, days, opened
from tests.domain.catalogue.steps import refused
from tests.domain.catalogue.test_protocol import STREAM


def test_who_asked_while_the_protocol_said_no_levels_is_not_forgotten() -> None:
    trial = opened()
    assert amended(trial, None) == []
    assert trial.case("a") == [SubjectAsked("a")]
    assert amended(trial, PLAN) == [SubjectEnrolled("a", 1)]


def test_a_level_that_is_no_more_gives_no_cells_and_another_is_opened_although_its_cohort_was_stopped() -> None:
    trial = opened("a")
    trial.case("a", infused=TODAY)
    trial.now += days(30)
    trial.cohort("2")
    for case in ("b", "c"):
        trial.case(case)
    renamed = replace(PLAN, levels=(replace(LOW, most=0), replace(HIGH, name="1a")))
    assert amended(trial, renamed) == [SubjectSetBack("b", 2), SubjectSetBack("c", 2)]
    assert trial.case("d") == [SubjectAsked("d")], "nobody gets a place at it"
    trial.tell(ReviewCohort(2, "stopped", "r", "s", trial.now.date()))
    assert trial.cohort("1")[1:] == [SubjectEnrolled("b", 3), SubjectEnrolled("c", 3)]
    assert refused(STREAM, trial.state, OpenCohort("1a", "r", "s", trial.now.date()), trial.now)[1] == "level"


def test_harm_told_after_a_cohort_was_stopped_is_looked_at_too_and_holds_no_other_for_ever() -> None:
    trial = opened("a")
    trial.case("a", infused=TODAY)
    trial.now += days(30)
    trial.cohort("2")
    trial.case("b")
    day = trial.now.date()
    trial.case("b", infused=day)
    trial.tell(ReviewCohort(2, "stopped", "r", "s", day))
    trial.cohort("1")
    trial.case("b", infused=day, limiting=(day,))
    again = OpenCohort("1", "r", "s", day)
    assert refused(STREAM, trial.state, again, trial.now) == (Reason.NOT_NOW, "level")
    goes_on = ReviewCohort(2, "goes_on", "r", "s", day)
    assert refused(STREAM, trial.state, goes_on, trial.now) == (Reason.ALREADY, "cohort")
    stays = ReviewCohort(2, "stopped", "looked at", "s", day)
    assert trial.tell(stays) == [CohortReviewed(2, "stopped", "looked at", "s", day)]
    assert refused(STREAM, trial.state, stays, trial.now) == (Reason.ALREADY, "cohort")
    trial.case("x")
    assert trial.tell(again)[0].level == "1"


def test_a_day_of_the_cells_that_is_set_right_moves_the_next_turn_and_counts_what_it_now_holds() -> None:
    trial = opened("a", "b")
    trial.case("a", infused=TODAY)
    harm = TODAY + days(35)
    assert trial.case("a", infused=TODAY, limiting=(harm,)) == [LimitingToxicityTold("a", 1, harm, counts=False)]
    later = TODAY + days(10)
    told = trial.case("a", infused=later, limiting=(harm,))
    assert told == [SubjectInfused("a", 1, later), LimitingToxicityTold("a", 1, harm, counts=True)]
    assert (trial.seat("b").last, trial.seat("b").held) == (later, harm)
    assert trial.case("a", infused=later, limiting=(harm,)) == []


def test_two_toxicities_of_one_day_are_two() -> None:
    trial = opened("a", "b")
    trial.case("a", infused=TODAY)
    trial.case("a", infused=TODAY, limiting=(TODAY,))
    trial.tell(ReviewCohort(1, "goes_on", "r", "s", TODAY))
    assert trial.seat("b").held is None
    told = trial.case("a", infused=TODAY, limiting=(TODAY, TODAY))
    assert told == [LimitingToxicityTold("a", 1, TODAY, counts=True)]
    assert trial.seat("b").held == TODAY


def test_the_second_part_of_a_dose_is_of_the_same_level() -> None:
    trial = opened("a")
    trial.case("a", infused=TODAY)
    assert trial.seat("a").doses == LOW.doses
