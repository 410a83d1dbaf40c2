"""Urgency over HTTP: what would move is listed, moving is confirmed, urgent cases come first on every page."""

from __future__ import annotations

from collections.abc import Mapping

from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem


async def test_what_would_move_is_listed_and_moves_only_when_said(people: Mapping[str, Person]) -> None:
    reviewer, case = people["reviewer"], (await people["coordinator"].open())["case"]
    listed = (await reviewer.get(f"/cases/{case}/urgency", urgent=True)).json()
    assert (listed["urgent"], listed["would_be"]) == (False, True)
    [move] = listed["moves"]
    assert (move["kind"], move["would_be_due"] < move["due"]) == ("first_reply", True)
    asked = await reviewer.send(case, "SetUrgency", urgent=True, reason="r")
    assert_problem(asked, 409, "missing")
    assert "first_reply to " in asked.text
    assert (await reviewer.send(case, "SetUrgency", urgent=True, reason="r", deadlines="move")).is_success
    after = (await reviewer.get(f"/cases/{case}/agenda")).json()
    assert move["would_be_due"] in str(after)
    assert not (await reviewer.get(f"/cases/{case}/urgency", urgent=True)).json()["moves"]


async def test_urgent_cases_come_first_and_the_pages_join(people: Mapping[str, Person]) -> None:
    coordinator, team = people["supervisor"], "pressing"
    ordinary = [(await coordinator.open(team=team))["case"] for _ in range(2)]
    pressing = [(await coordinator.open(team=team, urgent=True))["case"] for _ in range(2)]
    found, after = [], None
    while True:
        page = (await coordinator.get("/cases", team=team, limit=1, **({"after": after} if after else {}))).json()
        found += [row["id"] for row in page["cases"]]
        if (after := page["next"]) is None:
            break
    assert found == pressing + ordinary
