"""Tasks change hands over HTTP: who may have one, what each refusal says, and what the lists show then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from api.run.wiring import Parts
from tests.api.conftest import Person, registered
from tests.api.routes.test_commands import assert_problem

pytestmark = pytest.mark.slow


async def owed_in(who: Person, case: str, debtor: str) -> Mapping[str, Any]:
    owed = (await who.get(f"/cases/{case}/agenda")).json()["obligations"]
    return next(one for one in owed if one["debtor"] == debtor)


async def listed(who: Person, whose: str, case: str) -> list[str]:
    answer = await who.get("/tasks", whose=whose, limit=500)
    return [one["id"] for one in answer.json()["tasks"] if one["case"] == case]


async def test_a_task_goes_from_hand_to_hand_and_stays_owed(people: Mapping[str, Person], here: Parts) -> None:
    boss, mei = people["supervisor"], people["coordinator"]
    amir = await registered(here, "coordinator")
    case = (await mei.open(owner=mei.id))["case"]
    task = (await owed_in(mei, case, "coordinator"))["id"]
    assert (await mei.send(case, "ClaimTask", obligation=task)).is_success
    assert (await owed_in(mei, case, "coordinator"))["holder"] == mei.id
    assert (await mei.send(case, "OfferTask", obligation=task, colleague=amir)).is_success
    assert_problem(await mei.send(case, "AcceptTask", obligation=task), 409, "not_now")
    assert_problem(await boss.send(case, "TakeOverTask", obligation=task, reason=""), 422, "invalid")
    assert (await boss.send(case, "TakeOverTask", obligation=task, reason="ill")).is_success
    assert task not in await listed(mei, "mine", case)
    assert task in await listed(mei, "others", case)
    assert task in await listed(boss, "mine", case)


async def test_nobody_gets_a_task_that_their_role_does_not_owe(people: Mapping[str, Person], here: Parts) -> None:
    mei, reviewer = people["coordinator"], people["reviewer"]
    case = (await mei.open(owner=mei.id))["case"]
    task = (await owed_in(mei, case, "coordinator"))["id"]
    assert_problem(await reviewer.send(case, "ClaimTask", obligation=task), 403, "not_allowed")
    assert_problem(await mei.send(case, "OfferTask", obligation=task, colleague=reviewer.id), 403, "not_allowed")
    far = await registered(here, "coordinator", "europe")
    assert_problem(await mei.send(case, "OfferTask", obligation=task, colleague=far), 403, "not_allowed")
    assert_problem(await mei.send(case, "OfferTask", obligation=task, colleague="person-nobody"), 404, "not_found")
    assert_problem(await people["auditor"].send(case, "ClaimTask", obligation=task), 403, "not_allowed")
