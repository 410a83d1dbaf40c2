"""Costs on the real stack: estimate, the hospital's price over FHIR, the family's answer behind its link, the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2

from api.run.wiring import Parts
from infra.identity.capabilities import links
from tests.api.conftest import Person
from tests.api.routes.test_callbacks import PROTOCOL, Hospital, events_of, hospital, keys
from tests.api.routes.test_commands import assert_problem

__all__ = ["hospital", "keys"]
ESTIMATE: dict[str, Any] = {
    "currency": "USD",
    "hospital_charges": {"low": 40_000, "high": 70_000, "drivers": ["hospital", "condition"]},
    "cell_product": {"low": 20_000, "high": 60_000, "drivers": ["access"]},
    "monitoring": {"low": 10_000},
}
PRICE: dict[str, Any] = {
    "type": "GiveQuote",
    "currency": "USD",
    "valid_until": "2030-01-01T00:00:00+00:00",
    "hospital_charges": {"low": 75_000},
    "cell_product": {"low": 60_000},
    "monitoring": {"low": 10_000},
    "trial_pays": ["cell_product"],
}


async def accepted(supervisor: Person, hospital: Hospital) -> str:
    case = str((await supervisor.open(imported=True))["case"])
    facts = {"stage": "eligibility", "centre": hospital.id, "protocol": PROTOCOL, "consents": ["data_processing"]}
    answer = await supervisor.send(case, "ImportFacts", accepted_until="2030-01-01T00:00:00Z", **facts)
    assert answer.is_success, answer.text
    return case


async def asked(supervisor: Person, case: str, kind: str) -> str:
    found = [e["data"] for e in await events_of(supervisor, case) if e["type"] == "EffectRequested"]
    return str(next(one["effect"] for one in reversed(found) if one["kind"] == kind))


async def priced(supervisor: Person, hospital: Hospital) -> str:
    case = await accepted(supervisor, hospital)
    told = await supervisor.send(case, "IssueEstimate", **ESTIMATE)
    assert told.is_success, told.text
    submission = next(iter((await supervisor.get(f"/cases/{case}")).json()["case"]["submissions"]))
    effect = await asked(supervisor, case, "request_quote")
    said = await hospital.say(case, {**PRICE, "submission": submission}, effect=effect)
    assert said.is_success, said.text
    return case


async def test_the_price_stands_beside_the_estimate_line_by_line(supervisor: Person, hospital: Hospital) -> None:
    body = (await supervisor.get(f"/cases/{await priced(supervisor, hospital)}/costs")).json()
    assert (body["estimate"]["low"], body["estimate"]["high"], body["estimate"]["currency"]) == (70_000, 140_000, "USD")
    assert (body["quote"]["low"], body["quote"]["high"]) == (85_000, 85_000)
    lines = {row["kind"]: row for row in body["lines"]}
    assert lines["hospital_charges"]["over"] == 5_000
    assert lines["hospital_charges"]["estimated"]["drivers"] == ["hospital", "condition"]
    assert lines["cell_product"]["quoted"] == {"low": 60_000, "high": 60_000, "drivers": [], "trial": True}
    assert (lines["cell_product"]["over"], lines["monitoring"]["over"], lines["total"]["over"]) == (-20_000, 0, 0)


async def test_before_anything_was_said_there_is_nothing(supervisor: Person, hospital: Hospital) -> None:
    body = (await supervisor.get(f"/cases/{await accepted(supervisor, hospital)}/costs")).json()
    assert (body["estimate"], body["quote"], body["lines"]) == (None, None, [])


async def test_a_range_that_runs_backwards_is_named(supervisor: Person, hospital: Hospital) -> None:
    case = await accepted(supervisor, hospital)
    refused = await supervisor.send(case, "IssueEstimate", **{**ESTIMATE, "monitoring": {"low": 9, "high": 8}})
    assert_problem(refused, 422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == "#/monitoring"
    unread = await supervisor.send(case, "IssueEstimate", **{**ESTIMATE, "monitoring": {"low": "9"}})
    assert_problem(unread, 422, "invalid")
    assert unread.json()["errors"][0]["pointer"] == "#/monitoring/low"
    assert "EstimateIssued" not in {e["type"] for e in await events_of(supervisor, case)}


async def test_the_family_accepts_the_price_behind_its_link(
    here: Parts, nobody: httpx2.AsyncClient, supervisor: Person, hospital: Hospital
) -> None:
    case = await priced(supervisor, hospital)
    state, _, now = await here.commands.case(case)
    effect = state.effects[await asked(supervisor, case, "send_quote")]
    address = await links(here.ledger, "https://caravel.example")(state, effect, now + timedelta(days=1))
    path = address.removeprefix("https://caravel.example")
    page = (await nobody.get(path)).text
    assert "A question about your treatment" in page
    assert 'name="person"' not in page
    assert (await nobody.post(path, data={"type": "AcceptQuote"})).status_code == 200
    told = next(e for e in await events_of(supervisor, case) if e["type"] == "QuoteAccepted")
    assert (told["actor"], told["data"]["person"]) == (f"family-of-{case}", state.patient and state.patient.id)
    assert (await nobody.get(path)).status_code == 410
