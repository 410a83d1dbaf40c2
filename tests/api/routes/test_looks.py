"""Reads are recorded before the answer leaves: who, which case, what of it, what for; breaking the glass included."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from api.run.wiring import Parts
from domain.core.errors import Reason, Refused
from tests.api.conftest import CANARY, Person
from tests.api.routes.test_commands import assert_problem

pytestmark = pytest.mark.slow


async def looks(auditor: Person, case: str, **query: Any) -> list[dict[str, Any]]:
    answer = await auditor.get(f"/cases/{case}/looks", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["looks"]
    return found


async def test_every_way_of_reading_a_case_leaves_a_look(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    event = (await people["supervisor"].get(f"/cases/{case}/events")).json()["events"][0]["id"]
    for path in ("", "/agenda", f"/why/{event}"):
        assert (await people["supervisor"].get(f"/cases/{case}{path}")).status_code == 200
    number = (await people["supervisor"].get(f"/cases/{case}")).json()["case"]["number"]
    await people["translator"].get("/cases", q=number)
    found = await looks(people["auditor"], case)
    told = [(one["actor"], one["what"], tuple(one["opened"])) for one in reversed(found)]
    everything = ("clinical", "identity", "trace")
    mine = people["supervisor"].id
    assert told == [
        (mine, "events", everything),
        (mine, "case", everything),
        (mine, "agenda", everything),
        (mine, "why", everything),
        (mine, "case", everything),
        (people["translator"].id, "worklist", ()),
        (people["auditor"].id, "looks", ()),
    ]
    assert {one["purpose"] for one in found} == {"care_coordination", "translation", "audit"}


async def test_looking_at_who_looked_is_a_look_too_and_pages_backwards(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    for _ in range(3):
        await looks(people["auditor"], case)
    first = (await people["auditor"].get(f"/cases/{case}/looks", limit=2)).json()
    rest = (await people["auditor"].get(f"/cases/{case}/looks", limit=2, after=first["next"])).json()
    positions = [one["position"] for one in (*first["looks"], *rest["looks"])]
    assert len(positions) == 4
    assert positions == sorted(positions, reverse=True)
    assert_problem(await people["auditor"].get(f"/cases/{case}/looks", after="x"), 422, "invalid")


async def test_only_those_who_watch_over_reads_see_them(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    for role in ("supervisor", "quality", "auditor"):
        assert (await people[role].get(f"/cases/{case}/looks")).status_code == 200
    for role in ("coordinator", "reviewer", "translator", "operator"):
        assert_problem(await people[role].get(f"/cases/{case}/looks"), 403, "not_allowed")
    assert_problem(await people["auditor"].get("/cases/case-none/looks"), 404, "not_found")


async def test_a_read_that_cannot_be_recorded_shows_nothing(
    people: Mapping[str, Person], here: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = (await people["coordinator"].open())["case"]

    async def refuse(*_: object) -> None:
        raise Refused(Reason.READ_ONLY, "another installation's")

    monkeypatch.setattr(here.ledger, "append", refuse)
    for path in (f"/cases/{case}", f"/cases/{case}/events", "/cases"):
        answer = await people["supervisor"].get(path)
        assert_problem(answer, 503, "read_only")
        assert CANARY not in answer.text


async def test_one_reader_through_many_requests_at_once(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    answers = await asyncio.gather(*(people["reviewer"].get(f"/cases/{case}") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    found = await looks(people["auditor"], case)
    assert sum(one["actor"] == people["reviewer"].id for one in found) == 20


async def test_looks_stand_in_the_ledger_like_everything_else(
    people: Mapping[str, Person], here: Parts, dsn: str
) -> None:
    case = (await people["coordinator"].open())["case"]
    await people["auditor"].get(f"/cases/{case}")
    connection = await asyncpg.connect(dsn)
    try:
        text = await connection.fetchval("select string_agg(data || meta, '') from event where type = 'CasesSeen'")
        await connection.execute("set enable_seqscan = off")  # a small table is read whole
        plan = await connection.fetch(
            "explain select 1 from event where type = 'CasesSeen' and data::jsonb -> 'cases' ? 'case-x'"
        )
        with pytest.raises(asyncpg.PostgresError, match="history cannot be changed"):
            await connection.execute("delete from event where type = 'CasesSeen'")
    finally:
        await connection.close()
    assert case in text
    assert CANARY not in text
    assert "event_cases_seen" in "".join(row[0] for row in plan)
    facts = (await here.ledger.load(f"looks-{people['auditor'].id}")).facts
    assert [fact.version for fact in facts] == list(range(1, len(facts) + 1))


async def test_breaking_the_glass_opens_a_case_to_one_who_may_not_see_it(people: Mapping[str, Person]) -> None:
    mine, auditor = people["coordinator"], people["auditor"]
    case = (await people["supervisor"].open(team="europe"))["case"]
    assert (await mine.get(f"/cases/{case}")).status_code == 404
    assert_problem(await mine.send(case, "AddNote", kind="note", text="x"), 404, "not_found")
    assert (await mine.send(case, "BreakGlass", reason="", hours=1)).status_code == 422
    answer = await mine.send(case, "BreakGlass", reason="the ward rang, nobody else is here", hours=1)
    assert answer.status_code == 200, answer.text
    seen = await mine.get(f"/cases/{case}")
    assert CANARY in seen.text
    assert (await mine.send(case, "AddNote", kind="note", text="x")).status_code in (403, 404)
    assert CANARY not in (await auditor.get(f"/cases/{case}")).text
    owed = (await auditor.get(f"/cases/{case}/agenda")).json()["obligations"]
    assert "access_review" in {one["kind"] for one in owed}
    access = next(iter(seen.json()["case"]["accesses"]))
    assert (await mine.send(case, "ReviewAccess", access=access, finding="justified")).status_code in (403, 404)
    reviewed = await people["quality"].send(case, "ReviewAccess", access=access, finding="justified")
    assert reviewed.status_code == 200, reviewed.text
    assert (await mine.send("case-none", "BreakGlass", reason="x", hours=1)).status_code == 404
