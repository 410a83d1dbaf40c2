"""Cohorts of a trial: never more than they take, one turn at a time, held by harm until the committee's word."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.catalogue.protocol import ProtocolRegistered, RegisterProtocol
from domain.catalogue.protocols.cohorts import (
    CohortReviewed,
    LimitingToxicityTold,
    OpenCohort,
    ReviewCohort,
    SubjectAsked,
    SubjectDelayed,
    SubjectEnrolled,
    SubjectHeard,
    SubjectInfused,
    SubjectLeft,
    SubjectReady,
    SubjectSetBack,
    TellCohort,
)
from domain.catalogue.protocols.escalation import DoseLevel, Escalation
from domain.catalogue.protocols.seats import Seat, seat_of
from domain.catalogue.streams import parse_source_state, read_model
from domain.core.errors import Reason, Refused
from domain.core.roles import Role
from domain.criteria.dosing import CellDose
from domain.roles import Actor, action_of, allow
from tests.domain.catalogue.protocols.trial import (
    HIGH,
    LOW,
    OPEN,
    OPENED,
    PLAN,
    REGISTERED,
    TODAY,
    Trial,
    amended,
    days,
    opened,
)
from tests.domain.catalogue.steps import NOW, given, refused, when
from tests.domain.catalogue.test_protocol import FIELDS, STREAM
from tests.drawing import draws


def test_the_sponsor_opens_a_cohort_and_it_takes_as_many_as_it_may_and_no_more() -> None:
    assert when(STREAM, given(STREAM, REGISTERED), OPEN) == [OPENED]
    trial = opened()
    assert trial.case("a") == [SubjectAsked("a"), SubjectEnrolled("a", 1)]
    assert trial.case("b") == [SubjectAsked("b"), SubjectEnrolled("b", 1)]
    assert trial.case("c") == [SubjectAsked("c")]
    assert trial.seat("c") == Seat("c", "waiting", opened=True)
    assert trial.case("b", ends=True) == [SubjectLeft("b"), SubjectEnrolled("c", 1)]
    assert trial.seat("c").doses == LOW.doses


def test_who_asked_before_any_cohort_was_open_gets_a_place_with_it() -> None:
    trial = Trial()
    assert trial.case("a") == [SubjectAsked("a")]
    assert trial.seat("a") == Seat("a", "waiting")
    assert trial.cohort()[1:] == [SubjectEnrolled("a", 1)]


def test_a_level_takes_no_more_than_the_protocol_says_in_all_its_cohorts() -> None:
    trial = opened("a", "b", "c", "d")
    told = trial.cohort("1")
    assert (told[0].size, told[1:]) == (1, [SubjectEnrolled("c", 2)])
    assert refused(STREAM, trial.state, OPEN) == (Reason.NOT_NOW, "level")


def test_what_comes_late_changes_nothing() -> None:
    trial = opened("a")
    trial.tell(TellCohort("a", 9, ready=True))
    assert trial.tell(TellCohort("a", 8)) == []
    assert trial.seat("a").state == "ready"


def test_one_turn_at_a_time_and_the_days_between_two_after_the_first_longer() -> None:
    trial = Trial(replace(PLAN, levels=(replace(LOW, cohort=3), HIGH)))
    trial.cohort()
    for case in ("a", "b", "c"):
        trial.case(case)
    assert trial.case("b", ready=True) == [SubjectReady("b", 1)]
    assert trial.case("a", ready=True) == [SubjectReady("a", 1)]
    assert [(trial.seat(case).ahead, trial.seat(case).not_before) for case in ("b", "a")] == [(0, None), (1, None)]
    assert trial.case("b", infused=TODAY) == [SubjectInfused("b", 1, TODAY)]
    first = trial.seat("a")
    assert (first.ahead, first.last, first.after_first, first.not_before) == (0, TODAY, True, TODAY + days(28))
    trial.case("a", infused=TODAY + days(30))
    second = trial.seat("c")
    assert (second.last, second.after_first, second.not_before) == (TODAY + days(30), False, TODAY + days(44))


def test_one_that_stands_still_before_its_gate_lets_the_others_go_first() -> None:
    trial = opened("a", "b")
    trial.case("a", ready=True)
    trial.case("b", ready=True)
    assert trial.case("a") == [SubjectDelayed("a", 1)]
    assert (trial.seat("b").ahead, trial.seat("a").ahead) == (0, 1)
    trial.case("a", ready=True)
    assert (trial.seat("b").ahead, trial.seat("a").ahead) == (0, 1)


def test_a_toxicity_in_the_counted_days_holds_the_cohort_until_the_committees_word() -> None:
    trial = opened("a", "b", "c")
    trial.case("a", infused=TODAY)
    trial.now += days(40)
    late = TODAY + days(29)
    assert trial.case("a", infused=TODAY, limiting=(late,)) == [LimitingToxicityTold("a", 1, late, counts=False)]
    assert trial.seat("b").held is None
    counted = TODAY + days(28)
    told = trial.case("a", infused=TODAY, limiting=(counted, late))
    assert told == [LimitingToxicityTold("a", 1, counted, counts=True)]
    assert trial.seat("b").held == counted
    for level in ("1", "2"):
        assert refused(STREAM, trial.state, OpenCohort(level, "r", "s", TODAY), trial.now) == (Reason.NOT_NOW, "level")
    assert trial.case("b", ends=True) == [SubjectLeft("b")], "no place is given meanwhile"
    word = ReviewCohort(1, "goes_on", "dose kept", "minutes", trial.now.date())
    goes_on = CohortReviewed(1, "goes_on", "dose kept", "minutes", trial.now.date())
    assert trial.tell(word) == [goes_on, SubjectEnrolled("c", 1)]
    assert trial.seat("c").held is None
    assert refused(STREAM, trial.state, word, trial.now) == (Reason.NOT_NOW, "outcome")


def test_a_toxicity_of_a_lower_level_holds_the_higher_one_too_and_not_the_other_way() -> None:
    trial = opened("a")
    trial.case("a", infused=TODAY)
    trial.now += days(30)
    trial.cohort("2")
    trial.case("b")
    trial.case("a", infused=TODAY, limiting=(TODAY + days(20),))
    assert trial.seat("b").held == TODAY + days(20)
    assert trial.tell(ReviewCohort(1, "goes_on", "r", "s", trial.now.date()))
    trial.case("b", infused=trial.now.date())
    trial.case("b", infused=trial.now.date(), limiting=(trial.now.date(),))
    trial.cohort("1")
    trial.case("c")
    assert trial.seat("c").held is None


def test_a_lower_level_takes_back_the_places_at_the_higher_one_and_gives_them_first() -> None:
    trial = opened("a", "x")
    trial.case("a", infused=TODAY)
    trial.now += days(30)
    trial.cohort("2")
    for case in ("b", "c", "d"):
        trial.case(case)
    trial.case("b", infused=trial.now.date())
    told = trial.cohort("1")
    assert told[1:] == [SubjectSetBack("c", 2), SubjectEnrolled("c", 3)], "the level has one patient left, before d"
    assert [one.state for one in map(trial.seat, "bcdx")] == ["infused", "enrolled", "waiting", "enrolled"]


def test_a_stopped_cohort_gives_nobody_else_cells() -> None:
    trial = opened("a", "b", "c")
    trial.case("a", infused=TODAY)
    told = trial.tell(ReviewCohort(1, "stopped", "two deaths", "minutes", TODAY))
    assert told[1:] == [SubjectSetBack("b", 1)]
    again = refused(STREAM, trial.state, ReviewCohort(1, "stopped", "r", "s", TODAY))
    assert again == (Reason.ALREADY, "cohort")
    assert refused(STREAM, trial.state, OPEN) == (Reason.NOT_NOW, "level")


def test_no_level_is_passed_over_and_none_opened_while_toxicities_of_the_one_before_count() -> None:
    three = replace(PLAN, levels=(LOW, HIGH, DoseLevel(name="3", cohort=1)))
    trial = Trial(three)
    for level in ("2", "3"):
        assert refused(STREAM, trial.state, replace(OPEN, level=level)) == (Reason.NOT_NOW, "level")
    assert refused(STREAM, trial.state, replace(OPEN, level="9")) == (Reason.INVALID, "level")
    trial.cohort()
    assert refused(STREAM, trial.state, replace(OPEN, level="2")) == (Reason.NOT_NOW, "level"), "nobody was infused"
    trial.case("a")
    trial.case("a", infused=TODAY)
    higher = replace(OPEN, level="2")
    assert refused(STREAM, trial.state, higher, NOW + days(28)) == (Reason.NOT_NOW, "level")
    assert when(STREAM, trial.state, higher, NOW + days(29))[0].level == "2"
    assert refused(STREAM, trial.state, replace(OPEN, level="3"), NOW + days(99)) == (Reason.NOT_NOW, "level")


@pytest.mark.parametrize("name", ["reason", "source"])
def test_a_decision_says_why_and_where_it_stands(name: str) -> None:
    said: dict[str, Any] = {name: " "}
    assert refused(STREAM, given(STREAM, REGISTERED), replace(OPEN, **said)) == (Reason.INVALID, name)
    future = replace(OPEN, decided=TODAY + days(2))
    assert refused(STREAM, given(STREAM, REGISTERED), future) == (Reason.INVALID, "decided")
    unknown = ReviewCohort(7, "goes_on", "r", "s", TODAY)
    assert refused(STREAM, given(STREAM, REGISTERED), unknown) == (Reason.NOT_FOUND, "cohort")
    before = replace(OPEN, decided=TODAY - days(1))
    assert refused(STREAM, given(STREAM, REGISTERED, OPENED), before) == (Reason.INVALID, "decided")


def test_a_protocol_without_dose_levels_has_no_cohorts() -> None:
    plain = given(STREAM, ProtocolRegistered(**FIELDS))
    assert refused(STREAM, plain, OPEN) == (Reason.NOT_NOW, "type")
    assert when(STREAM, plain, TellCohort("a", 1, ends=True)) == [SubjectHeard("a", 1)]
    assert not {"escalates", "seats"} & set(read_model(STREAM, plain))


def test_many_may_say_what_was_opened_and_few_that_it_goes_on_after_harm() -> None:
    who = {role: [allow(Actor("p", role), action_of(c.__name__)) for c in (OpenCohort, ReviewCohort)] for role in Role}
    assert [role for role in Role if who[role][1]] == [role for role in Role if who[role] == [True, True]]
    assert any(opens and not reviews for opens, reviews in who.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": ()},
        {"levels": (LOW, LOW)},
        {"levels": (replace(LOW, name=" "),)},
        {"levels": (replace(LOW, cohort=0),)},
        {"levels": (replace(LOW, most=1),)},
        {"levels": (replace(LOW, doses=(CellDose(least=2, most=1),)),)},
        {"between_days": -1},
        {"toxicity_days": 367},
        {"between_days": 20, "after_first_days": 10},
    ],
)
def test_levels_that_no_cohort_could_be_opened_at_are_refused(wrong: dict[str, Any]) -> None:
    plan = replace(PLAN, **wrong)
    reason, field = refused(STREAM, given(STREAM), RegisterProtocol(**FIELDS, escalation=plan))
    assert (reason, field in ("escalation", "doses")) == (Reason.INVALID, True)
    assert when(STREAM, given(STREAM), RegisterProtocol(**FIELDS, escalation=PLAN)) == [REGISTERED]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda one: one.isoformat() if isinstance(one, date) else asdict(one)))


def test_places_come_back_from_a_read_model_as_they_were() -> None:
    trial = opened("a", "b")
    trial.case("a", infused=TODAY)
    trial.case("b", ready=True)
    assert tuple(map(seat_of, as_json(read_model(STREAM, trial.state)["seats"]))) == (trial.seat("a"), trial.seat("b"))
    row = parse_source_state(STREAM, as_json(read_model(STREAM, trial.state)))
    assert (row["escalates"], row["seats"]) == (True, (trial.seat("a"), trial.seat("b")))


RENAMED = replace(PLAN, levels=(replace(LOW, name="0", most=0), LOW))
"""A lower level is written before the first, and the second is no more."""
WORDS = st.tuples(
    st.sampled_from("abcdef"),
    st.fixed_dictionaries({}, optional={"ready": st.booleans(), "ends": st.booleans()}),
    st.sampled_from([None, 0, 3, 20, 40]),
    st.lists(st.integers(0, 60), max_size=2),
)
ASKED = st.lists(
    st.one_of(
        WORDS,
        st.tuples(st.just("open"), st.sampled_from(["1", "2"])),
        st.tuples(st.just("review"), st.integers(1, 4), st.sampled_from(["goes_on", "stopped"])),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("amend"), st.sampled_from([PLAN, RENAMED])),
    ),
    max_size=40,
)


@drawn(ASKED)
@draws(150)
def test_whatever_comes_no_cohort_has_more_than_it_takes_and_one_turn_at_most(asked: Iterable[Any]) -> None:
    trial = Trial()
    for word in asked:
        try:
            _one(trial, word)
        except Refused:
            continue
        book = trial.state.cohorts
        assert all(len(book.of(one.number)) <= one.size for one in book.cohorts)
        known = [trial.seat(one.case) for one in book.subjects if one.state != "left"]
        for cohort in book.cohorts:
            first = [one for one in known if one.cohort == cohort.number and one.state == "ready" and one.ahead == 0]
            assert len(first) <= 1
            if not plan_of(trial).rank(cohort.level):
                assert all(one.state == "infused" for one in known if one.cohort == cohort.number)
        assert all(one.cohort == 0 for one in book.subjects if one.state in ("waiting", "left"))


def plan_of(trial: Trial) -> Escalation:
    plan = trial.state.escalation
    assert plan is not None
    return plan


def _one(trial: Trial, word: Any) -> None:
    match word:
        case ("open", level):
            trial.cohort(level)
        case ("review", number, outcome):
            trial.tell(ReviewCohort(number, outcome, "r", "s", trial.now.date()))
        case ("amend", plan):
            amended(trial, plan)
        case ("wait", by):
            trial.now += days(by)
        case (case, stands, infused, limiting):
            on = None if infused is None else TODAY + days(infused)
            trial.case(case, **stands, infused=on, limiting=tuple(TODAY + days(n) for n in limiting))
        case _:
            raise AssertionError(word)
