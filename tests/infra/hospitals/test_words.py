"""Whatever a hospital says, nothing of it is kept in plain but references, codes of a closed list, and numbers."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any, get_type_hints

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from activities.command_codec import CASE, Unreadable
from activities.gateways import UNUSABLE, GatewayRefused, Request
from domain.criteria.analytes import UNITS
from infra.hospitals.codes import EFFECT, SAYS
from infra.hospitals.fhir_client import ISSUES, FhirGateway, NotUnderstood
from infra.mail.reports import came_back
from rehearsal.mail_catcher import delivery_report
from tests.drawing import draws
from tests.infra.hospitals.test_fhir import sample

NAME = "Wilhelmina Canary"
PLAIN = re.compile(r"Task/[A-Za-z0-9.-]{1,64}")
said = st.text(max_size=80) | st.sampled_from([NAME, "a/b", "x" * 300_000, "Öster", "..", "a\nb", "٣", "1"])
json_said = said | st.none() | st.integers() | st.lists(said, max_size=1) | st.dictionaries(said, said, max_size=1)


def hospital(status: int, body: object, location: str = "") -> FhirGateway:
    """One that answers this, whatever it is asked."""
    headers = [(b"Location", location.encode())] if location else []

    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=b"" if body is None else json.dumps(body).encode(), headers=headers)

    return FhirGateway(httpx2.AsyncClient(transport=httpx2.MockTransport(answer)), "https://hospital.example/fhir")


def asked() -> Request:
    return Request("effect-1", "request_invitation_letter", "case-1", "letter-1/1", "hospital", "centre-1")


def task(number: object) -> dict[str, Any]:
    ours = [{"system": EFFECT, "value": "effect-1"}]
    return {"resourceType": "Task", "id": number, "identifier": ours}


async def receipt(side: FhirGateway) -> str:
    """The number that is kept; empty = nobody knows what became of it."""
    try:
        return (await side.send(asked())).number
    except (NotUnderstood, ValueError):
        return ""


@draws(40)
@given(said)
@example("7")
async def test_a_receipt_is_an_id_of_fhir_or_says_that_it_was_none(number: str) -> None:
    for side in (hospital(201, task(number)), hospital(409, {"resourceType": "Bundle", "entry": []})):
        kept = await receipt(side)
        assert kept in ("", UNUSABLE) or PLAIN.fullmatch(kept)
    bundle = {"resourceType": "Bundle", "total": 1, "entry": [{"resource": task(number)}]}
    found = await hospital(200, bundle).ask("effect-1")
    assert found
    assert found.number == (f"Task/{number}" if PLAIN.fullmatch(f"Task/{number}") else UNUSABLE)


@draws(40)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=90))
@example(f"Task/{NAME}/_history/1")
async def test_so_is_one_that_stands_in_a_header(end: str) -> None:
    kept = await receipt(hospital(201, None, f"https://hospital.example/fhir/Task/{end}"))
    assert kept in ("", UNUSABLE) or PLAIN.fullmatch(kept)


async def test_a_name_as_an_id_ends_as_delivered_with_the_way_to_ask() -> None:
    for number in (NAME, NAME * 20_000, "../../x", ""):
        assert await receipt(hospital(201, task(number))) == UNUSABLE
    assert await receipt(hospital(201, task("L-7.2"))) == "Task/L-7.2"
    assert "effect id" in UNUSABLE


@draws(40)
@given(json_said, json_said)
@example(NAME, NAME)
@example("business-rule", "of words")
async def test_a_refusals_code_is_of_fhirs_list_or_the_status(code: object, words: object) -> None:
    issue = {"severity": "error", "code": code, "diagnostics": words}
    with pytest.raises(GatewayRefused) as no:
        await hospital(422, {"resourceType": "OperationOutcome", "issue": [issue]}).send(asked())
    assert no.value.code == (code if code in ISSUES else "422")
    assert len(no.value.detail) <= 500


def plain_texts(command: type[Any]) -> list[str]:
    hints = get_type_hints(command, include_extras=True)
    return [one.name for one in fields(command) if hints[one.name] is str]


@pytest.mark.parametrize("name", sorted(name for name in SAYS if plain_texts(SAYS[name])))
def test_a_plain_text_of_a_hospital_is_a_reference(name: str) -> None:
    told = {word: value for word, value in sample(SAYS[name]).items() if word != "by" or name in BY_OTHERS}
    assert CASE.parse_outside(told, "centre-1"), "the control"
    for word in set(plain_texts(SAYS[name])) & told.keys():
        for text in (NAME, "x" * 65, "a\nb", "Öster", "-x", " x"):
            with pytest.raises(Unreadable) as no:
                CASE.parse_outside({**told, word: text}, "centre-1")
            assert [one.pointer for one in no.value.faults] == [f"#/{word}"]
            assert text not in str(no.value.faults)


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_a_hospital_can_say_every_unit_there_is(unit: str) -> None:
    told = sample(SAYS["RecordObservation"])
    assert CASE.parse_outside({**told, "unit": unit, "limit_unit": unit}, "centre-1").unit == unit


BY_OTHERS = ("ReportTrialHold", "ReportTrialResumed")


@draws(40)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("5.1.1")
@example("\u0665.\u0661.\u0661")
def test_a_bounces_code_is_a_number_of_rfc_3463(status: str) -> None:
    whole = delivery_report("a@example.org", "b@example.org").as_string()
    report = whole.replace("Status: 5.1.1", f"Status: {' '.join(status.split())}")
    found = came_back(report.encode())
    assert found is None or re.fullmatch(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", found[0])
