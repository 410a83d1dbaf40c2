"""A missed visit is looked for, way after way; a person records the loss, a sign of life takes it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import get_args

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.anytime.moving import StageEntered
from domain.stages.follow_up.follow_up import (
    ContactTried,
    EndFollowUp,
    FollowUpEnded,
    FollowUpResumed,
    RecordVisit,
    TryContact,
    VisitRecorded,
)
from domain.stages.follow_up.searching import (
    WAYS,
    Channel,
    ContactSkipped,
    SkipContact,
    Way,
    left_to_try,
    missed_since,
)
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.follow_up.searched import found, lose, miss_a_visit, try_everybody, try_family
from tests.drawing import draws

CHANNELS: tuple[Channel, ...] = get_args(Channel)

REFUSALS = (
    No("handed_over", SkipContact("hospital", " "), Reason.INVALID, "say why; a reason is never empty"),
    No(
        "handed_over", SkipContact("home_doctor", "none"), Reason.ALREADY, "it was tried, or passed over", try_everybody
    ),
    No(
        "handed_over",
        TryContact("call", answered=False),
        Reason.NOT_NOW,
        "follow-up is over; nobody is looked for",
        lambda j: j.tell(EndFollowUp("withdrawn")),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def reached(j: Journey) -> list[tuple[str, str]]:
    """Which ways are owed, and how each stands."""
    return [(o.about.split("/")[0], o.state) for o in j.case.obligations.values() if o.kind == "reach_family"]


def test_a_missed_visit_writes_to_the_family_and_asks_for_the_next_way() -> None:
    j = start("handed_over")
    assert (missed_since(j.case), reached(j)) == ("", []), "nothing was missed"
    missed = j.owed("visit").about
    miss_a_visit(j)
    assert missed_since(j.case) == missed
    [mail] = j.asked("ask_after_missed_visit")
    assert (mail.about, mail.to) == (missed, "family")
    assert reached(j) == [("family", "open")]


def test_the_mail_that_went_out_counts_as_an_attempt_unless_it_came_back() -> None:
    j = miss_a_visit(start("handed_over")).tell(TryContact("call", answered=False))
    j.tell(TryContact("call", answered=False))
    assert left_to_try(j.case)[0] == "family", "two calls, and a mail that is not out yet"
    j.deliver("ask_after_missed_visit")
    assert left_to_try(j.case)[0] == "second_contact"


def test_three_calls_are_one_channel_only() -> None:
    j = miss_a_visit(start("handed_over"))
    for _ in range(3):
        j.tell(TryContact("call", answered=False))
    assert left_to_try(j.case)[0] == "family"
    j.tell(TryContact("visit", answered=False))
    assert left_to_try(j.case)[0] == "second_contact"


def test_one_way_after_another_then_a_person_records_the_loss() -> None:
    j = miss_a_visit(start("handed_over"))
    when(try_family(j), SkipContact("second_contact", "named nobody")).then_told(
        ContactSkipped("second_contact", "named nobody")
    )
    when(j, EndFollowUp("lost")).then_refused(Reason.MISSING, "to be tried first (TryContact), or passed over")
    j.tell(TryContact("doctor", answered=False))
    assert reached(j) == [("family", "met"), ("second_contact", "met"), ("home_doctor", "met"), ("hospital", "open")]
    assert j.all_owed("lost_decision") == []
    j.tell(TryContact("hospital", answered=False))
    assert j.owed("lost_decision").state == "open"
    when(j, EndFollowUp("lost")).then_told(FollowUpEnded("lost", ""), StageEntered(Stage.CLOSED, Stage.FOLLOW_UP))
    assert not j.case.open


def test_a_sign_of_life_ends_the_search_and_the_next_visit_missed_begins_another() -> None:
    j = start("handed_over")
    first = j.owed("visit").about
    found(try_family(miss_a_visit(j)))
    assert (missed_since(j.case), left_to_try(j.case)) == ("", list(WAYS))
    assert reached(j) == [("family", "met"), ("second_contact", "met")]
    second = j.owed("visit").about
    miss_a_visit(j)
    assert missed_since(j.case) == second
    mails = [(e.about, e.state) for e in j.case.effects.values() if e.kind == "ask_after_missed_visit"]
    assert mails == [(first, "withdrawn"), (second, "requested")]


def test_a_visit_told_late_was_not_missed_by_the_family() -> None:
    j = start("handed_over")
    owed = j.owed("visit")
    miss_a_visit(j).away(3 * DAY).tell(RecordVisit(owed.about.split("/")[0], True, occurred=When.at(owed.due - DAY)))
    assert missed_since(j.case) == ""


def test_a_call_answered_before_the_visit_was_due_does_not_stand_in_for_it() -> None:
    j = start("handed_over")
    owed = j.owed("visit")
    j.wait(until=owed.due - 2 * DAY).tell(TryContact("call", answered=True))
    miss_a_visit(j)
    assert missed_since(j.case) == owed.about


@pytest.mark.parametrize(
    ("sign", "told"),
    [
        (TryContact("call", answered=True), ContactTried("call", answered=True)),
        (RecordVisit("", True, "well"), VisitRecorded("", True, "well", "")),
    ],
)
def test_whoever_was_lost_and_is_heard_of_is_followed_again(
    sign: TryContact | RecordVisit, told: ContactTried | VisitRecorded
) -> None:
    j = lose(start("handed_over")).away(400 * DAY)
    when(j, TryContact("mail", answered=False)).then(ContactTried("mail", answered=False))
    assert j.case.follow_up == "lost", "nobody answered"
    when(j, sign).then_told(told, FollowUpResumed())
    assert (j.case.stage, j.case.follow_up, j.case.open) == (Stage.FOLLOW_UP, "open", True)
    assert j.owed("visit").due > j.now, "what was missed while the family was lost stays missed"


def test_the_dead_are_not_looked_for() -> None:
    j = miss_a_visit(start("handed_over")).tell(ReportDeath("relapse"))
    assert j.all_owed() == []
    assert reached(j) == [("family", "withdrawn")]


@draws(60)
@drawn(st.lists(st.sampled_from(CHANNELS), max_size=12), st.sets(st.sampled_from(list(WAYS))))
def test_a_way_is_left_until_it_was_gone_or_passed_over(tried: list[Channel], skipped: set[Way]) -> None:
    known = replace(start("handed_over").case, tried=tuple(tried), skipped=dict.fromkeys(skipped, "a fact"))
    at_home = [c for c in tried if c in ("call", "mail", "message", "visit")]
    gone = {
        way
        for way, by in (("second_contact", "second_contact"), ("home_doctor", "doctor"), ("hospital",) * 2)
        if by in tried
    }
    gone |= {"family"} if len(at_home) >= 3 and len(set(at_home)) >= 2 else set()
    assert left_to_try(known) == [way for way in WAYS if way not in gone | skipped]
    for more in CHANNELS:  # one attempt more never brings a way back
        assert set(left_to_try(replace(known, tried=(*tried, more)))) <= set(left_to_try(known))


def test_an_answer_of_long_ago_told_now_is_no_news_of_today() -> None:
    j = start("handed_over")
    due: datetime = j.owed("visit").due
    miss_a_visit(j).tell(TryContact("call", answered=True, occurred=When.at(due - 5 * DAY)))
    assert missed_since(j.case), "heard of before the visit that was missed"
