"""A recall on the real Temporal, database and mail: lots stop, hospitals are asked, it ends when all have answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.command_handler import CommandRequest
from activities.doses.genealogy import Genealogy
from activities.doses.recalling import units_at
from activities.effect_handlers.mail import desks_of
from activities.effect_handlers.recalls import recall_handlers
from activities.effect_handlers.requests import Offices
from activities.gateways import Gateway
from activities.ports import Meta
from api.run.changes import desks
from api.run.engine.courier import Courier
from api.run.engine.restore import restore
from api.run.engine.worker import work, workers
from api.run.verifying import views_of
from api.run.wiring import Parts
from domain.catalogue.centre import RegisterCentre
from domain.doses.linking import LinkMaterial
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.doses.material import RegisterMaterial
from domain.doses.unit import HoldUnit
from domain.recalls.recall import AcknowledgeRecall, OpenRecall, Recall
from domain.stages.eligibility.eligibility import AcceptPatient
from infra.embedded.temporal_server import TemporalServer
from infra.identity.capabilities import recall_links
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries
from tests.agreed import agreed
from tests.api.submitted import Submitted, submitted
from tests.conftest import SOON
from tests.infra.gateways import SENDER, Mail, mail
from tests.workflows.rig import Hands, connected, eventually

pytestmark = pytest.mark.slow
LATER = datetime.now(UTC) + timedelta(days=400)
QUALITY, ENGINE = Meta("person-q"), Meta("engine")


@pytest.fixture(scope="module")
async def post(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mail]:
    async with mail(tmp_path_factory.mktemp("mail")) as started:
        yield started


@dataclass
class Play:
    """The engine over these parts; `hands` answer what cases ask, the real handlers what recalls do."""

    here: Parts
    client: Client
    courier: Courier
    queries: GenealogyQueries

    async def tell(self, stream: str, command: Any, meta: Meta = QUALITY) -> Any:
        return await self.here.commands.record(CommandRequest(stream, meta, command))

    async def recall(self, stream: str) -> Recall:
        state, _ = await self.here.commands.driven(stream)
        assert isinstance(state, Recall)
        return state

    async def lot(self, vector: str, *units: str) -> str:
        stream = fresh_stream("lot")
        await self.tell(stream, RegisterLot("CAR-S", units, LATER, by="person-p"))
        await self.tell(stream, ReleaseLot("person-q"))
        await self.tell(stream, LinkMaterial(vector))
        return stream

    async def accepted(self, centre: str) -> Submitted:
        case = await submitted(self.here, centre)
        until = datetime.now(UTC) + timedelta(days=60)
        await case.tell(AcceptPatient(case.submission, "Dr Wu", until))
        return case


def nowhere(centre: str, endpoint: str) -> Gateway:
    raise AssertionError(f"{centre} has no interface at {endpoint}")


@pytest.fixture(scope="module")
async def play(here: Parts, post: Mail, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Play]:
    async with TemporalServer(tmp_path_factory.mktemp("temporal"), ui=False, config=SOON) as server:
        client = await connected(server.address)
        dsn = here.settings.database_url.get_secret_value()
        courier, queries = Courier(here.ledger, client, dsn), GenealogyQueries(here.ledger.pool, here.keys)
        offices = Offices(SENDER, desks_of(here.ledger, desks(here.settings)))
        own = recall_handlers(
            here.commands,
            offices,
            post.side,
            queries.numbers_of,
            recall_links(here.ledger, "http://c.example"),
            nowhere,
            units_at(Genealogy(here.ledger, queries)),
        )
        await restore(here.ledger, client, courier, take_over=False)
        stop = asyncio.Event()
        handlers = {**Hands().table(), **own}
        working = asyncio.create_task(work(workers(client, here.commands, handlers), [courier.run], stop))
        yield Play(here, client, courier, queries)
        stop.set()
        await working


async def centre(here: Parts, mail_: str) -> str:
    told = RegisterCentre(
        "First",
        "Beijing",
        "CN",
        "Asia/Shanghai",
        ("zh",),
        True,
        ("cell_therapy",),
        "itself",
        LATER.date(),
        "",
        mail_,
        "",
    )
    return (await agreed(here.commands, fresh_stream("centre"), told)).stream


async def vector_lot(play: Play) -> str:
    code = f"LV-{fresh_stream('x')}"
    stream = await play.queries.stream_of("vector_lot", code)
    await play.tell(stream, RegisterMaterial("vector_lot", code, vector="lentiviral", integrating=True))
    return stream


async def made_due(dsn: str, recall: str) -> None:
    """An hour has passed: the look at it is overdue, as the courier sees it."""
    connection = await asyncpg.connect(dsn)
    passed = "update attention set wake_at = clock_timestamp() - interval '2 minutes' where stream = $1 and ended"
    assert await connection.execute(passed, recall) == "UPDATE 1"
    await connection.close()


async def told(post: Mail) -> Sequence[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = await post.process.get("/messages?limit=1000")
    return found


async def test_a_recall_stops_every_lot_asks_each_hospital_and_ends_when_all_have_acknowledged(
    play: Play, post: Mail, dsn: str
) -> None:
    vector = await vector_lot(play)
    first, second = await play.lot(vector, "a1"), await play.lot(vector, "b1")
    other = await play.lot(await vector_lot(play), "c1")
    hospital = await centre(play.here, "quality@hospital.example")
    case = await play.accepted(hospital)
    await play.tell(first, HoldUnit(case.id, "e-1", LATER - timedelta(days=300)), ENGINE)
    recall = fresh_stream("recall")
    opened = await play.tell(recall, OpenRecall(vector, "titre out of specification"))
    assert set(opened.state.lots) == {first, second}
    assert opened.state.waiting == [hospital]

    async def stopped() -> bool:
        state = await play.recall(recall)
        return all(state.stopped(lot) for lot in (first, second))

    assert await eventually(stopped)
    states = [(await play.here.commands.entry(lot)).state.state for lot in (first, second, other)]
    assert states == ["recalled", "recalled", "released"]

    async def asked() -> bool:
        return any(one["recipient"] == "quality@hospital.example" for one in await told(post))

    assert await eventually(asked)
    [message] = [one for one in await told(post) if one["recipient"] == "quality@hospital.example"]
    number = (await case.state()).number
    body = str((await post.process.get(f"/messages/{message['id']}"))["body"])
    assert number in body
    assert re.search(r"http://c\.example/reply/\S+/recall", body), "the hospital answers on a page of its own"
    running = await play.client.get_workflow_handle(recall).describe()
    assert (running.workflow_type, running.status) == ("CaravelRecall", WorkflowExecutionStatus.RUNNING)
    assert not (await play.recall(recall)).over
    await play.tell(recall, AcknowledgeRecall(hospital, "Dr Wu"))
    assert (await play.recall(recall)).over

    async def ended() -> bool:
        described = await play.client.get_workflow_handle(recall).describe()
        return described.status == WorkflowExecutionStatus.COMPLETED

    assert await eventually(ended)
    late = await play.lot(await vector_lot(play), "late1")
    await play.tell(late, LinkMaterial(vector))
    await made_due(dsn, recall)

    async def taken_up_again() -> bool:
        return bool((await play.here.commands.entry(late)).state.state == "recalled")

    assert await eventually(taken_up_again), "an ended recall is looked at again"


async def test_a_wiped_temporal_is_the_loop_started_again(play: Play) -> None:
    vector = await vector_lot(play)
    lot, hospital = await play.lot(vector, "a1"), await centre(play.here, "other@hospital.example")
    case = await play.accepted(hospital)
    await play.tell(lot, HoldUnit(case.id, "e-2", LATER - timedelta(days=300)), ENGINE)
    recall = fresh_stream("recall")
    await play.tell(recall, OpenRecall(vector, "late positive sterility"))

    async def quiet() -> bool:
        return not any(e.pending for e in (await play.recall(recall)).effects.values())

    assert await eventually(quiet)
    owed = (await play.recall(recall)).obligations
    await play.client.get_workflow_handle(recall).terminate()
    await restore(play.here.ledger, play.client, play.courier, take_over=True)

    async def runs() -> bool:
        described = await play.client.get_workflow_handle(recall).describe()
        return described.status == WorkflowExecutionStatus.RUNNING

    assert await eventually(runs)
    assert (await play.recall(recall)).obligations == owed, "the same is owed at the same instants"


async def test_a_drill_stops_nothing(play: Play, post: Mail) -> None:
    vector = await vector_lot(play)
    lot, hospital = await play.lot(vector, "a1"), await centre(play.here, "drill@hospital.example")
    case = await play.accepted(hospital)
    await play.tell(lot, HoldUnit(case.id, "e-3", LATER - timedelta(days=300)), ENGINE)
    recall = fresh_stream("recall")
    await play.tell(recall, OpenRecall(vector, "yearly", drill=True))

    async def asked() -> bool:
        return any(one["recipient"] == "drill@hospital.example" for one in await told(post))

    assert await eventually(asked)
    assert (await play.here.commands.entry(lot)).state.state == "released"
    await play.tell(recall, AcknowledgeRecall(hospital, "Dr Wu"))
    assert (await play.recall(recall)).over


async def test_its_read_models_are_those_its_events_make(play: Play) -> None:
    vector = await vector_lot(play)
    await play.lot(vector, "a1")
    recall = fresh_stream("recall")
    await play.tell(recall, OpenRecall(vector, "why", drill=True))
    row = await play.here.ledger.pool.fetchrow("select state from source where stream = $1", recall)
    assert row is not None
    facts = (await play.here.ledger.load(recall)).facts
    assert '"state": "ended"' in row["state"]
    assert views_of(recall, facts).source is not None
