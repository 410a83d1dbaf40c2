"""A place from the site's word to the family's answer: over HTTP, on the pages, on the command line; offered once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from activities.command_handler import CommandRequest
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.waiting import TellingList
from activities.messages import Order
from activities.perform import Performing
from activities.ports import Meta
from api.run.wiring import Parts
from domain.core.fact import ENGINE
from tests.api.cli.test_cli import Cli
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.eligibility.test_matches import UNTIL, centre
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import protocol

pytestmark = pytest.mark.slow
KIND = "tell_waiting_list"


@pytest.fixture
def cli(here: Parts) -> Cli:
    dsn = here.settings.database_url.get_secret_value()
    return Cli({"CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(here.settings.home)})


async def turn(here: Parts, *cases: str) -> None:
    """What the engine does in its turn: each case tells its lists, all at once; then each looks at what came of it."""
    handler = TellingList(StockedLots(here.ledger, here.commands, here.ledger.lots_of))
    performing = Performing(here.commands, {KIND: handler})

    async def perform(case: str) -> None:
        state, _, _ = await here.commands.case(case)
        for effect in state.effects.values():
            if effect.kind == KIND and effect.pending:
                await performing.attempt(Order(case, effect.id, 0), handler)

    await asyncio.gather(*(perform(case) for case in cases))
    for case in cases:
        await here.commands.record(CommandRequest(case, Meta(ENGINE, purpose="operation")))


async def waits(person: Person, protocol: str, **fields: Any) -> str:
    case = str((await person.open(imported=True, **fields))["case"])
    assert (await person.send(case, "ImportFacts", stage="eligibility")).is_success
    told = await person.send(case, "WaitForPlace", protocol=protocol)
    assert told.is_success, told.text
    return case


async def standing(person: Person, case: str) -> dict[str, Any]:
    [wait] = (await person.get(f"/cases/{case}")).json()["case"]["waiting"].values()
    return dict(wait)


async def confirm(people: Mapping[str, Person], stream: str, where: str, state: str, **more: Any) -> None:
    body = {"type": "ConfirmSite", "centre": where, "state": state, "until": UNTIL, "by": "Dr Li", **more}
    done = await people["operator"].post(f"/protocols/{stream}/commands", body)
    assert done.is_success, done.text


async def test_a_place_is_offered_by_urgency_then_time_to_one_case_at_a_time(
    here: Parts, people: Mapping[str, Person], mei: Browser, cli: Cli
) -> None:
    mine = people["coordinator"]
    stream, where = await protocol(people), await centre(people)
    await confirm(people, stream, where, "full")
    longest, urgent = await waits(mine, stream), await waits(mine, stream, urgent=True)
    last = await waits(mine, stream)
    await turn(here, longest, urgent, last)
    listed = (await mine.get(f"/protocols/{stream}/waiting")).json()
    assert [one["case"] for one in listed["waiting"]] == [urgent, longest, last]
    assert listed["places"] == []
    woken = "select woken from attention where stream = $1"
    before = await here.ledger.pool.fetchval(woken, urgent)
    await confirm(people, stream, where, "open", places=1)
    assert await here.ledger.pool.fetchval(woken, urgent) > before, "whoever waits there is woken, nobody polls"
    await turn(here, longest, urgent, last)
    assert [(await standing(mine, case))["state"] for case in (longest, urgent, last)] == [
        "waiting", "offered", "waiting",
    ]  # fmt: skip
    [place] = (await mine.get(f"/protocols/{stream}/waiting")).json()["places"]
    assert (place["case"], place["why"]) == (urgent, {"because": "urgent", "waiting": 3, "longer": 1})
    [owed] = [
        o for o in (await mine.get(f"/cases/{urgent}/agenda")).json()["obligations"] if o["kind"] == "place_offer"
    ]
    assert owed["due"] == place["until"]
    page = (await mei.get(f"/console/cases/{urgent}")).text
    assert "Waiting for a place" in page
    assert f"do/DeclinePlace?wait={(await standing(mine, urgent))['id']}" in page
    declined = await mine.send(urgent, "DeclinePlace", wait=(await standing(mine, urgent))["id"], reason="too far")
    assert declined.is_success, declined.text
    await turn(here, urgent, longest, last)
    assert (await standing(mine, longest))["state"] == "offered"
    assert "of 2 who waited, 0 had waited longer" in (await cli("protocol", "waiting", stream)).out
    shown = (await mei.get(f"/console/protocols/{stream}")).text
    assert "waited longest; of 2 who waited, 0 had waited longer" in shown
    await _taken_and_given_back(here, mine, mei, stream, longest, last)


async def _taken_and_given_back(here: Parts, mine: Person, mei: Browser, stream: str, longest: str, last: str) -> None:
    path = f"/console/cases/{longest}/do/TakePlace?wait={(await standing(mine, longest))['id']}"
    form = (await mei.get(path)).text
    state, _, _ = await here.commands.case(longest)
    assert state.patient
    taken = await mei.post(
        path.partition("?")[0], **hidden(form), wait=next(iter(state.waiting)), person=state.patient.id
    )
    assert taken.status_code == 200, taken.text
    await turn(here, longest, last)
    [place] = (await mine.get(f"/protocols/{stream}/waiting")).json()["places"]
    assert (place["state"], place["case"]) == ("taken", longest)
    assert (await mine.send(longest, "LeaveJourney", reason="declined")).is_success
    await turn(here, longest, last)
    [place] = (await mine.get(f"/protocols/{stream}/waiting")).json()["places"]
    assert (place["state"], place["case"], place["why"]["because"]) == ("offered", last, "only"), (
        "given back, offered on"
    )


async def test_two_cases_that_come_at_once_are_offered_one_place_once(
    here: Parts, people: Mapping[str, Person]
) -> None:
    stream, where = await protocol(people), await centre(people)
    await confirm(people, stream, where, "open", places=1)
    cases = [await waits(people["coordinator"], stream) for _ in range(4)]
    await turn(here, *cases)
    await turn(here, *cases)
    states = [(await standing(people["coordinator"], case))["state"] for case in cases]
    assert sorted(states) == ["offered", "waiting", "waiting", "waiting"]


async def test_bad_words_about_places_are_named(people: Mapping[str, Person], mei: Browser) -> None:
    stream, where = await protocol(people), await centre(people)
    body = {"type": "ConfirmSite", "centre": where, "state": "full", "until": UNTIL, "by": "Dr Li", "places": 2}
    refused = await people["operator"].post(f"/protocols/{stream}/commands", body)
    assert_problem(refused, 422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == "#/places"
    said = {"type": "TellWaitingList", "wait": "w", "round": 1, "case": "case-1", "centre": "", "urgent": True,
            "since": "2026-01-01T00:00:00Z"}  # fmt: skip
    assert (await people["operator"].post(f"/protocols/{stream}/commands", said)).status_code == 403, "the engine only"
    case = (await people["coordinator"].open())["case"]
    unknown = await people["coordinator"].send(case, "WaitForPlace", protocol="protocol-none")
    assert_problem(unknown, 409, "not_now")  # at an inquiry nobody waits yet
