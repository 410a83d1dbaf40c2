"""What goes out of a case: an erased value is left out, and nothing goes out while a key is missing here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from activities.effect_handlers.requests import Addressing, Offices, Reader
from activities.gateways import GatewayRefused, Unreachable
from domain.case.effect import Effect
from domain.case.phases.intake import Person
from domain.case.state import Case
from domain.core.personal import ERASED, NO_KEY
from domain.core.policy import Party

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LETTER = Effect("e-1", "request_invitation_letter", "letter/1", Party.HOSPITAL, NOW)
MAIL = Effect("e-2", "remind", "record-1", Party.FAMILY, NOW)


async def _nobody(_: object) -> Reader | None:
    return None


async def _link(*_: object) -> str:
    return "https://caravel.example/reply/x"


ADDRESSING = Addressing(Offices("desk@caravel.example", _nobody), _nobody, _link)


def of(name: Any, mail: Any = "asha@example.org", expires: Any = date(2030, 1, 2)) -> Case:
    asha = Person("p-1", "patient", name, mail, "", "Asia/Kolkata", "hi")
    return Case(id="case-1", people={"p-1": asha}, passports={"p-1": expires})


def letter(case: Case) -> Mapping[str, Any]:
    return ADDRESSING.hospital(case, LETTER).body


def test_a_letter_says_who_and_until_when_the_passport_is_valid() -> None:
    said = letter(of("Asha Rao"))
    assert (said["patient_name"], said["passport_expires"]) == ("Asha Rao", "2030-01-02")


def test_what_is_erased_is_left_out() -> None:
    assert not {"patient_name", "passport_expires"} & letter(of(ERASED, expires=ERASED)).keys()


@pytest.mark.parametrize("case", [of(NO_KEY), of("Asha Rao", expires=NO_KEY)])
def test_no_letter_goes_out_while_a_key_is_not_here(case: Case) -> None:
    with pytest.raises(Unreachable):
        letter(case)


async def test_mail_waits_for_the_key_of_its_address_and_is_refused_without_one() -> None:
    assert (await ADDRESSING.mail(of("Asha Rao"), MAIL, NOW)).body["address"] == "asha@example.org"
    with pytest.raises(Unreachable):
        await ADDRESSING.mail(of("Asha Rao", NO_KEY), MAIL, NOW)
    with pytest.raises(GatewayRefused, match="no_address"):
        await ADDRESSING.mail(of("Asha Rao", ERASED), MAIL, NOW)
