"""Fields that take codes of closed lists offer them by name, in the reader's language; what is kept stays as it was."""

from __future__ import annotations

import re

import pytest

from api.console.forms.codes import LANGUAGE_FIELDS, coded
from domain.core.codes import COUNTRIES, CURRENCIES, require_language, require_zone
from tests.api.conftest import Person
from tests.api.console.conftest import Browser


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_every_choice_is_a_code_that_the_domain_takes_and_has_a_name(language: str) -> None:
    choices = coded(language)
    assert {code for code, _ in choices["country"]} == COUNTRIES
    assert {code for code, _ in choices["currency"]} == CURRENCIES
    for name in LANGUAGE_FIELDS:
        for code, _ in choices[name]:
            require_language(code, name)
    for zone, _ in choices["zone"]:
        require_zone(zone)
    assert {("Asia/Kolkata", "Asia/Kolkata"), ("UTC", "UTC")} <= set(choices["zone"])
    named = [words for code, words in choices["country"] if words != code]
    assert len(named) == len(COUNTRIES)


def test_names_are_the_readers() -> None:
    assert [dict(coded(one)["country"])["IN"] for one in ("en", "zh", "ar")] == ["India", "印度", "الهند"]


@pytest.mark.slow
async def test_what_was_told_before_stays_though_the_list_has_it_not(mei: Browser, coordinator: Person) -> None:
    opened = (await mei.get("/console/open")).text
    assert '<option value="IN">India</option>' in opened
    case = (await coordinator.open())["case"]
    form = (await mei.get(f"/console/cases/{case}/do/AddPerson?language=zh-Hans&zone=Asia/Urumqi")).text
    assert re.findall(r'<option value="([^"]+)" selected>', form)[-2:] == ["Asia/Urumqi", "zh-Hans"]
    again = await mei.get(f"/console/cases/{case}/do/AddPerson?language=zh-Hans&zone=Nowhere")
    assert '<option value="Nowhere" selected>' in again.text
