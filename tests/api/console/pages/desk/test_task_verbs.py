"""The verbs of the task list: one press for one, ticks for many, and what became of each in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from api.run.wiring import Parts
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, hidden

pytestmark = pytest.mark.slow
LIST = "/console/tasks?tab=mine"


async def first_task(person: Person, case: str) -> str:
    owed = (await person.get(f"/cases/{case}/agenda")).json()["obligations"]
    return f"{case}/{next(one['id'] for one in owed if one['debtor'] == 'coordinator')}"


async def press(browser: Browser, do: str, **more: Any) -> str:
    page = hidden((await browser.get(LIST)).text)
    form = {name: page[name] for name in ("csrf", "key", "back")}
    answer = await browser.post("/console/tasks", **form, do=do, **more)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_one_press_claims_and_the_list_says_in_whose_hand_it_is(
    browsers: Mapping[str, Browser], coordinator: Person
) -> None:
    mei = browsers["coordinator"]
    task = await first_task(coordinator, (await coordinator.open(owner=mei.id))["case"])
    assert f'value="claim {task}"' in (await mei.get(LIST)).text
    after = await press(mei, f"claim {task}")
    assert f'value="hand_back {task}"' in after, "the press leads back to the list"
    assert f'value="claim {task}"' not in after
    boss = browsers["supervisor"]
    assert f'value="claim {task}"' not in (await boss.get("/console/tasks?tab=all")).text


async def test_many_are_offered_and_what_became_of_each_is_said(mei: Browser, coordinator: Person, here: Parts) -> None:
    amir = await registered(here, "coordinator")
    cases = [(await coordinator.open(owner=mei.id)) for _ in range(2)]
    tasks = [await first_task(coordinator, one["case"]) for one in cases]
    said = await press(mei, "offer", task=tasks, colleague=amir)
    assert "Offered to coordinator" in said
    assert all(one["number"] in said for one in cases)
    again = await press(mei, "offer", task=[*tasks, f"{cases[0]['case']}/nothing"], colleague=amir)
    assert again.count(">refused<") == 3
    assert "they have been asked already" in again
    assert "no such task" in again
    assert "No task was chosen" in await press(mei, "claim")


@pytest.mark.parametrize(("place", "said"), [("bulk", "back"), ("tasks", "back"), ("views", "query")])
async def test_an_address_of_return_that_is_none_leads_to_the_list(mei: Browser, place: str, said: str) -> None:
    page = hidden((await mei.get(LIST)).text)
    form = {"csrf": page["csrf"], "key": page["key"], "do": "assign" if place == "bulk" else "claim", said: "http://["}
    answer = await mei.post(f"/console/{place}", **form)
    assert answer.status_code in (200, 303), answer.text


async def test_whose_role_owes_nothing_has_no_verbs(browsers: Mapping[str, Browser], coordinator: Person) -> None:
    await coordinator.open()
    for role, verbs in (("auditor", False), ("operator", False), ("reviewer", True), ("supervisor", True)):
        page = (await browsers[role].get("/console/tasks?tab=all")).text
        assert ('id="verbs"' in page) == verbs, role
