"""A merge and an erasure on the real Temporal and database: the engine itself tells the other case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from activities.effect_handlers.linking import on_cases
from api.run.engine.courier import Courier
from api.run.engine.restore import restore
from api.run.engine.worker import work, workers
from api.run.wiring import Parts
from domain.case.stage import Exit, Stage
from domain.case.state import Case
from infra.embedded.temporal_server import TemporalServer
from tests.api.conftest import Person
from tests.api.routes.intake.test_linking import two
from tests.conftest import SOON
from tests.workflows.rig import Hands, connected, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
async def engine(here: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    async with TemporalServer(tmp_path_factory.mktemp("temporal"), ui=False, config=SOON) as server:
        client = await connected(server.address)
        courier = Courier(here.ledger, client, here.settings.database_url.get_secret_value())
        await restore(here.ledger, client, courier, take_over=False)
        stop = asyncio.Event()
        handlers = {**Hands().table(), **on_cases(here.commands)}
        working = asyncio.create_task(work(workers(client, here.commands, handlers), [courier.run], stop))
        yield
        stop.set()
        await working


@pytest.mark.usefixtures("engine")
async def test_the_engine_merges_and_orders_the_erasure_in_the_other_case(
    here: Parts, people: Mapping[str, Person]
) -> None:
    supervisor, quality = people["supervisor"], people["quality"]
    old, new, _ = await two(supervisor)

    async def case(one: Mapping[str, Any]) -> Case:
        return (await here.commands.case(one["case"]))[0]

    async def merged() -> bool:
        return (await case(old)).merged_into is not None

    async def ordered() -> bool:
        return (await case(old)).erasure is not None

    asked = await supervisor.send(old["case"], "MergeCase", other=new["number"], reason="one person", confirmed=True)
    assert asked.status_code == 200, asked.text
    await eventually(merged)
    stands = await case(old)
    assert (stands.stage, stands.exit) == (Stage.CLOSED, Exit.MERGED)
    assert [(link.number, link.kind) for link in (await case(new)).links.values()] == [(old["number"], "replaces")]
    await supervisor.send(new["case"], "LeaveJourney", reason="declined")
    await quality.send(new["case"], "OrderErasure", reason="objection")
    order = (await case(new)).erasure
    assert order is not None
    await supervisor.send(new["case"], "ConfirmErasure", order=order.order)
    await eventually(ordered)
