"""Whoever a case is given to is looked up: unknown, gone, and without the right are refused by field."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pytest

from api.run.wiring import Parts
from domain.catalogue.staff import DismissPerson
from tests.agreed import agreed
from tests.api.conftest import INQUIRY, Person, registered
from tests.api.routes.test_commands import assert_problem


@pytest.mark.parametrize("owner", ["person-nobody", "lot-1", "Mei", "person-é"])
async def test_an_owner_nobody_knows_is_refused(people: Mapping[str, Person], owner: str) -> None:
    refused = await people["supervisor"].post("/cases", {**INQUIRY, "owner": owner})
    assert refused.status_code == 404, refused.text
    assert refused.json()["errors"][0]["pointer"] == "#/owner"
    case = (await people["supervisor"].open())["case"]
    again = await people["supervisor"].send(case, "AssignCase", owner=owner, team="asia")
    assert again.status_code == 404, again.text


async def test_an_owner_needs_the_right_to_coordinate(people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    case = (await supervisor.open())["case"]
    refused = await supervisor.send(case, "AssignCase", owner=people["auditor"].id, team="asia")
    assert_problem(refused, 403, "not_allowed")
    assert "the role auditor owns no cases" in refused.text
    assert (await supervisor.send(case, "AssignCase", owner=people["coordinator"].id, team="asia")).is_success


async def test_a_team_in_which_nobody_could_own_the_case_is_refused_with_those_that_could(
    people: Mapping[str, Person], here: Parts
) -> None:
    supervisor = people["supervisor"]
    await registered(here, "auditor", "auditors")
    case = (await supervisor.open())["case"]
    for team in ("nowhere", "auditors"):
        refused = await supervisor.send(case, "AssignCase", owner="", team=team)
        assert_problem(refused, 404, "not_found")
        assert refused.json()["errors"][0]["pointer"] == "#/team"
        assert "asia, europe" in refused.text
        assert_problem(await supervisor.post("/cases", {**INQUIRY, "team": team}), 404, "not_found")
    assert (await supervisor.send(case, "AssignCase", owner="", team="europe")).is_success


async def test_who_could_own_a_case_is_named_where_somebody_may_not(people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    case = (await supervisor.open())["case"]
    refused = await supervisor.send(case, "AssignCase", owner=people["auditor"].id, team="asia")
    assert "person-7" in refused.json()["detail"]
    assert people["auditor"].id not in refused.json()["detail"]


async def test_who_has_left_gets_no_case_and_a_repeat_gets_its_first_answer(
    people: Mapping[str, Person], here: Parts
) -> None:
    supervisor, gone = people["supervisor"], await registered(here, "coordinator")
    case = (await supervisor.open())["case"]
    body = {"type": "AssignCase", "owner": gone, "team": "asia"}
    first = await supervisor.post(f"/cases/{case}/commands", body, key := uuid.uuid4().hex)
    assert first.is_success, first.text
    await agreed(here.commands, gone, DismissPerson("left"))
    assert (await supervisor.post(f"/cases/{case}/commands", body, key)).is_success, "a repeat"
    refused = await supervisor.post(f"/cases/{case}/commands", {**body, "team": "europe"})
    assert_problem(refused, 403, "not_allowed")


async def test_cover_is_somebody_else_who_is_there(people: Mapping[str, Person]) -> None:
    operator, away = people["operator"], people["coordinator"].id
    absence = {"type": "SetAbsence", "since": "2030-01-01T00:00:00Z", "until": "2030-01-09T00:00:00Z"}
    unknown = await operator.post(f"/persons/{away}/commands", {**absence, "cover": "person-nobody"})
    assert_problem(unknown, 404, "not_found")
    own = await operator.post(f"/persons/{away}/commands", {**absence, "cover": away})
    assert_problem(own, 422, "invalid")
    known = await operator.post(f"/persons/{away}/commands", {**absence, "cover": people["supervisor"].id})
    assert known.is_success, known.text
