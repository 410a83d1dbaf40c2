"""Writing to the family, the doctor at home and hospitals: to whom, with which consent, and what comes back."""

from __future__ import annotations

import pytest

from domain.case.messages.threads import DOCTOR, FAMILY
from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.anytime.holding import HoldCase
from domain.stages.intake.people import ChangeContact, WithdrawConsent
from domain.stages.messages.writing import (
    MessageReceived,
    MessageSent,
    ReceiveMessage,
    SendMessage,
    SettleThread,
    ThreadSettled,
)
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import CENTRE, DOCUMENT, patient, start
from tests.domain.journey import DAY, HOUR, Journey
from tests.domain.refusals import No
from tests.domain.stages.messages.any_message import (
    centre,
    come,
    doctor_agreed,
    doctor_not_agreed,
    hospital_not_shared,
    write,
)

REFUSALS = [
    No("admission", SendMessage(FAMILY, " "), Reason.INVALID, "an empty message says nothing"),
    No("admission", ReceiveMessage("", FAMILY), Reason.INVALID, "an empty message says nothing"),
    No(
        "admission", ReceiveMessage("", FAMILY, "0" * 64), Reason.NOT_FOUND, "no such file in this case; store it first"
    ),
    No("admission", SettleThread(FAMILY), Reason.NOT_NOW, "nothing in this thread waits for anybody"),
    No("admission", ReceiveMessage("x", FAMILY, by=CENTRE), Reason.NOT_ALLOWED, "one writes in one's own thread only"),
    No("admission", ReceiveMessage("x"), Reason.INVALID, "name who wrote: "),
    No("admission", ReceiveMessage("x", by="centre-b"), Reason.NOT_FOUND, "nobody of this case: choose who wrote"),
]


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def refusal(j: Journey) -> tuple[Reason, str | None]:
    assert j.refused
    return j.refused.reason, j.refused.field


def no_consent(j: Journey) -> None:
    j.tell(WithdrawConsent("data_processing", patient(j)))


def no_address(j: Journey) -> None:
    j.tell(ChangeContact(patient(j), "", "+91 22 5550", "Asia/Kolkata", "hi"))


def agreed_once(j: Journey) -> None:
    doctor_agreed(j)
    doctor_not_agreed(j)


def test_what_is_written_is_said_by_mail_to_the_family_once() -> None:
    j = start("admission")
    write()(j)
    assert [type(e) for e in j.decided] == [MessageSent]
    [effect] = j.asked("write_to_family")
    assert effect.to is Party.FAMILY
    j.deliver()
    j.away(3 * DAY).look()
    assert len(j.asked("write_to_family")) == 1


@pytest.mark.parametrize(
    ("thread", "before", "reason"),
    [
        (FAMILY, no_consent, Reason.MISSING),
        (FAMILY, no_address, Reason.MISSING),
        (FAMILY, lambda j: j.tell(ReportDeath()), Reason.NOT_NOW),
        (DOCTOR, lambda _: None, Reason.MISSING),
        (DOCTOR, agreed_once, Reason.MISSING),
        (CENTRE, hospital_not_shared, Reason.MISSING),
        ("centre-b", lambda _: None, Reason.NOT_FOUND),
    ],
)
def test_nobody_is_written_to_without_consent_or_address(thread: str, before: object, reason: Reason) -> None:
    j = start("admission")
    before(j)  # type: ignore[operator] # a step
    j.tried(SendMessage(thread, "How are you?"))
    assert refusal(j) == (reason, "thread")
    assert not j.case.messages


@pytest.mark.parametrize(("thread", "before"), [(FAMILY, None), (DOCTOR, doctor_agreed), (CENTRE, None)])
def test_control_with_consent_and_address_they_are(thread: str, before: object) -> None:
    j = start("admission")
    if before is not None:
        before(j)  # type: ignore[operator] # a step
    j.tell(SendMessage(thread, "How are you?"))
    assert [m.thread for m in j.case.messages.values()] == [thread]


def test_a_mail_that_has_not_left_is_withdrawn_with_the_consent() -> None:
    j = start("admission")
    j.tell(SendMessage(centre(j), "Which day suits you?"))
    hospital_not_shared(j)
    assert [e.state for e in j.case.effects.values() if e.kind == "write_to_centre"] == ["withdrawn"]


def test_whoever_writes_is_in_their_own_thread_and_in_no_other() -> None:
    j = start("admission")
    j.tell(ReceiveMessage("Monday.", by=CENTRE), CENTRE)
    j.tell(ReceiveMessage("We are well.", by=f"family-of-{j.case.id}"))
    assert [m.thread for m in j.case.messages.values()] == [CENTRE, FAMILY]


def test_what_came_is_owed_once_for_a_thread_until_it_is_answered_or_seen_to() -> None:
    j = start("admission")
    come()(j)
    assert isinstance(j.decided[0], MessageReceived)
    first = j.owed("incoming_message")
    assert (first.debtor, first.about) == (Party.COORDINATOR, next(iter(j.case.messages)))
    come()(j)
    assert [o.id for o in j.all_owed("incoming_message")] == [first.id], "one debt for what waits"
    write()(j)
    assert not j.all_owed("incoming_message")
    come()(j)
    second = j.owed("incoming_message")
    assert second.id != first.id
    j.tell(SettleThread(FAMILY))
    assert [type(e) for e in j.decided] == [ThreadSettled]
    assert j.case.obligations[second.id].state == "met"


def test_nobody_looks_and_a_supervisor_is_called_in() -> None:
    j = start("admission")
    come()(j)
    for _ in range(40):
        j.away(6 * HOUR).look()
    assert {e.to for e in j.asked("remind")} >= {Party.COORDINATOR}
    assert Party.SUPERVISOR in {e.to for e in j.asked("escalate")}


def test_messages_go_on_while_the_case_is_held() -> None:
    j = start("admission")
    j.tell(HoldCase("the visa waits"))
    write()(j)
    assert [e.state for e in j.agenda.effects if e.kind == "write_to_family"] == ["requested"]
    come()(j)
    assert j.all_owed("incoming_message")


def test_a_closed_case_still_takes_messages() -> None:
    j = start("admission")
    j.tell(ReportDeath())
    come()(j)
    assert j.owed("incoming_message").debtor is Party.COORDINATOR
    assert j.case.stage in (Stage.FOLLOW_UP, Stage.CLOSED)


def test_a_file_that_came_along_is_one_of_the_case() -> None:
    j = start("admission")
    j.tell(ReceiveMessage("", FAMILY, DOCUMENT))
    assert [m.document for m in j.case.messages.values()] == [DOCUMENT]


def test_a_case_without_messages_owes_and_asks_nothing() -> None:
    """Cases of before these commands: nothing opens at the upgrade."""
    j = start("handed_over")
    j.away(DAY).look()
    assert not j.all_owed("incoming_message")
    assert not [e for e in j.case.effects.values() if e.kind.startswith("write_to")]
