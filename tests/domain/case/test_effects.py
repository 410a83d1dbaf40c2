"""Everything that is asked of the world: requested once, answered or given up, withdrawn when nobody wants it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.case.effect import (
    IMPLIED,
    Effect,
    EffectDelivered,
    EffectRefused,
    EffectRequested,
    EffectUnknown,
    EffectWithdrawn,
    MessageBounced,
)
from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.engine.agenda import UNHEARD_OF
from domain.journey import WANTS
from domain.stages.anytime.holding import HoldCase, ResumeCase
from domain.stages.anytime.notes import SettleEffect
from domain.stages.anytime.outcomes import RecordOutcome, ReportBounce
from domain.stages.follow_up.closing import ReopenCase
from domain.stages.records.records import RejectRecord, RequestRecord
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.safety import ReportMalignancy
from tests.domain.case.effect_scenes import SCENES
from tests.domain.course import item, start
from tests.domain.journey import HOUR, Journey, when

ROWS = {row.kind: row for row in WANTS}
ELSEWHERE = {"mark_unit_used"}
"""Asked on the lots' own streams; its own test below."""


def asked(kind: str) -> tuple[Journey, Effect]:
    j = start(SCENES[kind].at)
    SCENES[kind].ask(j)
    [effect] = [e for e in j.asked(kind) if e.state == "requested"]
    return j, effect


def state(j: Journey, e: Effect) -> str:
    return j.case.effects[e.id].state


def test_there_is_a_scene_for_everything_that_is_asked() -> None:
    assert set(SCENES) == {row.kind for row in WANTS} - ELSEWHERE


@pytest.mark.parametrize("kind", SCENES)
def test_it_is_asked_once_of_whom_the_table_says(kind: str) -> None:
    j, effect = asked(kind)
    assert effect.to is ROWS[kind].to
    assert effect in j.agenda.effects
    j.deliver()
    j.away(HOUR).look()
    assert len([e for e in j.asked(kind) if e.about == effect.about]) == 1
    assert state(j, effect) == "delivered"


@pytest.mark.parametrize("kind", [k for k, s in SCENES.items() if s.answer])
def test_an_answer_implies_delivery(kind: str) -> None:
    """The callback overtakes the retry that would have recorded the delivery."""
    j, effect = asked(kind)
    j.tell(RecordOutcome(effect.id, 1, "unknown"), ENGINE)
    answer = SCENES[kind].answer
    assert answer
    answer(j)
    assert state(j, effect) == "delivered"
    told = [f.event for f in j.facts if isinstance(f.event, EffectDelivered) and f.event.effect == effect.id]
    assert [e.receipt for e in told] == [IMPLIED]
    j.tell(RecordOutcome(effect.id, 2, "unknown"), ENGINE)
    assert state(j, effect) == "delivered"


@pytest.mark.parametrize("kind", [k for k, s in SCENES.items() if s.drop])
def test_it_is_withdrawn_when_nobody_wants_it_any_more(kind: str) -> None:
    j, effect = asked(kind)
    drop = SCENES[kind].drop
    assert drop
    drop(j)
    assert state(j, effect) == "withdrawn"
    assert effect.id not in {e.id for e in j.agenda.effects}


@pytest.mark.parametrize("kind", [k for k, s in SCENES.items() if s.drop is None])
def test_what_is_given_back_stays_wanted(kind: str) -> None:
    j, effect = asked(kind)
    if j.case.exit:
        j.tell(ReopenCase("they came back"))
    assert state(j, effect) == "requested"


# the life of one effect


def test_an_unknown_outcome_is_tried_again_ever_later_then_a_person_finds_out() -> None:
    j, effect = asked("hold_bed")
    waits = list(j.policy.retry_unknown)
    for n, pause in enumerate(waits, 1):
        when(j, RecordOutcome(effect.id, n, "unknown"))
        assert EffectUnknown(effect.id, n, j.now + pause) in j.last
        assert effect.id not in {e.id for e in j.agenda.effects}
        j.wait(by=pause, deliver=False)
        assert effect.id in {e.id for e in j.agenda.effects}
    when(j, RecordOutcome(effect.id, len(waits) + 1, "unknown"))
    assert EffectUnknown(effect.id, len(waits) + 1, None) in j.last
    assert effect.id not in {e.id for e in j.agenda.effects}
    assert j.owed("settle_effect").about == f"{effect.id}/{len(waits) + 1}"


def _stuck() -> tuple[Journey, Effect]:
    j, effect = asked("hold_bed")
    for n in range(1, len(j.policy.retry_unknown) + 2):
        j.away(7 * HOUR).tell(RecordOutcome(effect.id, n, "unknown"), ENGINE)
    return j, effect


def test_a_person_may_say_that_it_arrived() -> None:
    j, effect = _stuck()
    when(j, SettleEffect(effect.id, "delivered", by="person-1"))
    assert state(j, effect) == "delivered"
    assert j.all_owed("settle_effect") == []


def test_a_person_may_have_it_tried_again_under_the_same_id() -> None:
    j, effect = _stuck()
    when(j, SettleEffect(effect.id, "try_again"))
    assert effect.id in {e.id for e in j.agenda.effects}
    assert j.all_owed("settle_effect") == []
    assert len(j.asked("hold_bed")) == 1


def test_a_refusal_goes_to_a_person_who_asks_anew_or_lets_it_be() -> None:
    j, effect = asked("hold_bed")
    when(j, RecordOutcome(effect.id, 1, "refused", code="closed"))
    assert EffectRefused(effect.id, 1, "closed") in j.last
    assert len(j.all_owed("settle_effect")) == 1
    other = j.fork()
    when(j, SettleEffect(effect.id, "try_again"))
    assert [type(e) for e in j.last[:2]] == [EffectWithdrawn, EffectRequested]
    [again] = j.asked("hold_bed")
    assert again.id != effect.id
    when(other, SettleEffect(effect.id, "refused", by="person-1"))
    assert other.all_owed("settle_effect") == []
    when(other, SettleEffect(effect.id, "delivered")).then_refused(Reason.ALREADY, "a person has settled it")


def test_a_message_that_comes_back_goes_to_a_person_though_it_was_delivered() -> None:
    j, effect = asked("hold_bed")
    j.tell(RecordOutcome(effect.id, 1, "delivered", "250"), ENGINE)
    when(j, ReportBounce(effect.id, "5.1.1", "no such mailbox"))
    assert MessageBounced(effect.id, "5.1.1", "no such mailbox") in j.last
    assert len(j.all_owed("settle_effect")) == 1
    when(j, ReportBounce(effect.id, "5.1.1", "no such mailbox")).then()
    other = j.fork()
    when(j, SettleEffect(effect.id, "try_again"))
    assert [type(e) for e in j.last[:2]] == [EffectWithdrawn, EffectRequested]
    assert j.all_owed("settle_effect") == []
    when(other, SettleEffect(effect.id, "delivered", "by telephone", "person-1"))
    assert other.all_owed("settle_effect") == []


def test_what_comes_back_before_its_delivery_is_known_was_handed_in() -> None:
    j, effect = asked("hold_bed")
    when(j, ReportBounce(effect.id, "5.1.1"))
    assert state(j, effect) == "delivered"
    when(j, RecordOutcome(effect.id, 1, "delivered", "250")).then()
    assert len(j.all_owed("settle_effect")) == 1


def test_a_reminder_to_settle_that_itself_comes_back_asks_for_nothing_more() -> None:
    j, effect = asked("hold_bed")
    when(j, ReportBounce(effect.id, "5.1.1"))
    j.wait(until=j.owed("settle_effect").steps[0].at, deliver=False)
    reminders = [e for e in j.case.effects.values() if e.about.startswith(j.owed("settle_effect").id)]
    assert reminders
    for reminder in reminders:
        j.tell(ReportBounce(reminder.id, "5.1.1"), ENGINE)
    assert len(j.all_owed("settle_effect")) == 1


def test_only_what_is_in_doubt_is_settled() -> None:
    j, effect = asked("hold_bed")
    when(j, SettleEffect(effect.id, "delivered")).then_refused(Reason.NOT_NOW, "the effect is requested")
    when(j, SettleEffect("nothing", "delivered")).then_refused(Reason.NOT_FOUND, "no such effect in this case")
    when(j, RecordOutcome("nothing", 1, "delivered")).then_refused(Reason.NOT_FOUND, "no such effect in this case")


def test_a_late_certainty_ends_an_unknown_and_never_undoes_a_certainty() -> None:
    j, effect = asked("hold_bed")
    j.tell(RecordOutcome(effect.id, 1, "unknown"), ENGINE)
    when(j, RecordOutcome(effect.id, 1, "delivered", "R")).then(EffectDelivered(effect.id, 1, "R"))
    when(j, RecordOutcome(effect.id, 2, "refused", code="x")).then()
    when(j, RecordOutcome(effect.id, 2, "unknown")).then()


def test_what_was_withdrawn_and_arrived_all_the_same_is_known_to_have_arrived() -> None:
    j, effect = asked("hold_bed")
    j.tell(ReportDeath())
    when(j, RecordOutcome(effect.id, 1, "delivered", "R")).then(EffectDelivered(effect.id, 1, "R"))


def test_a_document_rejected_is_asked_for_again() -> None:
    j = start("received")
    when(j, RejectRecord(item(j), "illegible")).then_asks("request_record")
    assert [e.about for e in j.asked("request_record")] == [f"{item(j)}/1", f"{item(j)}/2"]


def test_nothing_new_is_asked_while_a_case_is_on_hold() -> None:
    j = start("records")
    j.tell(HoldCase("infection"))
    when(j, RequestRecord("labs")).then_asks()
    when(j, ResumeCase()).then_asks("request_record")


def test_an_alert_is_sent_though_the_case_is_on_hold() -> None:
    j = start("infused")
    j.tell(HoldCase("infection"))
    when(j, ReportMalignancy("T cell")).then_asks("tell_centre_of_alert", "look_back")


def test_nothing_is_asked_of_a_hospital_before_it_has_the_dossier() -> None:
    j = start("chosen")
    assert not [e for e in j.case.effects.values() if e.to == "hospital"]
    assert not [o for o in j.case.obligations.values() if o.debtor == "hospital"]


def test_a_retry_does_not_wake_the_case_before_its_time() -> None:
    j, effect = asked("hold_bed")
    j.tell(RecordOutcome(effect.id, 1, "unknown"), ENGINE)
    assert j.agenda.wake_at == j.now + timedelta(minutes=10)


def test_an_effect_of_which_nothing_comes_is_looked_after_again() -> None:
    """Whoever was to make it may be gone, with a Temporal that was wiped or a run that failed."""
    j, _ = asked("hold_bed")
    assert j.agenda.wake_at == j.now + UNHEARD_OF
    j.away(by=UNHEARD_OF)
    assert j.agenda.effects
    assert j.agenda.wake_at == j.now + UNHEARD_OF
    j.deliver()
    assert j.agenda.wake_at != j.now + UNHEARD_OF
