"""Forgetting a person: two people, a reason, nobody to be reached any more, and what the law keeps stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.case.effect import EffectWithdrawn
from domain.case.erasure import ErasedClass, Tombstone
from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.core.policy import Party
from domain.core.when import When
from domain.engine.advance import advance
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.erasing import (
    LAPSES,
    CaseErased,
    ConfirmErasure,
    ErasureConfirmed,
    ErasureOrdered,
    ErasureWithdrawn,
    OrderErasure,
    RecordErasure,
    WithdrawErasure,
)
from domain.stages.anytime.notes import AddNote, AssignCase, SettleEffect
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.follow_up.closing import LeaveJourney, ReopenCase
from domain.stages.follow_up.follow_up import EndFollowUp, FollowUpEnded
from domain.stages.intake.inquiry import DiagnosisStated, StateDiagnosis
from domain.stages.records.results import ImportResults, Result
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.safety import ReportMalignancy
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

ORDER = OrderErasure("consent_withdrawn", stops="follow_up", note="by letter", by="person-8")
LAW = "Regulation (EC) No 1394/2007, Article 15"
CONFIRM = ConfirmErasure("", "person-9")
SILENT = replace(ORDER, note="")


def order(j: Journey) -> str:
    assert j.case.erasure
    return j.case.erasure.order


def left(j: Journey) -> None:
    j.tell(LeaveJourney("declined"))


def ordered(j: Journey) -> None:
    j.tell(ORDER)


def confirmed(j: Journey) -> None:
    ordered(j)
    j.tell(replace(CONFIRM, order=order(j)))


def erased(j: Journey) -> None:
    confirmed(j)
    j.tell(RecordErasure(order(j)), ENGINE)


def test_one_orders_another_confirms_the_keys_go_and_a_tombstone_says_on_whose_order() -> None:
    j = start("handed_over")
    both: tuple[ErasedClass, ...] = ("identity", "clinical")
    when(j, ORDER).then_told(
        ErasureOrdered(order(j), "consent_withdrawn", both, "follow_up", "by letter", "person-8", j.now + LAPSES)
    ).then_asks()
    when(j, replace(CONFIRM, order=order(j))).then_asks("erase_case")
    assert [e for e in j.last if isinstance(e, ErasureConfirmed | FollowUpEnded)] == [
        ErasureConfirmed(order(j), "person-9"),
        FollowUpEnded("withdrawn", ""),
    ]
    assert not j.case.erasure.erased  # type: ignore[union-attr]
    when(j, RecordErasure(order(j))).then_told(
        CaseErased(order(j), both, "consent_withdrawn", "person-8", "person-9", LAW)
    )
    assert [e.state for e in j.asked("erase_case")] == ["delivered"]
    assert j.case.stage is Stage.CLOSED
    assert not j.case.open


def test_what_the_law_lets_one_keep_is_kept() -> None:
    j = start("records")
    left(j)
    when(j, replace(ORDER, keep="trace_and_clinical"))
    assert j.case.erasure
    assert j.case.erasure.classes == ("identity",)
    j.tell(replace(CONFIRM, order=order(j))).tell(RecordErasure(order(j)), ENGINE)
    j.tell(StateDiagnosis("B-ALL"))
    when(j, AddNote("note", "a name")).then_refused(Reason.INVALID, "this person was erased")
    j.tell(SILENT)  # what was kept then can be forgotten later
    j.tell(replace(CONFIRM, order=order(j))).tell(RecordErasure(order(j)), ENGINE)
    assert j.case.erasure.erased == {"identity", "clinical"}


def test_from_the_confirmation_on_nothing_goes_to_the_family_and_nothing_waits_for_them_for_ever() -> None:
    j = start("records")
    left(j)
    [word] = j.asked("tell_family_of_exit")
    j.tell(RecordOutcome(word.id, 1, "refused", code="no_address"), ENGINE)
    assert j.all_owed("settle_effect")
    when(j, ORDER).then_asks()
    assert j.case.effects[word.id].state == "refused", "an order alone changes nothing"
    j.tell(replace(CONFIRM, order=order(j)))
    assert EffectWithdrawn(word.id) in j.last
    assert j.asked("tell_family_of_exit") == []
    j.tell(RecordErasure(order(j)), ENGINE).away(400 * DAY).look()
    assert not [e for e in j.case.effects.values() if e.state in ("requested", "unknown", "refused")]
    assert not j.all_owed()
    assert advance(j.case, j.now, j.ids, j.policy) == []


def test_an_order_lapses_and_can_be_taken_back_and_is_given_anew() -> None:
    j = start("records")
    left(j)
    ordered(j)
    when(j, WithdrawErasure(order(j), "person-8")).then_told(ErasureWithdrawn(order(j), "person-8"))
    ordered(j)
    j.away(LAPSES).look()
    ordered(j)
    j.tell(replace(CONFIRM, order=order(j)))


def test_a_dead_patient_s_case_is_erased_after_its_follow_up() -> None:
    j = start("handed_over")
    j.tell(ReportDeath("", None))
    when(j, replace(ORDER, stops="nothing")).then_asks()
    assert j.case.erasure


def test_the_deed_is_recorded_once_however_often_it_is_told() -> None:
    j = start("records")
    left(j)
    erased(j)
    when(j, RecordErasure(order(j))).then()


def test_a_ledger_put_back_to_before_it_is_told_again_what_was_erased_and_on_whose_order() -> None:
    j = start("records")
    both: tuple[ErasedClass, ...] = ("identity", "clinical")
    stone = Tombstone("order-1", both, "objection", "person-8", "person-9", j.now - DAY)
    again = RecordErasure(stone.order, stone)
    when(j, again).then_told(CaseErased("order-1", both, "objection", "person-8", "person-9", LAW))
    assert [f.occurred for f in j.facts if isinstance(f.event, CaseErased)] == [When.at(stone.at)]
    assert j.case.erasure
    assert j.case.erasure.erased == set(both)
    assert j.case.erasure.confirmed_by == "person-9"
    assert j.case.open, "nothing else is made up: the journey is ended by people"
    assert not [e for e in j.agenda.effects if e.to in (Party.FAMILY, Party.HOME_ONCOLOGIST)]
    when(j, again).then()
    when(j, SILENT).then_refused(Reason.ALREADY, "this was erased before")


def test_what_the_ledger_still_has_to_do_is_done_with_that() -> None:
    j = start("records")
    left(j)
    confirmed(j)
    assert j.all_owed("key_destruction")
    known = j.case.erasure
    assert known
    stone = Tombstone(known.order, known.classes, known.reason, "person-8", "person-9", j.now)
    j.tell(RecordErasure(known.order, stone), ENGINE)
    assert [e.state for e in j.asked("erase_case")] == ["delivered"]
    assert not j.all_owed()


def test_the_month_runs_from_the_first_order_and_ends_with_an_answer() -> None:
    j = start("handed_over")
    ordered(j)
    due = j.owed("erasure_confirmation").due
    assert due - j.now <= 28 * DAY
    j.away(LAPSES).look()
    ordered(j)
    assert [o.due for o in j.all_owed("erasure_confirmation")] == [due]
    j.away(LAPSES).look()
    assert j.all_owed("erasure_confirmation") == []
    assert j.owed("chase").about.startswith("erasure_confirmation:")
    j.tell(WithdrawErasure(order(j), "person-8"))
    assert not [o for o in j.all_owed() if "erasure_confirmation" in (o.kind, o.about.split(":")[0])]


STAGES = ("opened", "records", "eligibility", "visa", "admission", "lymphodepletion", "infusion", "infused")


@pytest.mark.parametrize("name", STAGES)
def test_nobody_is_forgotten_on_the_way(name: str) -> None:
    j = start(name)
    when(j, ORDER).then_refused(Reason.NOT_NOW, f"the journey goes on, at {j.case.stage}: it needs the contacts")


def _reopened_after_the_order(j: Journey) -> None:
    left(j)
    ordered(j)
    j.tell(ReopenCase("they came back"))


def _taken_back(j: Journey) -> None:
    ordered(j)
    j.tell(WithdrawErasure(order(j), "person-8"))


def _lapsed(j: Journey) -> None:
    ordered(j)
    j.away(LAPSES)


def _diagnosed(j: Journey) -> None:
    j.tell(StateDiagnosis("ALL"))
    confirmed(j)


def _settled(j: Journey, outcome: str) -> SettleEffect:
    [effect] = j.asked("erase_case")
    return SettleEffect(effect.id, outcome)  # type: ignore[arg-type]


def _nobody_knows(j: Journey) -> None:
    left(j)
    confirmed(j)
    [effect] = j.asked("erase_case")
    j.tell(RecordOutcome(effect.id, 1, "unknown"), ENGINE)


def test_a_deed_nobody_knows_of_is_tried_again_by_whoever_settles_it() -> None:
    j = start("records")
    _nobody_knows(j)
    j.tell(_settled(j, "try_again"))
    assert [e.kind for e in j.agenda.effects] == ["erase_case"]


IMPORT = ImportResults(
    form="csv",
    results=(Result(analyte="lvef", value="57", unit="%", occurred=When.on(date(2026, 1, 5))),),
)
REFUSALS = (
    No("records", ORDER, Reason.NOT_NOW, "the journey goes on, at records: it needs the contacts; leave it first"),
    No("arrived", ORDER, Reason.NOT_NOW, "the patient is still away from home for the treatment; record", left),
    No("handed_over", ORDER, Reason.NOT_NOW, "a safety alert is open: what is dangerous is told first",
       lambda j: j.tell(ReportMalignancy("T cell"))),
    No("handed_over", replace(ORDER, stops="nothing"), Reason.NOT_NOW,
       "the follow-up is open: end it, or say that it is stopped"),
    No("handed_over", ORDER, Reason.ALREADY, "an order stands already; confirm or withdraw that one", ordered),
    No("handed_over", SILENT, Reason.ALREADY, "an order stands already; confirm or withdraw that one", confirmed),
    No("handed_over", SILENT, Reason.ALREADY, "this was erased before", erased),
    No("handed_over", CONFIRM, Reason.NOT_FOUND, "no such order in this case"),
    No("handed_over", lambda j: ConfirmErasure(order(j), "person-8"), Reason.FOUR_EYES,
       "nobody confirms an order of their own", ordered),
    No("handed_over", lambda j: replace(CONFIRM, order=order(j)), Reason.ALREADY, "the order was confirmed before",
       confirmed),
    No("handed_over", lambda j: replace(CONFIRM, order=order(j)), Reason.ALREADY, "the order was withdrawn",
       _taken_back),
    No("handed_over", lambda j: replace(CONFIRM, order=order(j)), Reason.LAPSED, "the order lapsed on 20",
       _lapsed),
    No("records", lambda j: replace(CONFIRM, order=order(j)), Reason.NOT_NOW, "the journey goes on, at records",
       _reopened_after_the_order),
    No("handed_over", lambda j: WithdrawErasure(order(j)), Reason.ALREADY, "the order was confirmed before", confirmed),
    No("handed_over", lambda j: RecordErasure(order(j)), Reason.NOT_FOUND, "no such confirmed order in this case",
       ordered),
    No("handed_over", ReopenCase("came back"), Reason.IRREVERSIBLE, "this person was erased; open a new case",
       confirmed),
    No("handed_over", AssignCase("person-1", "", "a name"), Reason.INVALID,
       "this person was erased: nothing of that kind is kept; leave it empty", erased),
    No("handed_over", lambda j: CorrectFact(j.newest(DiagnosisStated), StateDiagnosis("AML"), "typo"), Reason.INVALID,
       "this person was erased: nothing of that kind is kept; leave it empty",
       _diagnosed),
    No("handed_over", IMPORT, Reason.INVALID, "this person was erased: nothing of that kind is kept", erased),
    No("records", lambda j: _settled(j, "delivered"), Reason.NOT_NOW,
       "only the engine can tell that keys are destroyed; try again", _nobody_knows),
)  # fmt: skip


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_an_order_that_only_waits_refuses_nothing_else() -> None:
    j = start("handed_over")
    ordered(j)
    j.tell(AddNote("note", "they called")).tell(EndFollowUp("transferred"))
