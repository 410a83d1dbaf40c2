"""Leave on its page: told by oneself, said to whoever asks, written into no case; what those who left had goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.run.wiring import Parts
from domain.catalogue.staff import DismissPerson
from tests.agreed import agreed
from tests.api.conftest import Person, registered, signed_in
from tests.api.console.conftest import Browser, browsing, hidden
from tests.api.routes.test_commands import assert_problem

pytestmark = pytest.mark.slow
TODAY = datetime.now(UTC).date()
WEEK = {"since": (TODAY - timedelta(days=1)).isoformat(), "until": (TODAY + timedelta(days=6)).isoformat()}


async def tell(browser: Browser, do: str, **form: str) -> str:
    page = hidden((await browser.get("/console/leave")).text)
    answer = await browser.post("/console/leave", csrf=page["csrf"], key=page["key"], do=do, **form)
    return answer.text


async def facts(who: Person, case: str) -> Any:
    return (await who.get(f"/cases/{case}/events", limit=500)).json()["events"]


async def test_a_leave_is_told_by_oneself_and_said_to_whoever_asks(
    app: Any, browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    amir = await registered(here, "coordinator")
    mei, covering = browsers["coordinator"], await browsing(app, amir)
    case = (await coordinator.open(owner=mei.id, urgent=True))["case"]
    before = [one for one in await facts(coordinator, case) if one["why"] is None]
    refused = await tell(mei, "set", since=WEEK["until"], until=WEEK["since"], cover=amir)
    assert "the last day is not before the first" in refused
    assert f'<option value="{amir}" selected' in refused, "what was typed is kept"
    assert "I am back" in await tell(mei, "set", cover=amir, **WEEK)
    page = (await browsers["supervisor"].get(f"/console/cases/{case}")).text
    assert "away to" in page
    assert case in (await covering.get("/console/tasks?tab=mine")).text
    assert '<span class="tag">for ' in (await covering.get("/console/tasks?tab=mine")).text
    assert "away now" in (await browsers["auditor"].get("/console/leave")).text
    assert [one for one in await facts(coordinator, case) if one["why"] is None] == before, "no person wrote into it"
    assert "I am back" not in await tell(mei, "end")
    assert case not in (await covering.get("/console/tasks?tab=mine")).text


async def test_nobody_tells_the_leave_of_somebody_else(people: Mapping[str, Person], here: Parts) -> None:
    amir = await registered(here, "coordinator")
    mei = people["coordinator"]
    said = {"since": datetime.now(UTC).isoformat(), "until": (datetime.now(UTC) + timedelta(days=2)).isoformat()}
    body = {"type": "SetAbsence", "cover": mei.id, **said}
    assert_problem(await mei.post(f"/persons/{amir}/commands", body), 403, "not_allowed")
    assert_problem(await mei.post(f"/persons/{mei.id}/commands", body), 422, "invalid")
    own = await mei.post(f"/persons/{mei.id}/commands", {**body, "cover": amir})
    assert own.is_success, own.text
    assert (await mei.post(f"/persons/{mei.id}/commands", {"type": "EndAbsence"})).is_success


async def test_what_somebody_had_who_left_is_handed_on_in_one_act(
    app: Any, browsers: Mapping[str, Browser], supervisor: Person, here: Parts
) -> None:
    gone = await registered(here, "coordinator")
    leaving = await signed_in(app, gone)
    cases = [(await leaving.open(owner=gone))["case"] for _ in range(2)]
    owed = (await leaving.get(f"/cases/{cases[0]}/agenda")).json()["obligations"]
    task = next(one["id"] for one in owed if one["debtor"] == "coordinator")
    assert (await leaving.send(cases[0], "ClaimTask", obligation=task)).is_success
    boss = browsers["supervisor"]
    page = hidden((await boss.get("/console/leave")).text)
    form = {"csrf": page["csrf"], "owner": boss.id, "reason": "she left", "left": gone}
    assert (await boss.post("/console/leave/left", **form, key="early")).status_code == 422
    await agreed(here.commands, gone, DismissPerson("left"))
    assert "Open cases: 2. Tasks in hand: 1." in (await boss.get("/console/leave")).text
    mei = await browsers["coordinator"].csrf()
    assert (await browsers["coordinator"].post("/console/leave/left", **{**form, "csrf": mei})).status_code == 403
    told = (await boss.post("/console/leave/left", **form, key="now")).text
    assert told.count(">done<") == 3
    for case in cases:
        state = (await supervisor.get(f"/cases/{case}")).json()["case"]
        assert state["owner"] == boss.id
    held = (await supervisor.get(f"/cases/{cases[0]}/agenda")).json()["obligations"]
    assert {one["holder"] for one in held} == {None}
    assert f'value="{gone}"' not in (await boss.get("/console/leave")).text
