"""A new policy: open obligations keep their instants until somebody applies it, and then only what it may move."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from domain.case.obligation import ObligationRedated
from domain.core.errors import Reason
from domain.core.policy import Ladder, Policy, Span
from domain.stages.anytime.holding import ApplyPolicy, HoldCase, Redate, ResumeCase, Snooze, reckoned_by
from domain.stages.records.records import RequestRecord
from tests.domain.course import start
from tests.domain.journey import DAY, HOUR, Journey, stretched, when

REASON = "new holidays of 2027"
TWICE = stretched(2)


def applied(j: Journey, policy: Policy = TWICE) -> Journey:
    j.policy = policy
    return j.tell(ApplyPolicy(policy.hash, REASON))


def test_a_new_policy_alone_moves_nothing() -> None:
    j = start("asked_records")
    before = j.owed("record")
    j.policy = TWICE
    j.look()
    assert j.owed("record") == before
    j.tell(RequestRecord("labs"))
    assert max(o.due for o in j.all_owed("record")) > before.due + 29 * DAY, "what is opened from now on has its spans"


def test_applied_it_reckons_from_the_opening_and_keeps_who_owes_what() -> None:
    j = start("asked_records")
    o = j.owed("record")
    j.away(4 * DAY).look().deliver()  # the reminder of day 3 went out
    taken = j.owed("record").done
    j.policy = TWICE
    ahead = tuple(replace(s, at=o.opened_at + 2 * (s.at - o.opened_at)) for s in o.steps)
    when(j, ApplyPolicy(TWICE.hash, REASON)).then(
        ObligationRedated(o.id, o.opened_at + 60 * DAY, ahead, REASON, None, TWICE.hash)
    )
    moved = j.owed("record")
    assert (moved.id, moved.debtor, moved.opened_at) == (o.id, o.debtor, o.opened_at)
    assert len(moved.done) == len(taken) == 1, "what was sent stays sent"
    assert j.refold() == j.case


def test_applied_again_it_moves_nothing_more() -> None:
    j = applied(start("asked_records"))
    when(j, ApplyPolicy(TWICE.hash, REASON)).then()


def test_the_list_is_what_is_then_recorded() -> None:
    j = start("asked_records")
    listed = reckoned_by(j.case, j.now, TWICE, REASON)
    assert listed
    assert applied(j).last == listed


def test_what_people_have_set_stays() -> None:
    hands: tuple[Callable[[Journey], object], ...] = (
        lambda j: j.tell(Redate(j.owed("record").id, j.owed("record").due + DAY, "agreed")),
        lambda j: j.tell(Snooze(j.owed("record").id, j.now + 4 * DAY, "ill")),
        lambda j: j.tell(HoldCase("infection")).away(DAY).tell(ResumeCase()),
    )
    for set_by_hand in hands:
        j = start("asked_records")
        set_by_hand(j)
        kept = j.owed("record")
        assert applied(j).owed("record") == kept


def test_what_waits_while_the_case_is_on_hold_stays() -> None:
    j = start("asked_records").tell(HoldCase("infection"))
    kept = j.owed("record")
    applied(j)
    assert j.owed("record") == kept
    assert [e.obligation for e in j.last if isinstance(e, ObligationRedated)] == [j.owed("hold_review").id]


def test_nobody_is_late_by_a_new_rule() -> None:
    j = start("asked_records").away(3 * DAY)
    short = {**j.policy.ladders, "record": Ladder(Span(2, "days"))}
    j.look().deliver()
    kept = j.owed("record")
    assert applied(j, replace(j.policy, hash="short", ladders=short)).owed("record") == kept


def test_a_date_of_the_world_stays_and_only_its_reminders_move() -> None:
    j = start("visa")
    lease = j.owed("dose_hold_renewal")
    ladders = {**j.policy.ladders}
    renewal = ladders["dose_hold_renewal"]
    ladders["dose_hold_renewal"] = replace(
        renewal, rungs=tuple(replace(r, after=Span(2 * r.after.amount, r.after.unit)) for r in renewal.rungs)
    )
    moved = applied(j, replace(j.policy, hash="earlier", ladders=ladders)).owed("dose_hold_renewal")
    assert moved.due == lease.due
    assert [lease.due - s.at for s in moved.steps] == [2 * (lease.due - s.at) for s in lease.steps]


def test_a_chase_keeps_its_place_among_ever_longer_ones() -> None:
    j = start("eligibility")
    j.wait(by=60 * DAY)
    again = j.all_owed("chase_again")
    assert again
    applied(j, replace(j.policy, hash="the same under another name"))
    assert not [e for e in j.last if isinstance(e, ObligationRedated)]


def test_a_new_calendar_moves_working_days() -> None:
    j = start("submitted")
    before = j.owed("hospital_decision")
    china = j.policy.calendar("CN")
    closed = replace(china, holidays=china.holidays | {(before.due - HOUR).date()})
    moved = applied(j, replace(j.policy, hash="closed", calendars={**j.policy.calendars, "CN": closed}))
    assert timedelta(0) < moved.owed("hospital_decision").due - before.due <= 4 * DAY


def test_refused() -> None:
    j = start("asked_records")
    when(j, ApplyPolicy("0" * 64, REASON)).then_refused(Reason.STALE, "another policy is in use here by now")
    when(j, ApplyPolicy(j.policy.hash, "")).then_refused(Reason.INVALID, "deadlines move for a reason")


def test_the_ledgers_clock_runs_on_while_a_fact_is_written_and_moves_nothing() -> None:
    j = start("asked_records")
    j.facts = [replace(f, at=f.at + timedelta(milliseconds=7)) for f in j.facts]
    j.case = j.refold()
    assert reckoned_by(j.case, j.now, j.policy, REASON) == []
