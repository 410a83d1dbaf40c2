"""Whoever belongs to a case can be written to, dialled and spoken with, as far as what is typed can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.stages.intake.inquiry import OpenCase
from domain.stages.intake.people import AddPerson, ChangeContact, GiveConsent
from tests.domain.course import OPENED, patient, start
from tests.domain.journey import Journey

MAILS = (
    "not an address", "Asha <a@example.org>", "a@b@c",
    "\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a", "a@b", "a@localhost", ".a@example.org",
    "a..b@example.org", "a@[127.0.0.1]", "a b@example.org", "a@example.org\nBcc: x@example.org", "a@-example.org",
    "a@example.org.", "a" * 65 + "@example.org", "a@" + "b." * 95 + "org", "a@example.org\n", "a@ex_ample.org",
)  # fmt: skip
GOOD_MAILS = ("", "a@example.org", "first.last+case@mail.example.co.in", "o'brien@example.org", "1@x-y.org")
PHONES = (
    "banana", "12", "9" * 61, "+91 22\u202e 5550", "<script>123", "123\x00", "+91 22\r\nBcc: x@example.org",
    "123\u2028456", "123\x1c4", "\u00b2\u00b2\u00b2",
)  # fmt: skip
GOOD_PHONES = (
    "",
    "+91 22 5550 1234",
    "(022) 5550-1234 ext. 12",
    "\u0661\u0662\u0663\u0664",
    "\uff0b86\uff11\uff12\uff13",
    "112",
    "+33\u00a01\u00a023",
)
NAMES = ("x" * 301, "rao\u202efdp", "Asha\nRao", "Asha\x1b[31m", "\u2067Asha", "Asha\u2028Rao", "Asha\ud83d")
GOOD_NAMES = (
    "\u738b\u5c0f\u660e",
    "x" * 300,
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "O\u2019Brien",
    "Mar\u00eda-Jos\u00e9 \u0141.",
)


def field(j: Journey, command: OpenCase | AddPerson | ChangeContact | GiveConsent) -> str | None:
    """The field a command is refused for; None = it is taken."""
    refused = j.tried(command).refused
    return refused.field if refused else None


@pytest.mark.parametrize("mail", MAILS)
def test_what_no_mail_could_be_sent_to_is_refused_by_field_and_never_quoted(mail: str) -> None:
    j = start("")
    assert field(j, replace(OPENED, patient_mail=mail)) == "patient_mail"
    assert j.refused
    assert mail not in j.refused.detail
    j = start("opened")
    assert field(j, ChangeContact(patient(j), mail, "", "UTC", "en")) == "mail"
    assert field(j, AddPerson("carer", "Mother", "UTC", "hi", mail)) == "mail"


@pytest.mark.parametrize("mail", GOOD_MAILS)
def test_the_control_addresses_as_they_are_written_are_taken(mail: str) -> None:
    assert field(start(""), replace(OPENED, patient_mail=mail)) is None


@pytest.mark.parametrize("phone", PHONES)
def test_what_nobody_could_dial_is_refused(phone: str) -> None:
    j = start("opened")
    assert field(j, ChangeContact(patient(j), "", phone, "UTC", "en")) == "phone"
    assert field(start(""), replace(OPENED, patient_phone=phone)) == "patient_phone"


@pytest.mark.parametrize("phone", GOOD_PHONES)
def test_the_control_numbers_in_any_digits_are_taken(phone: str) -> None:
    assert field(start("opened"), AddPerson("carer", "Mother", "UTC", "hi", "", phone)) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_too_long_or_turns_the_text_around_it_is_refused(name: str) -> None:
    assert field(start(""), replace(OPENED, patient_name=name)) == "patient_name"
    assert field(start("opened"), AddPerson("carer", name, "UTC", "hi")) == "name"


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_the_control_names_stay_as_they_are_typed(name: str) -> None:
    j = start("")
    assert field(j, replace(OPENED, patient_name=name)) is None
    assert j.case.patient
    assert j.case.patient.name == name


@pytest.mark.parametrize("language", ["Klingon please", "", "e", "en_US", "english"])
def test_a_language_is_a_code(language: str) -> None:
    assert field(start(""), replace(OPENED, language=language)) == "language"
    j = start("opened")
    assert field(j, ChangeContact(patient(j), "", "", "UTC", language)) == "language"
    assert field(j, GiveConsent("data_processing", patient(j), "1", language)) == "language"
