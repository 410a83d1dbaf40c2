"""A case's turn against the least Temporal can do: signal-with-start plus a no-op activity, interleaved in one run.

Committed fact → attended, p50 and p99 in milliseconds, and history events per turn.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from statistics import median, quantiles
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.attend import Attending
from activities.command_handler import CommandHandler, CommandRequest
from activities.messages import Attend, Turn
from activities.ports import Meta
from api.run.engine.courier import Courier
from api.run.engine.worker import RUNNER
from bench.common import Asked, Row, server
from domain.engine.evolve import EVENTS
from domain.stages.anytime.notes import AddNote
from domain.stages.intake.inquiry import OpenCase
from infra.embedded.temporal_server import TemporalServer
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.opening import open_ledger
from infra.policy.reading import load_policy
from workflows.case import CaseWorkflow
from workflows.names import CASES

TURNS, WARM = 150, 10
PATIENCE = timedelta(seconds=5)


@workflow.defn(name="Bare", sandboxed=False)  # a module run by name cannot be imported again
class Bare:
    """Waits for a nudge, runs the no-op, waits again."""

    def __init__(self) -> None:
        self.nudges = 0
        self.done = 0

    @workflow.signal
    def nudge(self) -> None:
        self.nudges += 1

    @workflow.run
    async def run(self) -> None:
        while self.done < TURNS + WARM:
            await workflow.wait_condition(lambda: self.nudges > self.done)
            await workflow.execute_activity("nothing", start_to_close_timeout=PATIENCE)
            self.done += 1


async def main(asked: Asked) -> AsyncIterator[Row]:
    """One row."""
    async with server() as (running, folder), TemporalServer(folder / "temporal", ui=False) as temporal:
        keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
        ledger = await open_ledger(running.dsn, keys, EVENTS, "bench", "development", ids=fresh_id)
        commands = CommandHandler(ledger, load_policy(), fresh_id, lambda _, state: state)
        client = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
        yield await _measure(commands, client, Courier(ledger, client, running.dsn), asked.either(TURNS, 5))
        await ledger.close()


async def _measure(commands: CommandHandler, client: Client, courier: Courier, number: int) -> Row:
    looked, ran = asyncio.Event(), asyncio.Event()
    attending = Attending(commands)

    @activity.defn(name="attend")
    async def attend(step: Attend) -> Turn:
        turn = await attending.attend(step)
        looked.set()
        return turn

    @activity.defn(name="nothing")
    async def nothing() -> None:
        ran.set()

    common: dict[str, Any] = {"workflow_runner": RUNNER, "max_cached_workflows": 1_000}
    async with (
        Worker(client, task_queue=CASES, workflows=[CaseWorkflow], activities=[attend], **common),
        Worker(client, task_queue="bare", workflows=[Bare], activities=[nothing], **common),
    ):
        carrying = asyncio.create_task(courier.run())
        case = fresh_stream("case")
        await commands.record(CommandRequest(case, Meta("person-1"), OpenCase("IN", "en", "Asia/Kolkata", "A. Rao")))
        await asyncio.sleep(2)
        turns, bare = [], []
        for _ in range(number + WARM):
            turns.append(await _timed(looked, lambda: _note(commands, case)))
            bare.append(await _timed(ran, lambda: _nudge(client)))
        carrying.cancel()
        return await _report(client, case, turns[WARM:], bare[WARM:])


async def _timed(done: asyncio.Event, start: Callable[[], Awaitable[float]]) -> float:
    done.clear()
    began = await start()
    await asyncio.wait_for(done.wait(), 120)
    elapsed = (time.perf_counter() - began) * 1e3
    await asyncio.sleep(0.03)  # let the rest of the turn end, so that every turn stands alone
    return elapsed


async def _note(commands: CommandHandler, case: str) -> float:
    await commands.record(CommandRequest(case, Meta("person-1"), AddNote("note", "a note")))
    return time.perf_counter()


async def _nudge(client: Client) -> float:
    began = time.perf_counter()
    await client.start_workflow(
        "Bare",
        id="bare",
        task_queue="bare",
        start_signal="nudge",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    return began


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


async def _report(client: Client, case: str, turns: list[float], bare: list[float]) -> Row:
    events = [e async for e in client.get_workflow_handle(case).fetch_history_events()]
    return {
        "turn_ms": {"p50": round(median(turns), 1), "p99": round(_p99(turns), 1)},
        "bare_ms": {"p50": round(median(bare), 1), "p99": round(_p99(bare), 1)},
        "ratio": {"p50": round(median(turns) / median(bare), 2), "p99": round(_p99(turns) / _p99(bare), 2)},
        "history_events_per_turn": round(len(events) / (len(turns) + WARM), 1),
    }
