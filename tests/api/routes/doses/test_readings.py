"""From a file of temperatures to units that are stopped, a case that loses its dose, and two people who decide."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.command_handler import CommandRequest, Recorded
from activities.following.stopping import StoppingUnits
from activities.ports import Meta
from api.run.wiring import Parts
from domain.catalogue.centre import RegisterCentre
from domain.core.errors import Reason, Refused
from domain.doses.lot import ReleaseLot
from domain.doses.readings import parse
from domain.doses.storage import PlaceUnit
from domain.doses.unit import HoldUnit
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.treatment.dose import DoseLost, HoldDose
from infra.reads.registers import RegisterQueries
from tests.agreed import agreed
from tests.api.conftest import Person
from tests.api.routes.doses.test_genealogy import lot, told
from tests.api.routes.test_commands import assert_problem
from tests.api.submitted import submitted

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def csv(began: datetime, *values: float) -> str:
    return "time,celsius\n" + "".join(
        f"{(began + n * timedelta(minutes=1)).isoformat()},{value}\n" for n, value in enumerate(values)
    )


FILE = csv(NOW - 4 * HOUR, -180.0, *[-140.0] * 8, -180.0)
"""Eight minutes too warm, four hours ago."""


async def store(quality: Person) -> str:
    body = {"kind": "freezer", "name": f"F-{uuid.uuid4().hex[:6]}", "where": "Boston", "warmest": -150.0,
            "tolerated": 300, "gap": 600, "source": "SOP 7"}  # fmt: skip
    answer = await quality.post("/stores", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def sent(person: Person, of: str, text: str, key: str = "") -> Any:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return await person.http.post(f"/stores/{of}/readings", content=text.encode(), headers=headers)


@pytest.fixture
async def filled(people: Mapping[str, Person], here: Parts) -> Mapping[str, str]:
    """A freezer with two units of a released lot in it since five hours ago, one held for a case."""
    quality, mark = people["quality"], uuid.uuid4().hex[:8]
    freezer, batch = await store(quality), await lot(quality, f"a-{mark}", f"b-{mark}")
    since = (NOW - 5 * HOUR).isoformat()
    for unit, position in ((f"a-{mark}", "A1"), (f"b-{mark}", "A2")):
        await told(quality, batch, "PlaceUnit", unit=unit, store=freezer, position=position, since=since)
    await here.commands.record(CommandRequest(batch, Meta("person-z"), ReleaseLot("person-z")))
    return {"store": freezer, "lot": batch, "first": f"a-{mark}", "second": f"b-{mark}"}


async def test_a_warm_freezer_stops_what_lies_in_it_and_its_case_looks_for_another_dose(
    people: Mapping[str, Person], filled: Mapping[str, str], here: Parts
) -> None:
    quality, until = people["quality"], NOW + timedelta(days=9)
    centre = RegisterCentre(
        "Hospital", "Beijing", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "itself", NOW.date(), "",
        "quality@hospital.example", "",
    )  # fmt: skip
    await agreed(here.commands, name := f"centre-{uuid.uuid4().hex[:8]}", centre)
    case = await submitted(here, name)
    await case.tell(AcceptPatient(case.submission, "Dr Li", until))
    held = await here.commands.record(CommandRequest(filled["lot"], Meta("engine"), HoldUnit(case.id, "e-1", until)))
    unit = next(one.id for one in held.state.units.values() if one.held_at(NOW))
    await case.tell(HoldDose(filled["lot"], unit, until))
    answer = await sent(quality, filled["store"], FILE, key := uuid.uuid4().hex)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["count"], body["warmest"], len(body["excursions"]), body["lots"]) == (10, -140.0, 1, [filled["lot"]])
    state = (await here.commands.entry(filled["lot"])).state
    assert all(one.stopped for one in state.units.values())
    assert (await here.commands.record(CommandRequest(case.id, Meta("engine")))).facts
    assert any(fact.event == DoseLost("quarantined") for fact in (await here.commands.case(case.id))[1])
    again = await sent(quality, filled["store"], FILE, key)
    assert again.json()["excursions"] == body["excursions"], "sent twice, it is one"
    assert_problem(await sent(quality, filled["store"], FILE), 409, "already")


async def test_what_was_killed_between_reading_and_stopping_is_made_up_for(
    people: Mapping[str, Person], filled: Mapping[str, str], here: Parts
) -> None:
    quality = people["quality"]
    cold = await sent(quality, filled["store"], csv(NOW - 4 * HOUR, -180.0, -180.0))
    assert cold.json()["excursions"] == []
    state = (await here.commands.entry(filled["store"])).state
    found = parse(csv(NOW - 3 * HOUR, *[-120.0] * 9))
    await here.commands.record(CommandRequest(filled["store"], Meta("person-z"), state.summarised("ab", found)))
    assert not (await here.commands.entry(filled["lot"])).state.units[filled["first"]].stopped
    stopping = StoppingUnits(here.commands, RegisterQueries(here.ledger.pool))
    assert await stopping.round() >= 1
    lot_ = (await here.commands.entry(filled["lot"])).state
    assert all(one.stopped for one in lot_.units.values())
    assert await stopping.round() == 0, "once is enough"


async def test_two_lots_that_reach_for_one_place_at_once_never_both_get_it(
    people: Mapping[str, Person], here: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look before either writes: one unit lies there then, and who puts the other is told which one does."""
    quality, mark = people["quality"], uuid.uuid4().hex[:8]
    freezer, lots = await store(quality), [await lot(quality, f"{name}-{mark}") for name in "ab"]
    found, both = here.commands.places, asyncio.Barrier(2)
    assert found is not None
    waiting = [both.wait, both.wait]

    async def looked(of: str, by: str) -> Any:
        before = await found(of, by)
        if waiting:
            await waiting.pop()()
        return before

    monkeypatch.setattr(here.commands, "places", looked)
    commands = [
        CommandRequest(one, Meta("person-z"), PlaceUnit(f"{name}-{mark}", freezer, position))
        for one, name, position in zip(lots, "ab", ("A1", "a 1"), strict=True)
    ]
    ended = await asyncio.gather(*map(here.commands.record, commands), return_exceptions=True)
    (no,) = [one for one in ended if isinstance(one, Refused)]
    (won,) = [one for one in ended if isinstance(one, Recorded)]
    (there,) = [unit for unit in won.state.units.values() if unit.lies]
    assert (no.reason, no.field, no.detail) == (
        Reason.UNAVAILABLE, "position", f"another unit lies there: {there.id} of {won.stream}",
    )  # fmt: skip
    loser = next(one for one in lots if one != won.stream)
    body = {"type": "PlaceUnit", "unit": f"{'ab'[lots.index(loser)]}-{mark}", "store": freezer, "position": "A1"}
    assert_problem(await quality.post(f"/lots/{loser}/commands", body), 409, "unavailable")
    await told(quality, won.stream, "PlaceUnit", unit=there.id, store=freezer, position="A2")
    assert (await quality.post(f"/lots/{loser}/commands", body)).is_success, "it was moved away"


async def test_files_that_cannot_be_read_are_refused_whole(
    people: Mapping[str, Person], filled: Mapping[str, str]
) -> None:
    broken = await sent(people["quality"], filled["store"], csv(NOW - HOUR, -180.0) + "2026-03-01,cold\n")
    assert_problem(broken, 422, "invalid")
    assert broken.json()["errors"][0]["pointer"] == "#/line/3"
    assert_problem(await sent(people["coordinator"], filled["store"], csv(NOW - HOUR, -180.0)), 403, "not_allowed")
    ahead = await sent(people["quality"], filled["store"], csv(datetime.now(UTC) + HOUR, -180.0))
    assert_problem(ahead, 422, "invalid")
    shown = (await people["quality"].get(f"/stores/{filled['store']}")).json()
    assert shown["store"]["readings"] == 0
    forged = await people["quality"].post(f"/stores/{filled['store']}/commands", {
        "type": "RecordReadings", "digest": "ab", "first": "2026-01-01T00:00:00Z", "last": "2026-01-02T00:00:00Z",
        "count": 1, "coldest": -180.0, "warmest": -180.0})  # fmt: skip
    assert_problem(forged, 403, "not_allowed")
