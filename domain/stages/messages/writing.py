"""Writes to the family, the doctor at home and hospitals, and takes what they answer [people.messages].

The mail says that there is a message, never what it is: that is read behind its link with a code, or by the hospital's
own system. Nothing is sent to somebody whom the family has not agreed to share with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import notice
from domain.case.messages.threads import DOCTOR, FAMILY, Message
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.names import visible
from domain.core.personal import Identity, Unread
from domain.core.policy import Party, Policy
from domain.stages.eligibility.submissions import may_receive

TO_FAMILY, TO_DOCTOR, TO_CENTRE = "write_to_family", "write_to_doctor", "write_to_centre"
WRITES = (TO_FAMILY, TO_DOCTOR, TO_CENTRE)
"""The effects that say there is a message."""
CENTRE = "centre-"


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Write to the family, the doctor at home or a hospital. `thread` is `family`, `home_oncologist` or a centre.

    The text is read behind a mailed link with a code, or in the hospital's own system; the mail itself does not say it.
    """

    thread: str
    text: Identity
    type: Literal["SendMessage"] = "SendMessage"


@dataclass(frozen=True, slots=True)
class ReceiveMessage:
    """Somebody outside wrote to us; `thread` is empty where they say it themselves.

    `document`: the name of a file of the case that came along.
    """

    text: Identity
    thread: str = ""
    document: str = ""
    by: str = ""
    type: Literal["ReceiveMessage"] = "ReceiveMessage"


@dataclass(frozen=True, slots=True)
class SettleThread:
    """What came in this thread is seen to and needs no answer."""

    thread: str
    type: Literal["SettleThread"] = "SettleThread"


Command = SendMessage | ReceiveMessage | SettleThread


@dataclass(frozen=True, slots=True)
class MessageSent:
    """Somebody of the service wrote to the family, the doctor at home or a hospital."""

    message: str
    thread: str
    text: Identity
    type: Literal["MessageSent"] = "MessageSent"


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """Somebody outside wrote to the service."""

    message: str
    thread: str
    text: Identity
    document: str
    type: Literal["MessageReceived"] = "MessageReceived"


@dataclass(frozen=True, slots=True)
class ThreadSettled:
    """What came in a thread was seen to without an answer."""

    thread: str
    type: Literal["ThreadSettled"] = "ThreadSettled"


Event = MessageSent | MessageReceived | ThreadSettled

TAKES = (
    Takes(SendMessage, (MessageSent,), at=EVERY_STAGE, settles=("incoming_message",)),
    Takes(ReceiveMessage, (MessageReceived,), at=EVERY_STAGE, over_fhir=True, answers=WRITES),
    Takes(SettleThread, (ThreadSettled,), at=EVERY_STAGE, settles=("incoming_message",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about messages: return the events it brings about. Raises Refused."""
    match command:
        case SendMessage():
            _require_said(command.text)
            if why := why_not_written(case, command.thread):
                reason, words = why
                raise Refused(reason, words, "thread")
            return [MessageSent(ids(), command.thread, command.text)]
        case ReceiveMessage():
            thread = _thread_of(case, command)
            require(command.document or _said(command.text), Reason.INVALID, "an empty message says nothing", "text")
            known = not command.document or command.document in case.stored
            require(known, Reason.NOT_FOUND, "no such file in this case; store it first", "document")
            return [MessageReceived(ids(), thread, command.text, command.document)]
        case SettleThread():
            waits = command.thread in case.unanswered
            require(waits, Reason.NOT_NOW, "nothing in this thread waits for anybody", "thread")
            return [ThreadSettled(command.thread)]
        case _:
            assert_never(command)


def _said(text: Identity) -> bool:
    return isinstance(text, Unread) or bool(visible(text))


def _require_said(text: Identity) -> None:
    require(_said(text), Reason.INVALID, "an empty message says nothing", "text")


def why_not_written(case: Case, thread: str) -> tuple[Reason, str] | None:
    """Return why nothing may be written in a thread: reason and words; None = it may."""
    if case.forgotten:
        return Reason.LAPSED, "the person of this case is being forgotten; nothing is written any more"
    if thread == FAMILY:
        return _not_family(case)
    if thread == DOCTOR:
        return _not_doctor(case)
    if thread not in {s.centre for s in case.submissions.values() if s.round}:
        told = "choose the family, the doctor at home, or a hospital that a dossier of this case was submitted to"
        return Reason.NOT_FOUND, told
    if not may_receive(case, thread):
        return Reason.MISSING, "the consent to share with this hospital does not stand: record it first"
    return None


def _not_family(case: Case) -> tuple[Reason, str] | None:
    if case.died:
        return Reason.NOT_NOW, "after a death nobody of the family is written to by mail; call them"
    if case.family_reader is None:
        return Reason.MISSING, "nobody of the family has a mail address: give one with ChangeContact"
    consent = case.consents.get("data_processing:")
    if consent is not None and not consent.given:
        return Reason.MISSING, "the family took back the consent to process data; call them"
    return None


def _not_doctor(case: Case) -> tuple[Reason, str] | None:
    doctor = case.home_doctor
    if doctor is None or not doctor.mail:
        return Reason.MISSING, "no doctor at home has a mail address: add one, or give it with ChangeContact"
    if not case.shares_with_doctor:
        return Reason.MISSING, "the consent to share with the doctor at home does not stand: record it first"
    return None


def _thread_of(case: Case, c: ReceiveMessage) -> str:
    """The thread of who wrote, or the one a coordinator names for them. Raises Refused."""
    own = {f"{FAMILY}-of-{case.id}": FAMILY, f"{DOCTOR}-of-{case.id}": DOCTOR}.get(c.by, "")
    own = c.by if c.by.startswith(CENTRE) else own
    require(not own or c.thread in ("", own), Reason.NOT_ALLOWED, "one writes in one's own thread only", "thread")
    thread = own or c.thread
    known = {FAMILY, DOCTOR, *(s.centre for s in case.submissions.values())}
    require(thread, Reason.INVALID, "name who wrote: family, home_oncologist, or a hospital of this case", "thread")
    require(thread in known, Reason.NOT_FOUND, "nobody of this case: choose who wrote", "thread")
    return thread


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about messages."""
    event = fact.event
    match event:
        case MessageSent():
            sent = Message(event.message, event.thread, event.text, fact.at)
            return _with(_seen_to(case, event.thread), sent)
        case MessageReceived():
            e = event
            came = Message(e.message, e.thread, e.text, fact.at, received=True, document=e.document)
            return replace(_with(case, came), unanswered={e.thread: e.message, **case.unanswered})
        case ThreadSettled():
            return _seen_to(case, event.thread)
        case _:
            assert_never(event)


def _with(case: Case, one: Message) -> Case:
    return replace(case, messages={**case.messages, one.id: one})


def _seen_to(case: Case, thread: str) -> Case:
    return replace(case, unanswered={name: first for name, first in case.unanswered.items() if name != thread})


def party_of(thread: str) -> Party:
    """Return who reads a thread outside."""
    return {FAMILY: Party.FAMILY, DOCTOR: Party.HOME_ONCOLOGIST}.get(thread, Party.HOSPITAL)


def _sent(case: Case, to: Party) -> Iterable[str]:
    """The messages to them, while they may be written to."""
    ours = [m for m in case.messages.values() if not m.received and party_of(m.thread) is to]
    open_ = {thread for thread in {m.thread for m in ours} if why_not_written(case, thread) is None}
    return [m.id for m in ours if m.thread in open_]


def _answered(case: Case, about: str) -> bool:
    sent = case.messages.get(about)
    thread = case.thread(sent.thread) if sent else ()
    return sent is not None and any(m.received for m in thread[thread.index(sent) + 1 :])


def _waiting(case: Case) -> Iterable[str]:
    return case.unanswered.values()


def _seen(case: Case, about: str) -> bool:
    return about not in case.unanswered.values()


OWES = (Owes("incoming_message", Party.COORDINATOR, Party.SUPERVISOR, _waiting, _seen),)
WANTS = (
    Wants(TO_FAMILY, Party.FAMILY, lambda c: _sent(c, Party.FAMILY), _answered),
    Wants(TO_DOCTOR, Party.HOME_ONCOLOGIST, lambda c: _sent(c, Party.HOME_ONCOLOGIST), _answered),
    Wants(
        TO_CENTRE,
        Party.HOSPITAL,
        lambda c: _sent(c, Party.HOSPITAL),
        _answered,
        notice("A message about the patient; answer it with ReceiveMessage"),
    ),
)
