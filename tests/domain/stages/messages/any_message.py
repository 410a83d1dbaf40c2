"""Any command about messages, for random histories, and the steps of a thread for the scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.case.messages.threads import DOCTOR, FAMILY
from domain.stages.intake.people import ChangeContact, GiveConsent, WithdrawConsent
from domain.stages.messages.writing import ReceiveMessage, SendMessage, SettleThread
from tests.domain.course import patient
from tests.domain.journey import Journey
from tests.domain.stages.any_names import pick


def _thread(j: Journey, n: int) -> str:
    threads = [FAMILY, DOCTOR, *dict.fromkeys(s.centre for s in j.case.submissions.values()), "nobody"]
    return threads[n % len(threads)]


OF_MESSAGES: dict[type[Any], Callable[[Journey, int], Any]] = {
    SendMessage: lambda j, n: SendMessage(_thread(j, n), "How are you?" if n % 11 else " "),
    ReceiveMessage: lambda j, n: ReceiveMessage("We are well.", _thread(j, n)),
    SettleThread: lambda j, n: SettleThread(pick(j.case.unanswered, n, "nobody")),
}


def write(thread: str = FAMILY) -> Callable[[Journey], Any]:
    return lambda j: j.tell(SendMessage(thread, "How are you?"))


def come(thread: str = FAMILY) -> Callable[[Journey], Any]:
    return lambda j: j.tell(ReceiveMessage("We are well.", thread))


def centre(j: Journey) -> str:
    return next(iter(j.case.submissions.values())).centre


def write_to_centre(j: Journey) -> None:
    j.tell(SendMessage(centre(j), "Which day suits you?"))


def hospital_answers(j: Journey) -> None:
    j.tell(ReceiveMessage("Monday.", by=centre(j)), centre(j))


def hospital_not_shared(j: Journey) -> None:
    j.tell(WithdrawConsent("share_with_hospital", patient(j), centre(j)))


def doctor_agreed(j: Journey) -> None:
    doctor = j.case.home_doctor
    assert doctor
    j.tell(ChangeContact(doctor.id, "rao@clinic.example", "", "Asia/Kolkata", "en"))
    j.tell(GiveConsent("share_with_home_doctor", patient(j), "1", "en"))


def doctor_not_agreed(j: Journey) -> None:
    j.tell(WithdrawConsent("share_with_home_doctor", patient(j)))


def write_to_doctor(j: Journey) -> None:
    doctor_agreed(j)
    j.tell(SendMessage(DOCTOR, "Would you tell us the weight?"))


SCENES_OF_MESSAGES: Mapping[str, tuple[str, Callable[[Journey], Any], Callable[[Journey], Any]]] = {
    "incoming_message": ("admission", write(), come()),
}
"""Kind of obligation → where it begins, what meets it, what makes it owed."""
