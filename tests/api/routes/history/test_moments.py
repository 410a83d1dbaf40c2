"""Any moment can be seen again: the worklist and a case as shown then, the other clock, differences, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.routes import then
from tests.api.conftest import CANARY, Person
from tests.api.routes.test_commands import assert_problem

TEAM = "moments"


async def pages(person: Person, **query: Any) -> list[dict[str, Any]]:
    """The whole worklist of the team, two rows at a time."""
    found: list[dict[str, Any]] = []
    answer = await person.get("/cases", team=TEAM, limit=2, **query)
    while True:
        assert answer.status_code == 200, answer.text
        found += answer.json()["cases"]
        if "link" not in answer.headers:
            return found
        link = answer.headers["link"]
        answer = await person.http.get(link[1 : link.index(">")])


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """To the second: a read model counts from when its append was computed, events from when they were recorded."""
    return {**row, "opened_at": row["opened_at"][:17], "stage_since": row["stage_since"][:17]}


async def moment(person: Person, case: str) -> str:
    """The present instant by the ledger's clock, a little after all that was recorded."""
    await asyncio.sleep(0.01)
    at: str = (await person.get(f"/cases/{case}")).json()["as_known_at"]
    await asyncio.sleep(0.01)
    return at


async def lived_through(supervisor: Person) -> list[tuple[str, list[dict[str, Any]]]]:
    """Cases that come, are answered, change hands and are voided; the worklist after each step, and when."""
    seen = []
    cases: list[str] = []
    for number in range(3):
        cases.append((await supervisor.open(team=TEAM, urgent=bool(number % 2)))["case"])
        seen.append((await moment(supervisor, cases[0]), await pages(supervisor)))
    for case, command, fields in (
        (cases[0], "ReplyToFamily", {"channel": "call"}),
        (cases[1], "AssignCase", {"owner": "person-7", "team": TEAM}),
        (cases[2], "VoidCase", {"reason": "twice"}),
        (cases[0], "HoldCase", {"reason": "ill"}),
    ):
        assert (await supervisor.send(case, command, **fields)).is_success
        seen.append((await moment(supervisor, cases[0]), await pages(supervisor)))
    return seen


async def test_the_worklist_of_any_moment_is_the_one_shown_then(supervisor: Person) -> None:
    seen = await lived_through(supervisor)
    for at, rows in seen:
        asked = await pages(supervisor, known_at=at)
        assert list(map(plain, asked)) == list(map(plain, rows))
        assert await pages(supervisor, known_at=at) == asked, "and again, from what was kept"
    assert len({str(rows) for _, rows in seen}) == len(seen), "control: every moment was another"
    first = seen[0][0]
    assert not await pages(supervisor, known_at=first, overdue="true")
    assert len(await pages(supervisor, known_at=first, overdue="false")) == 1
    late = (datetime.fromisoformat(seen[-1][0]) + timedelta(days=40)).isoformat()
    assert await pages(supervisor, known_at=late) == await pages(supervisor)


async def test_a_moment_is_narrowed_by_how_the_case_stood_then(supervisor: Person) -> None:
    case = (await supervisor.open(team=TEAM, owner="person-before"))["case"]
    at = await moment(supervisor, case)
    await supervisor.send(case, "AssignCase", owner="person-after", team=TEAM)
    assert [one["id"] for one in await pages(supervisor, known_at=at, owner="person-before")] == [case]
    assert not await pages(supervisor, known_at=at, owner="person-after")
    assert not await pages(supervisor, owner="person-before")


async def test_who_may_see_a_moment_is_judged_by_whose_the_case_is_now(
    supervisor: Person, people: Mapping[str, Person]
) -> None:
    case = (await supervisor.open(team="asia"))["case"]
    at = await moment(supervisor, case)
    coordinator = people["coordinator"]
    assert case in (await coordinator.get("/cases", known_at=at, limit=500)).text
    await supervisor.send(case, "AssignCase", owner="person-9", team="europe")
    assert case not in (await coordinator.get("/cases", known_at=at, limit=500)).text
    assert_problem(await coordinator.get(f"/cases/{case}", known_at=at), 404, "not_found")
    assert case in (await supervisor.get("/cases", known_at=at, team="asia", limit=500)).text
    for_auditor = await people["auditor"].get("/cases", known_at=at, limit=500)
    assert case in for_auditor.text
    assert CANARY not in for_auditor.text


async def test_a_moment_that_takes_long_says_so_and_gets_further(
    supervisor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [(await supervisor.open(team=TEAM))["case"] for _ in range(3)]
    at = await moment(supervisor, cases[0])
    for case in cases:
        await supervisor.send(case, "ReplyToFamily", channel="call")
    monkeypatch.setattr(then, "FOLDED", 1)
    statuses = [(await supervisor.get("/cases", known_at=at, team=TEAM, limit=500)).status_code for _ in range(40)]
    assert statuses[0] == 503
    assert statuses[-1] == 200
    assert sorted(statuses) == sorted(statuses, reverse=True)[::-1]


@pytest.mark.parametrize("query", [{"known_at": "2026-11-21T09:00:00"}, {"known_at": CANARY}])
async def test_what_no_moment_is(supervisor: Person, query: dict[str, str]) -> None:
    answer = await supervisor.get("/cases", **query)
    assert_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["parameter"] == "known_at"
    assert "Canary" not in answer.text


async def test_the_other_clock(supervisor: Person) -> None:
    case = (await supervisor.open(team=TEAM))["case"]
    before = await moment(supervisor, case)
    day = datetime.now(UTC) - timedelta(days=9)
    on = day.replace(hour=0, minute=0, second=0, microsecond=0)
    when = {"precision": "day", "earliest": on.isoformat(), "latest": (on + timedelta(hours=23)).isoformat()}
    assert (await supervisor.send(case, "ReportProgression", detail="bone", occurred=when)).is_success
    await asyncio.sleep(0.01)
    kinds = {}
    for name, at, known_at in (
        ("before", on - timedelta(hours=1), None),
        ("during", on + timedelta(hours=3), None),
        ("after", on + timedelta(days=2), None),
        ("unknown then", on + timedelta(days=2), before),
    ):
        query = {"as_of": at.isoformat(), **({"known_at": known_at} if known_at else {})}
        answer = (await supervisor.get(f"/cases/{case}", **query)).json()
        kinds[name] = [f["standing"] for f in answer["facts"] if f["type"] == "ProgressionReported"]
    assert kinds == {"before": [], "during": ["uncertain"], "after": ["true"], "unknown then": []}
    assert_problem(await supervisor.get(f"/cases/{case}", as_of="2026-11-21T09:00:00"), 422, "invalid")


async def test_the_difference_between_two_moments(supervisor: Person, people: Mapping[str, Person]) -> None:
    opened = await supervisor.open(team=TEAM)
    case, version = opened["case"], opened["version"]
    at = await moment(supervisor, case)
    await supervisor.send(case, "ReplyToFamily", channel="call", note=CANARY)
    found = (await supervisor.get(f"/cases/{case}/diff", **{"from": at})).json()
    by_version = (await supervisor.get(f"/cases/{case}/diff", **{"from": version})).json()
    assert found == by_version
    assert found["from"]["version"] == version
    assert "replied" in found["state"]
    assert {(o["kind"], o["state"]["from"], o["state"]["to"]) for o in found["obligations"]} >= {
        ("first_reply", "open", "met"),
        ("family_reply", None, "open"),
    }
    assert [e["version"] for e in found["events"]] == list(range(version + 1, found["to"]["version"] + 1))
    assert CANARY in str(found)
    masked = await people["auditor"].get(f"/cases/{case}/diff", **{"from": at})
    assert CANARY not in masked.text
    nothing = (await supervisor.get(f"/cases/{case}/diff", **{"from": version, "to": version})).json()
    assert (nothing["state"], nothing["obligations"], nothing["events"]) == ({}, [], [])
    whole = (await supervisor.get(f"/cases/{case}/diff", **{"from": "0"})).json()
    assert whole["from"] == {"version": 0, "recorded_at": None, "stage": None}
    for query, parameter in (
        ({"from": "5", "to": "2"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "1", "to": "2026-11-21T09:00:00"}, "to"),
        ({}, "from"),
    ):
        answer = await supervisor.get(f"/cases/{case}/diff", **query)
        assert_problem(answer, 422, "invalid")
        assert answer.json()["errors"][0]["parameter"] == parameter


async def test_why_a_person_decided_shows_what_was_known_then(supervisor: Person) -> None:
    case = (await supervisor.open(team=TEAM))["case"]
    await supervisor.send(case, "ReplyToFamily", channel="call")
    events = (await supervisor.get(f"/cases/{case}/events")).json()["events"]
    answered = next(one for one in events if one["type"] == "FamilyAnswered")
    told = (await supervisor.get(f"/cases/{case}/why/{answered['id']}")).json()
    assert told["because"] == []
    assert {f["type"] for f in told["shown_then"]["facts"]} == {"CaseOpened", "PersonAdded"}
    assert [o["kind"] for o in told["shown_then"]["obligations"]] == ["first_reply"]
    assert told["shown_then"]["version"] < answered["version"]
    automatic = next(one for one in events if one["why"])
    ruled = (await supervisor.get(f"/cases/{case}/why/{automatic['id']}")).json()
    assert ruled["shown_then"] is None
    assert ruled["event"]["why"].keys() == {"rule", "rule_version", "policy", "computed_for", "rests_on"}
