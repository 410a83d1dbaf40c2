"""Tasks over HTTP: every debt of a case, whose it is, names for those who may see them, and a look that is recorded."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.conftest import CANARY, Person
from tests.api.routes.test_commands import assert_problem

pytestmark = pytest.mark.slow


async def listed(who: Person, case: str, **query: Any) -> list[dict[str, Any]]:
    """The tasks of one case, on however many pages."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        answer = await who.get("/tasks", limit=7, **query, **({"after": after} if after else {}))
        assert answer.status_code == 200, answer.text
        found += [one for one in answer.json()["tasks"] if one["case"] == case]
        after = answer.json()["next"]
        if after is None:
            return found


async def test_every_debt_of_a_case_is_a_task_not_only_the_earliest(coordinator: Person) -> None:
    case = (await coordinator.open(owner=coordinator.id))["case"]
    await coordinator.send(case, "AddNote", kind="call", text="asked for papers")
    owed = (await coordinator.get(f"/cases/{case}/agenda")).json()["obligations"]
    tasks = await listed(coordinator, case, whose="all")
    assert {one["id"] for one in tasks} == {one["id"] for one in owed}
    mine = await listed(coordinator, case)
    assert {one["id"] for one in mine} == {one["id"] for one in owed if one["debtor"] == "coordinator"}
    others = await listed(coordinator, case, whose="others")
    assert {one["id"] for one in others} == {one["id"] for one in owed if one["debtor"] != "coordinator"}
    assert mine


async def test_a_task_of_another_team_is_not_there(coordinator: Person, supervisor: Person) -> None:
    foreign = (await supervisor.open(team="europe", owner="person-else"))["case"]
    assert await listed(supervisor, foreign, whose="all")
    assert await listed(coordinator, foreign, whose="all") == []


async def test_names_are_for_those_who_may_see_them_and_each_look_is_recorded(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    for role, sees in (("coordinator", True), ("supervisor", True), ("auditor", False), ("operator", False)):
        patients = {str(one["patient"]) for one in await listed(people[role], case, whose="all")}
        assert {CANARY in one for one in patients} == {sees}, role
    looks = (await people["auditor"].get(f"/cases/{case}/looks")).json()["looks"]
    assert people["operator"].id in {one["actor"] for one in looks}


BEYOND = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00")


@pytest.mark.parametrize(("at", "name"), [(one, "x") for one in BEYOND] + [("2026-01-01T00:00:00Z", "\ud800")])
async def test_a_cursor_that_no_page_gave_is_refused_by_every_list(coordinator: Person, at: str, name: str) -> None:
    for path, place in (("/tasks", (0, at, name)), ("/cases", (at, name, True))):
        written = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
        answer = await coordinator.get(path, after=written)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "after"), (path, answer.text)


async def test_what_is_no_cursor_no_word_or_no_size_is_named(coordinator: Person) -> None:
    for query, at in (({"after": "x"}, "after"), ({"after": "WzksICJ4IiwgInkiXQ"}, "after"), ({"limit": 0}, "limit")):
        answer = await coordinator.get("/tasks", **query)
        assert answer.status_code in (400, 422)
        assert answer.json()["errors"][0]["parameter"] == at
    assert_problem(await coordinator.get("/tasks", whose="nobody"), 422, "invalid")
    assert_problem(await coordinator.get("/tasks", debtor="nobody"), 422, "invalid")
