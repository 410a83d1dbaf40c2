"""What goes out of a case: an erased value is left out, and nothing goes out while a key is missing here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
from domain.stages.travel.arranging import AskArrangement
from domain.stages.travel.travel import PlanStay
from infra.hospitals.fhir_map import task
from infra.mail.notices import compose
from tests.domain.course import start
from tests.domain.stages.travel.arranged import ask_admission, ask_lodging, choose, newest, offer

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


def test_a_letter_says_when_the_patient_was_born() -> None:
    said = letter(replace(of("Asha Rao"), birth="1985-12-01", sex="female"))
    assert (said["birth_date"], said["sex"]) == ("1985-12-01", "female")
    assert not {"birth_date", "sex"} & letter(replace(of("Asha Rao"), birth=ERASED, sex=ERASED)).keys()
    with pytest.raises(Unreachable):
        letter(replace(of("Asha Rao"), birth=NO_KEY))


def test_who_arranges_the_stay_hears_where_when_and_with_whom() -> None:
    """What was planned before the tickets and anew after them."""
    j = start("admission")
    [asked] = j.asked("arrange_stay")
    body = ADDRESSING.hospital(j.case, asked).body
    plan = j.case.stay_plan
    assert (body["lodging"], body["days"], body["interpreter_language"]) == ("Hostel", 70, "hi")
    assert (body["arrives"], body["departs"]) == (plan["arrives"].isoformat(), plan["departs"].isoformat())
    assert "companion_name" not in body
    carer = next(p for p in j.case.people.values() if p.role == "carer")
    j.tell(PlanStay(plan["arrives"], 80, carer.id, "Garden House", funds_confirmed=True))
    told = ADDRESSING.hospital(j.case, asked).body
    assert (told["lodging"], told["companion_name"], told["departs"]) == ("Garden House", carer.name, body["departs"])
    assert task(ADDRESSING.hospital(j.case, asked))["code"]["coding"][0]["code"] == "arrange_stay"


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


def test_a_request_for_the_stay_carries_what_it_is_about_and_fhir_says_when() -> None:
    j = start("planned")
    j.tell(AskArrangement("interpreter", language_from="hi", language_to="zh", mode="present", hours_a_day=4))
    known = newest(j)
    [asked] = j.asked("arrange_service")
    request = ADDRESSING.hospital(j.case, asked)
    assert request.centre == "centre-a"
    body = request.body
    assert (body["arrangement"], body["kind"]) == (known.id, "interpreter")
    assert (body["language_from"], body["language_to"], body["hours_a_day"]) == ("hi", "zh", 4)
    assert "distance_km" not in body
    focus = task(request)["contained"][0]
    assert focus["occurrencePeriod"] == {"start": known.starts.isoformat(), "end": known.ends.isoformat()}
    reminder = Effect("e-9", "remind", f"{j.owed('arrangement_answer').id}/0", Party.HOSPITAL, NOW)
    assert ADDRESSING.hospital(j.case, reminder).body["arrangement"] == known.id


def test_an_appointment_is_looked_for_in_a_span_and_booked_at_the_time_that_was_chosen() -> None:
    j = start("planned")
    ask_admission(j)
    looked_for, known = task(ADDRESSING.hospital(j.case, j.asked("book_appointment")[-1]))["contained"][0], newest(j)
    assert looked_for["requestedPeriod"] == [{"start": known.starts.isoformat(), "end": known.ends.isoformat()}]
    assert looked_for["status"] == "proposed"
    offer(j)
    choose(j)
    booked = task(ADDRESSING.hospital(j.case, j.asked("book_appointment")[-1]))["contained"][0]
    assert (booked["status"], booked["start"], booked["end"]) == (
        "pending", newest(j).starts.isoformat(), newest(j).ends.isoformat()
    )  # fmt: skip
    assert "requestedPeriod" not in booked


async def test_a_centre_with_mail_only_and_the_family_read_what_it_is_about() -> None:
    j = start("planned")
    ask_lodging("family")(j)
    [asked] = j.asked("ask_family_to_arrange")
    request = await ADDRESSING.mail(j.case, asked, NOW)
    assert request.body["arrangement"]["distance_km"] == 5
    assert "- kilometres to the hospital: 5\n" in compose("ask_family_to_arrange", "en", request.body).body
    assert request.body["link"]
