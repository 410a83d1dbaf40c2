"""A merged case hands its place on a waiting list to the one that goes on, on the real stack, also when told twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from api.run.wiring import Parts
from tests.api.conftest import Person
from tests.api.console.test_waiting import confirm, standing, turn, waits
from tests.api.routes.eligibility.test_matches import centre
from tests.api.routes.intake.test_linking import carried_out
from tests.api.routes.test_screening import protocol

pytestmark = pytest.mark.slow


async def test_the_case_that_goes_on_keeps_the_offered_place_its_time_and_urgency(
    here: Parts, people: Mapping[str, Person]
) -> None:
    mine, supervisor = people["coordinator"], people["supervisor"]
    stream, where = await protocol(people), await centre(people)
    await confirm(people, stream, where, "full")
    old, last = await waits(mine, stream, urgent=True), await waits(mine, stream)
    new = str((await mine.open(imported=True))["case"])
    assert (await mine.send(new, "ImportFacts", stage="eligibility")).is_success
    await turn(here, old, last)
    await confirm(people, stream, where, "open", places=1)
    await turn(here, old, last)
    before = await standing(mine, old)
    assert before["state"] == "offered"
    asked = await supervisor.send(old, "MergeCase", other=new, reason="one person", confirmed=True, despite_birth="x")
    assert asked.is_success, asked.text
    await asyncio.gather(carried_out(here, old), carried_out(here, old), return_exceptions=True)  # two workers at once
    await carried_out(here, old)
    merged, _, _ = await here.commands.case(old)
    assert merged.merged_into is not None
    assert not merged.waiting
    await turn(here, new, old, last)
    await turn(here, new, old, last)
    after = await standing(mine, new)
    assert {name: after[name] for name in ("id", "since", "urgent", "place", "until", "state")} == {
        name: before[name] for name in ("id", "since", "urgent", "place", "until", "state")
    }
    listed = (await mine.get(f"/protocols/{stream}/waiting")).json()
    assert [(one["case"], one["state"]) for one in listed["places"]] == [(new, "offered")], "offered to nobody else"
    assert (await standing(mine, last))["state"] == "waiting"
    state, _, _ = await here.commands.case(new)
    assert state.patient
    taken = await mine.send(new, "TakePlace", wait=after["id"], person=state.patient.id)
    assert taken.is_success, taken.text
    await turn(here, new, last)
    [place] = (await mine.get(f"/protocols/{stream}/waiting")).json()["places"]
    assert (place["case"], place["state"]) == (new, "taken")
