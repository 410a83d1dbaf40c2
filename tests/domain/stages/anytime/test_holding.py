"""The clock in people's hands: hold, resume, snooze, redate; and what a correction or a reopening moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.case.obligation import ObligationRedated
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.holding import HoldCase, Redate, ResumeCase, Snooze
from domain.stages.anytime.notes import AssignCase
from domain.stages.follow_up.closing import ReopenCase
from domain.stages.intake.inquiry import OpenCase
from domain.stages.records.records import RequestRecord
from domain.stages.treatment.infusion import InfusionCompleted, RecordInfusion
from tests.domain.case.obligation_scenes import scene, stands
from tests.domain.course import OPENED, STEPS, UNIT, start
from tests.domain.journey import DAY, HOUR, given, when


def test_a_hold_silences_everything_but_its_own_review_and_alerts() -> None:
    j, o = scene("invitation_letter")
    before = set(j.case.effects)
    j.tell(HoldCase("infection"))
    j.wait(by=60 * DAY)
    assert stands(j, o) == "open"
    asked = [e for e in j.case.effects.values() if e.id not in before]
    abouts = {j.case.obligations[e.about.split("/")[0]] for e in asked}
    assert {(x.kind, x.about) for x in abouts} == {
        ("hold_review", "1"),
        ("chase", "hold_review:1"),
        ("chase_again", "hold_review:1"),
    }


def test_resuming_puts_off_what_was_counted_and_leaves_what_ends_in_the_world() -> None:
    j = start("visa")
    counted, lease = j.owed("invitation_letter"), j.owed("dose_hold_renewal")
    j.tell(HoldCase("infection")).away(3 * DAY)
    when(j, ResumeCase())
    assert j.owed("invitation_letter").due == counted.due + 3 * DAY
    assert [s.at for s in j.owed("invitation_letter").steps] == [s.at + 3 * DAY for s in counted.steps]
    assert j.owed("dose_hold_renewal").due == lease.due


def test_what_was_opened_during_a_hold_is_put_off_only_by_its_own_waiting() -> None:
    j = start("records")
    j.tell(HoldCase("infection")).away(4 * DAY).tell(RequestRecord("labs"))
    asked = j.owed("record")
    j.away(2 * DAY).tell(ResumeCase())
    assert j.owed("record").due == asked.due + 2 * DAY


def test_a_snooze_moves_reminders_and_nothing_else() -> None:
    j, o = scene("stay_end")
    until = o.steps[0].at + DAY + HOUR
    when(j, Snooze(o.id, until, "away"))
    snoozed = j.owed("stay_end")
    assert snoozed.due == o.due
    assert [s for s in snoozed.steps if s.action == "escalate"] == [s for s in o.steps if s.action == "escalate"]
    assert min(s.at for s in snoozed.steps if s.action == "remind") == until


def test_a_snooze_ends_before_the_deadline_and_after_now() -> None:
    j, o = scene("invitation_letter")
    when(j, Snooze("nothing", j.now + HOUR, "x")).then_refused(Reason.NOT_FOUND, "no such obligation in this case")
    when(j, Snooze(o.id, j.now, "x")).then_refused(Reason.INVALID, "that lies in the past")
    when(j, Snooze(o.id, o.due, "x")).then_refused(
        Reason.INVALID, "a snooze ends before the deadline; redate it instead"
    )


def test_redating_moves_a_deadline_and_its_steps() -> None:
    j, o = scene("invitation_letter")
    when(j, Redate(o.id, o.due + 5 * DAY, "holiday")).then(
        ObligationRedated(o.id, o.due + 5 * DAY, tuple(replace(s, at=s.at + 5 * DAY) for s in o.steps), "holiday", None)
    )
    when(j, Redate(o.id, o.steps[0].at - HOUR, "sooner"))
    assert j.owed("invitation_letter").steps == ()
    when(j, Redate(o.id, j.now, "x")).then_refused(Reason.INVALID, "a deadline lies ahead")


def test_redating_sooner_never_drops_who_is_called_in() -> None:
    j, o = scene("stay_end")
    sooner = o.steps[0].at
    j.tell(Redate(o.id, sooner, "flight"))
    assert [(s.action, s.at) for s in j.owed("stay_end").steps] == [("escalate", sooner)] * 2


def test_what_is_over_is_neither_snoozed_nor_redated() -> None:
    j, o = scene("invitation_letter")
    STEPS["invited"](j)
    when(j, Snooze(o.id, j.now + HOUR, "x")).then_refused(Reason.NOT_NOW, "the obligation is met")


def test_a_corrected_day_0_moves_what_counts_from_it() -> None:
    j = start("handed_over")
    visit = j.owed("visit")
    day_0 = j.case.infusions[0].occurred.earliest
    assert day_0
    earlier = When.at(day_0 - 2 * DAY)
    j.tell(CorrectFact(j.newest(InfusionCompleted), RecordInfusion(UNIT, "1e8", earlier), "mistyped"))
    assert j.owed("visit").id == visit.id
    assert j.owed("visit").due == visit.due - 2 * DAY
    assert [e for e in j.last if isinstance(e, ObligationRedated)]


def test_an_unanswered_inquiry_closes_and_asks_anew_when_reopened() -> None:
    j = start("answered")
    j.wait(by=40 * DAY)
    assert (j.case.stage, j.case.exit) == ("closed", "no_response")
    j.tell(ReopenCase("they called"))
    assert j.case.stage == "inquiry"
    assert j.owed("family_reply").due > j.now
    assert [o.state for o in j.case.obligations.values() if o.kind == "family_reply"] == ["missed", "open"]


def test_nobody_is_owed_anything_before_there_is_a_case() -> None:
    assert given().look().facts == []
    with pytest.raises(AssertionError, match="was refused"):
        given().tell(AssignCase("person-1", ""))
    assert isinstance(OPENED, OpenCase)
