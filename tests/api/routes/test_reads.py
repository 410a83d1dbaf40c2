"""Reads: worklist, a case now and as it was known, events, agenda and why; masked for those who may not see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.core.case_number import check_digit
from tests.api.conftest import CANARY, Person
from tests.api.routes.test_commands import assert_problem


async def test_a_case_is_found_by_its_number(coordinator: Person) -> None:
    opened = await coordinator.open()
    digits = opened["number"].replace("-", "")
    for spoken in (opened["number"], digits, f"{digits[:4]} {digits[4:]}"):
        answer = await coordinator.get(f"/cases/{spoken}")
        assert answer.json()["case"]["id"] == opened["case"]
    noted = await coordinator.send(opened["number"], "AddNote", kind="note", text="by number")
    assert noted.json()["case"] == opened["case"]


async def test_a_wrong_check_digit_is_told_apart_from_a_case_that_is_not_there(coordinator: Person) -> None:
    number = (await coordinator.open())["number"]
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    answer = await coordinator.get(f"/cases/{wrong}")
    assert_problem(answer, 422, "invalid")
    assert "check digit" in answer.json()["errors"][0]["detail"]
    unknown = "00000000" + check_digit("00000000")
    assert_problem(await coordinator.get(f"/cases/{unknown}"), 404, "not_found")


@pytest.mark.parametrize("name", ["case-none", "case-", "lot-1", "case-%00", "x" * 300, "case-a b", "case-é"])
async def test_no_such_case(coordinator: Person, name: str) -> None:
    for path in ("", "/events", "/agenda", "/why/e"):
        answer = await coordinator.get(f"/cases/{name}{path}")
        assert answer.status_code == 404, answer.text


async def test_personal_fields_are_for_those_who_may_see_them(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    for role, sees in (("coordinator", True), ("supervisor", True), ("reviewer", True), ("auditor", False),
                       ("operator", False), ("translator", False), ("quality", False)):  # fmt: skip
        answer = await people[role].get(f"/cases/{case}")
        events = await people[role].get(f"/cases/{case}/events")
        listed = await people[role].get("/cases", q=answer.json()["case"]["number"])
        for text in (answer.text, events.text, listed.text):
            assert (CANARY in text) == sees, (role, text)
            assert ("canary@example.org" in text) <= sees
        assert answer.json()["masked"] == ([] if sees else ["identity", "clinical", "trace"])
    hidden = (await people["auditor"].get(f"/cases/{case}")).json()["case"]["people"]
    assert next(iter(hidden.values()))["name"] == {"masked": "identity"}


async def test_a_case_of_another_team_does_not_exist(coordinator: Person, supervisor: Person) -> None:
    case = (await supervisor.open(team="europe"))["case"]
    for path in ("", "/events", "/agenda"):
        assert_problem(await coordinator.get(f"/cases/{case}{path}"), 404, "not_found")
    assert_problem(await coordinator.send(case, "AddNote", kind="note", text="x"), 404, "not_found")
    assert (await supervisor.get(f"/cases/{case}")).is_success
    assert case not in (await coordinator.get("/cases", limit=500)).text


async def test_roles_do_not_do_what_is_not_theirs(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    outcome = {"effect": "e", "attempt": 1, "outcome": "delivered"}
    for role in ("coordinator", "supervisor", "operator"):
        assert_problem(await people[role].send(case, "RecordOutcome", **outcome), 403, "not_allowed")
    bed = {"ref": "B1", "until": "2030-01-01T00:00:00Z"}
    assert_problem(await people["coordinator"].send(case, "HoldBed", **bed), 403, "not_allowed")
    assert_problem(await people["supervisor"].send(case, "HoldBed", **bed), 409, "not_now")
    assert_problem(await people["auditor"].send(case, "AddNote", kind="note", text="x"), 403, "not_allowed")
    assert_problem(await people["auditor"].post("/cases", {}), 403, "not_allowed")
    assert_problem(await people["coordinator"].send(case, "SetUrgency", urgent=True, reason="r"), 403, "not_allowed")
    assert (await people["reviewer"].send(case, "SetUrgency", urgent=True, reason="r", deadlines="keep")).is_success


async def test_pages_of_the_worklist_are_complete_and_in_order(supervisor: Person, coordinator: Person) -> None:
    opened = [(await supervisor.open(team="pages"))["case"] for _ in range(7)]
    await supervisor.send(opened[3], "VoidCase", reason="opened twice")
    seen: list[dict[str, Any]] = []
    path, query = "/cases", {"team": "pages", "limit": 2, "open": ""}
    del query["open"]
    answer = await supervisor.get(path, **query)
    while True:
        seen += answer.json()["cases"]
        if "link" not in answer.headers:
            break
        link = answer.headers["link"]
        assert link.endswith('>; rel="next"')
        answer = await supervisor.http.get(link[1 : link.index(">")])
    assert len({one["id"] for one in seen}) == len(seen)
    assert {one["id"] for one in seen} >= set(opened) - {opened[3]}
    due = [one["next_due"] for one in seen if one["next_due"]]
    assert due == sorted(due)


async def test_the_worklist_is_narrowed(supervisor: Person) -> None:
    opened = await supervisor.open(team="narrow", urgent=True, owner="person-x")
    await supervisor.open(team="narrow")
    case = opened["case"]
    for query in ({"urgent": "true"}, {"owner": "person-x"}, {"q": opened["number"]}):
        found = (await supervisor.get("/cases", **{"team": "narrow", **query})).json()["cases"]
        assert [one["id"] for one in found] == [case]
    counts = {
        name: len((await supervisor.get("/cases", team="narrow", **query)).json()["cases"])
        for name, query in {"inquiry": {"stage": "inquiry"}, "visa": {"stage": "visa"}, "late": {"overdue": "true"},
                            "early": {"overdue": "false"}, "centre": {"centre": "centre-x"}}.items()
    }  # fmt: skip
    assert counts == {"inquiry": 2, "visa": 0, "late": 0, "early": 2, "centre": 0}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"after": "bm8"}, 400), ({"after": "W10"}, 400), ({"after": "é"}, 400), ({"limit": "0"}, 422),
        ({"limit": "501"}, 422), ({"limit": CANARY}, 422), ({"urgent": CANARY}, 422), ({"q": CANARY}, 422),
        ({"team": "a\0"}, 422), ({"q": "4821-7730-0"}, 422), ({"after": "WyJub3ciLCAiY2FzZSJd"}, 400),
    ],
)  # fmt: skip
async def test_what_a_worklist_cannot_be_asked(coordinator: Person, query: dict[str, str], status: int) -> None:
    answer = await coordinator.get("/cases", **query)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Canary" not in answer.text


async def test_as_it_was_known(coordinator: Person) -> None:
    before = datetime.now(UTC)
    await asyncio.sleep(0.01)
    case = (await coordinator.open())["case"]
    first = (await coordinator.get(f"/cases/{case}")).json()
    await asyncio.sleep(0.01)
    between = datetime.now(UTC)
    await coordinator.send(case, "ReplyToFamily", channel="call")
    known = (await coordinator.get(f"/cases/{case}", known_at=between.isoformat())).json()
    assert known["case"] == first["case"]
    owed = (await coordinator.get(f"/cases/{case}/agenda", known_at=between.isoformat())).json()["obligations"]
    assert [one["kind"] for one in owed] == ["first_reply"]
    now = (await coordinator.get(f"/cases/{case}/agenda")).json()["obligations"]
    assert [one["kind"] for one in now] == ["family_reply"]
    assert_problem(await coordinator.get(f"/cases/{case}", known_at=before.isoformat()), 404, "not_found")
    naive = await coordinator.get(f"/cases/{case}", known_at="2026-11-21T09:00:00")
    assert_problem(naive, 422, "invalid")
    assert naive.json()["errors"][0]["parameter"] == "known_at"
    assert_problem(await coordinator.get(f"/cases/{case}", known_at=CANARY), 422, "invalid")


async def test_events_in_pages_and_why(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    await coordinator.send(case, "ReplyToFamily", channel="call")
    whole = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    assert [one["version"] for one in whole] == list(range(1, len(whole) + 1))
    page = await coordinator.get(f"/cases/{case}/events", limit=2)
    rest = await coordinator.http.get(page.headers["link"][1:].split(">")[0] + "&limit=200")
    assert page.json()["events"] + rest.json()["events"] == whole
    met = next(one for one in whole if one["type"] == "ObligationMet")
    told = (await coordinator.get(f"/cases/{case}/why/{met['id']}")).json()
    assert (await coordinator.get(f"/cases/{case}/why/{met['version']}")).json() == told
    assert told["event"]["why"]["rule"]
    assert told["event"]["why"]["policy"]
    assert_problem(await coordinator.get(f"/cases/{case}/why/nothing"), 404, "not_found")


async def test_an_unchanged_case_is_not_sent_again(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    first = await coordinator.get(f"/cases/{case}")
    again = await coordinator.http.get(f"/cases/{case}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-store"


async def test_lots_through_http(people: Mapping[str, Person]) -> None:
    quality, supervisor = people["quality"], people["supervisor"]
    lot = {"product": "CAR-NK-1", "units": ["u1", "u2"], "expires": "2031-01-01T00:00:00Z", "donor": CANARY}
    made = await quality.post("/lots", lot, key="lot-1")
    again = await quality.post("/lots", lot, key="lot-1")
    assert (made.status_code, again.json()["id"], again.json()["repeated"]) == (201, made.json()["id"], True)
    stream = made.json()["id"]
    assert_problem(await quality.post(f"/lots/{stream}/commands", {"type": "ReleaseLot"}), 403, "four_eyes")
    assert_problem(await supervisor.post(f"/lots/{stream}/commands", {"type": "ReleaseLot"}), 403, "not_allowed")
    assert_problem(await quality.post(f"/lots/{stream}/commands", {"type": "HoldUnit"}), 422, "invalid")
    held = await people["coordinator"].post(f"/lots/{stream}/commands", {"type": "QuarantineLot", "reason": CANARY})
    assert held.is_success
    stale = await quality.post(f"/lots/{stream}/commands", {"type": "RecallLot", "reason": "r"}, If_Match='"1"')
    assert_problem(stale, 412, "stale")
    assert stream in (await people["auditor"].get("/lots")).text
    for role, sees in (("quality", True), ("auditor", False), ("coordinator", False), ("operator", False)):
        events = (await people[role].get(f"/lots/{stream}/events")).json()["events"]
        assert (events[0]["data"]["donor"] == CANARY) == sees
    assert_problem(await quality.get("/lots/lot-none"), 404, "not_found")
    assert_problem(await quality.get("/lots/case-none"), 404, "not_found")


async def test_protocols_and_centres(people: Mapping[str, Person]) -> None:
    operator = people["operator"]
    centre = {
        "name": "First Hospital", "city": "Beijing", "country": "CN", "zone": "Asia/Shanghai", "languages": ["zh"],
        "accepts_international": True, "capabilities": ["cell_therapy"], "source": "its own page",
        "as_of": "2026-11-01",
    }  # fmt: skip
    made = await operator.post("/centres", centre)
    assert made.status_code == 201, made.text
    told = (await people["auditor"].get(f"/centres/{made.json()['id']}")).json()
    assert told["centre"]["zone"] == "Asia/Shanghai"
    assert_problem(await people["coordinator"].post("/centres", centre), 403, "not_allowed")
    bad = await operator.post("/centres", {**centre, "zone": "Asia/Nowhere"})
    assert_problem(bad, 422, "invalid")
    assert bad.json()["errors"][0]["pointer"] == "#/zone"
    assert (await operator.get("/protocols")).json()["protocols"] == []
