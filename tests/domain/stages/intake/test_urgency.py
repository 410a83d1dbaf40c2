"""Urgency acts: what opens afterwards is chased by the urgent set; what is open moves only when somebody says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.obligation import ObligationRedated
from domain.core.errors import Reason
from domain.stages.anytime.holding import Redate
from domain.stages.intake.inquiry import ReplyToFamily, SetUrgency, UrgencySet, repaced
from domain.stages.records.records import RequestRecord
from tests.domain.course import OPENED, STEPS, start
from tests.domain.journey import DAY, HOUR, Journey, when


def urgent(at: str) -> Journey:
    return start(at).tell(SetUrgency(True, "blasts rise", "keep"))


def test_an_urgent_inquiry_is_answered_within_hours_and_a_supervisor_called_in() -> None:
    j = Journey().tell(replace(OPENED, urgent=True))
    first = j.owed("first_reply")
    assert first.due == j.now + 4 * HOUR
    assert [(s.at - j.now, s.action) for s in first.steps] == [(HOUR, "remind"), (2 * HOUR, "escalate")]


def test_what_opens_after_the_marking_is_chased_by_the_urgent_set_and_what_was_open_is_not() -> None:
    j = urgent("asked_records")
    before = j.owed("record")
    j.away(HOUR).tell(RequestRecord("labs"))
    after = max(j.all_owed("record"), key=lambda o: o.opened_at)
    assert before.due - before.opened_at == 30 * DAY
    assert after.due - after.opened_at == 10 * DAY
    ordinary = start("asked_records").tell(RequestRecord("labs"))
    assert ordinary.all_owed("record")[-1].due - ordinary.now == 30 * DAY, "the control"


def test_a_change_lists_what_it_would_move_and_asks() -> None:
    j = start("asked_records")
    o = j.owed("record")
    [listed] = [m for m in repaced(j.case, True, j.now, j.policy) if m.obligation == o.id]
    assert listed.due == o.opened_at + 10 * DAY
    j.tried(SetUrgency(True, "blasts rise"))
    assert j.refused
    assert j.refused.reason is Reason.MISSING
    assert "record to " in j.refused.detail
    assert not j.case.urgent
    when(j, SetUrgency(True, "blasts rise", "move"))
    assert [e for e in j.decided if not isinstance(e, ObligationRedated)] == [UrgencySet(True, "blasts rise")]
    assert listed in j.decided
    assert j.owed("record").due == listed.due
    assert j.refold() == j.case


def test_kept_nothing_moves() -> None:
    j = start("asked_records")
    before = dict(j.case.obligations)
    when(j, SetUrgency(True, "blasts rise", "keep")).then_told(UrgencySet(True, "blasts rise"))
    assert j.case.obligations == before


def test_a_deadline_that_the_urgent_set_would_put_into_the_past_is_reckoned_from_now() -> None:
    j = start("asked_records").away(15 * DAY).look()
    j.tell(SetUrgency(True, "blasts rise", "move"))
    assert j.owed("record").due == j.now + 10 * DAY


def test_no_longer_urgent_the_ordinary_deadlines_come_back_when_somebody_says_so() -> None:
    j = start("asked_records")
    o = j.owed("record")
    j.tell(SetUrgency(True, "blasts rise", "move")).tell(SetUrgency(False, "stable again", "move"))
    assert j.owed("record").due == o.due


def test_what_a_person_set_stays() -> None:
    j = start("asked_records")
    o = j.owed("record")
    j.tell(Redate(o.id, j.now + 20 * DAY, "the father travels"))
    assert o.id not in {m.obligation for m in repaced(j.case, True, j.now, j.policy)}


def test_silence_does_not_close_an_urgent_case_sooner() -> None:
    j = Journey().tell(replace(OPENED, urgent=True)).tell(ReplyToFamily("call"))
    assert j.owed("family_reply").due - j.now == 30 * DAY


@given(st.sampled_from(sorted(STEPS)), st.integers(0, 40))
def test_becoming_urgent_never_puts_anything_off(at: str, days: int) -> None:
    j = start(at)
    for moved in repaced(j.case, True, j.now + timedelta(days=days), j.policy):
        assert moved.due <= j.case.obligations[moved.obligation].due


@pytest.mark.parametrize("urgent", [True, False])
def test_moved_to_what_it_is_already_nothing_is_listed(urgent: bool) -> None:
    j = start("asked_records")
    if urgent:
        j.tell(SetUrgency(True, "blasts rise", "move"))
    assert not repaced(j.case, urgent, j.now, j.policy)
