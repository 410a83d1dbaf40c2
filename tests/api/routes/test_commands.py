"""Commands over HTTP: acknowledged once, refused clearly, and never with a value of what was sent."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from tests.api.conftest import CANARY, INQUIRY, Person


async def test_opening_a_case_answers_with_what_follows(coordinator: Person) -> None:
    answer = await coordinator.post("/cases", INQUIRY)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/cases/{body['case']}"
    assert answer.headers["etag"] == '"2"'
    assert [one["type"] for one in body["recorded"]] == ["CaseOpened", "PersonAdded", "ObligationOpened"]
    assert body["next"]["kind"] == "first_reply"
    assert body["stage"] == "inquiry"
    assert "ReplyToFamily" in body["allowed"]
    assert "RecordOutcome" not in body["allowed"]
    assert not body["repeated"]


async def test_a_command_counts_once(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    first = await coordinator.post(f"/cases/{case}/commands", NOTE, key="once")
    again = await coordinator.post(f"/cases/{case}/commands", dict(reversed(NOTE.items())), key="once")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == {**first.json(), "repeated": True}
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    assert [one["type"] for one in events].count("NoteAdded") == 1


async def test_a_case_is_opened_once(coordinator: Person) -> None:
    assert_problem(await coordinator.post("/cases", INQUIRY, key="has a blank"), 400, "no_key")
    opened = await asyncio.gather(*(coordinator.post("/cases", INQUIRY, key="same-case") for _ in range(8)))
    assert {one.status_code for one in opened} == {201}
    assert len({one.json()["case"] for one in opened}) == 1
    assert [one.json()["repeated"] for one in opened].count(False) == 1


@pytest.mark.parametrize("other", [{"text": "another text"}, {"kind": "call"}])
async def test_a_key_is_not_used_twice(coordinator: Person, other: dict[str, str]) -> None:
    case, key = (await coordinator.open())["case"], uuid.uuid4().hex
    await coordinator.post(f"/cases/{case}/commands", NOTE, key=key)
    answer = await coordinator.post(f"/cases/{case}/commands", {**NOTE, **other}, key=key)
    assert_problem(answer, 422, "key_reused")


async def test_a_key_is_not_used_for_another_case(coordinator: Person) -> None:
    one, other = (await coordinator.open())["case"], (await coordinator.open())["case"]
    await coordinator.post(f"/cases/{one}/commands", NOTE, key=f"{one}-x")
    assert_problem(await coordinator.post(f"/cases/{other}/commands", NOTE, key=f"{one}-x"), 422, "key_reused")


async def test_who_may_no_longer_see_a_case_is_not_told_of_his_own_command(
    coordinator: Person, supervisor: Person
) -> None:
    case = (await coordinator.open())["case"]
    assert (await coordinator.post(f"/cases/{case}/commands", NOTE, key="mine")).status_code == 200
    given = await supervisor.send(case, "AssignCase", owner="person-other", team="europe")
    assert given.status_code == 200, given.text
    for key in ("mine", "another"):
        assert_problem(await coordinator.post(f"/cases/{case}/commands", NOTE, key=key), 404, "not_found")
    assert_problem(await supervisor.send(f"{case}x", "AddNote", kind="note", text="x"), 404, "not_found")


async def test_a_refusal_is_not_remembered(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    refused = await coordinator.post(f"/cases/{case}/commands", {"type": "ResumeCase"}, key=f"{case}-r")
    assert_problem(refused, 409, "not_now")
    await coordinator.send(case, "HoldCase", reason="family asks for time")
    assert (await coordinator.post(f"/cases/{case}/commands", {"type": "ResumeCase"}, key=f"{case}-r")).is_success


async def test_two_coordinators_at_once_both_get_an_answer(coordinator: Person, supervisor: Person) -> None:
    case = (await coordinator.open())["case"]
    hold = {"type": "HoldCase", "reason": "asked to wait"}
    answers = await asyncio.gather(
        *(who.post(f"/cases/{case}/commands", hold) for who in (coordinator, supervisor) for _ in range(4))
    )
    assert sorted(a.status_code for a in answers) == [200] + [409] * 7
    assert {a.json().get("type", "") for a in answers if a.is_error} == {"urn:caravel:problem:already"}


async def test_a_stale_page_is_refused_and_automatic_events_make_none_stale(coordinator: Person, here: Parts) -> None:
    opened = await coordinator.post("/cases", INQUIRY)
    case, tag = opened.json()["case"], opened.headers["etag"]
    await here.commands.record(CommandRequest(case, Meta("engine", purpose="operation")))
    fresh = await coordinator.post(f"/cases/{case}/commands", NOTE, If_Match=tag)
    assert fresh.status_code == 200
    stale = await coordinator.post(f"/cases/{case}/commands", NOTE, If_Match=tag)
    assert_problem(stale, 412, "stale")
    assert (await coordinator.post(f"/cases/{case}/commands", NOTE, If_Match=fresh.headers["etag"])).is_success
    assert_problem(await coordinator.post(f"/cases/{case}/commands", NOTE, If_Match="yesterday"), 400, "malformed")


BAD: Mapping[str, tuple[dict[str, Any], str]] = {
    "naive datetime": ({"type": "Snooze", "obligation": "o", "until": "2027-01-01T09:00:00", "reason": "r"}, "#/until"),
    "a date for an instant": ({"type": "Snooze", "obligation": "o", "until": "2027-01-01", "reason": "r"}, "#/until"),
    "a number of seconds": ({"type": "Snooze", "obligation": "o", "until": 1800000000, "reason": "r"}, "#/until"),
    "a unit": ({"type": "CompleteDepletion", "window_days": "14 days"}, "#/window_days"),
    "a fraction": ({"type": "CompleteDepletion", "window_days": 14.5}, "#/window_days"),
    "text for yes": ({"type": "HoldCase", "reason": True}, "#/reason"),
    "an unknown field": ({**INQUIRY, "type": "AddNote", "kind": "note", "text": CANARY}, "#/country"),
    "a field named like a person": ({"type": "AddNote", "kind": "note", "text": "x", CANARY: 1}, "#"),
    "a missing field": ({"type": "AddNote", "kind": "note"}, "#/text"),
    "a word outside the list": ({"type": "AddNote", "kind": CANARY, "text": "x"}, "#/kind"),
    "the year one": ({"type": "HoldBed", "ref": "r", "until": "0001-01-01T00:00:00Z"}, "#/until"),
    "the last second": ({"type": "HoldBed", "ref": "r", "until": "9999-12-31T23:59:59-12:00"}, "#/until"),
    "NUL": ({"type": "AddNote", "kind": "note", "text": f"{CANARY}\0"}, "#/text"),
    "an unknown command": ({"type": "DeclareEligible"}, "#/type"),
    "no command": ({"text": CANARY}, "#/type"),
    "a command named like a person": ({"type": CANARY}, "#/type"),
    "somebody else's name": ({"type": "VerifyRecord", "item": "i", "by": CANARY}, "#/by"),
    "a day without a zone": (
        {"type": "ReportDeath", "occurred": {"precision": "bound", "latest": "2026-01-01T00:00:00"}},
        "#/occurred",
    ),
    "a wrong correction": (
        {"type": "CorrectFact", "fact": "f", "reason": CANARY, "correction": {"type": "ReportDeath", "cause": 1}},
        "#/correction/cause",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_can_never_be_right_is_named_without_its_value(coordinator: Person, name: str) -> None:
    body, pointer = BAD[name]
    case = (await coordinator.open())["case"]
    answer = await coordinator.post(f"/cases/{case}/commands", body)
    assert_problem(answer, 422, "invalid")
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]


async def test_an_unknown_command_is_named(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    answer = await coordinator.send(case, "DeclareEligible")
    assert "DeclareEligible" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("body", ["", "no", "[" * 100_000, '{"a":' * 50_000, '{"type": NaN}', "\udcff", '{"type"'])
async def test_what_is_no_json(coordinator: Person, body: str) -> None:
    case = (await coordinator.open())["case"]
    answer = await raw(coordinator, case, body.encode("utf-8", "surrogateescape"))
    assert_problem(answer, 400, "malformed")


@pytest.mark.parametrize("body", ["[]", "7", '"AddNote"', "null"])
async def test_json_that_is_no_object(coordinator: Person, body: str) -> None:
    case = (await coordinator.open())["case"]
    assert_problem(await raw(coordinator, case, body.encode()), 422, "invalid")


async def test_too_large(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    large = json.dumps({**NOTE, "text": "x" * 256 * 1024}).encode()
    assert_problem(await raw(coordinator, case, large), 413, "too_large")

    async def parts() -> Any:
        for _ in range(9):
            yield b"x" * 32 * 1024

    answer = await coordinator.http.post(
        f"/cases/{case}/commands", content=parts(), headers={"Idempotency-Key": uuid.uuid4().hex}
    )
    assert_problem(answer, 413, "too_large")


async def test_a_command_needs_a_key(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    answer = await coordinator.http.post(f"/cases/{case}/commands", json=NOTE)
    assert_problem(answer, 400, "no_key")
    assert answer.json()["errors"][0]["header"] == "Idempotency-Key"


async def test_a_lone_surrogate_is_refused(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    answer = await raw(coordinator, case, b'{"type":"AddNote","kind":"note","text":"\\ud800"}')
    assert answer.status_code in (400, 422)


async def test_the_future_has_not_happened(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    later = {"precision": "instant", "earliest": "2099-01-01T00:00:00Z", "latest": "2099-01-01T00:00:00Z"}
    answer = await coordinator.send(case, "ReportProgression", occurred=later)
    assert_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["pointer"] == "#/occurred"


async def test_not_now_says_where(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    answer = await coordinator.send(case, "AcceptQuote", person="p")
    assert_problem(answer, 409, "not_now")
    assert "eligibility" in answer.json()["detail"]


async def test_by_is_who_is_signed_in(coordinator: Person, people: Mapping[str, Person]) -> None:
    case = (await coordinator.open())["case"]
    opened = await coordinator.send(case, "RequestRecord", kind="labs", source="family")
    asked = [one["id"] for one in opened.json()["recorded"]]
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    item = next(one for one in events if one["id"] == asked[0])["data"]["item"]
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/pdf"}
    where = f"/cases/{case}/documents?item={item}"
    assert (await coordinator.http.post(where, content=b"%PDF-1.7", headers=headers)).is_success
    await coordinator.send(case, "VerifyRecord", item=item)
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    assert next(one for one in events if one["type"] == "RecordVerified")["data"]["by"] == coordinator.id


async def raw(who: Person, case: str, body: bytes) -> Any:
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    return await who.http.post(f"/cases/{case}/commands", content=body, headers=headers)


NOTE = {"type": "AddNote", "kind": "note", "text": f"spoke with {CANARY}"}


def assert_problem(answer: Any, status: int, reason: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:caravel:problem:{reason}"
    assert "Canary" not in answer.text
