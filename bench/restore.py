"""Restore: cases a second against bare workflow starts on the same Temporal, and memory.

Real cases in a real ledger, opened and looked at; no worker runs, so nothing but the
starting is measured.
"""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from api.run.engine.courier import Courier
from api.run.engine.restore import AT_ONCE, restore
from api.run.wiring import parts
from bench.common import Asked, Row, server, short
from bench.growth import fill
from infra.embedded.temporal_server import TemporalServer
from infra.settings import Settings

CASES = 2_000
DAY = timedelta(days=1)


async def bare(client: Client, number: int) -> float:
    """Seconds for so many starts of a workflow nobody runs, as many at once as restore does, without a pause."""
    began = time.perf_counter()
    for _ in range(0, number, AT_ONCE):
        starts = (
            client.start_workflow("Bare", id=uuid4().hex, task_queue="bare", start_delay=DAY) for _ in range(AT_ONCE)
        )
        await asyncio.gather(*starts)
    return time.perf_counter() - began


def megabytes() -> float:
    """The most this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(asked: Asked) -> AsyncIterator[Row]:
    """One row."""
    cases = asked.either(CASES, 20)
    async with server() as (running, folder), TemporalServer(folder / "temporal", ui=False) as temporal:
        settings = Settings(database_url=running.dsn, home=folder / "home", installation="bench")
        async with parts(settings) as here:
            await fill(here.commands, cases)
        client = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
        first = await bare(client, cases // 2)
        async with parts(settings) as here:
            before, began = megabytes(), time.perf_counter()
            done = await restore(here.ledger, client, Courier(here.ledger, client, running.dsn), take_over=False)
            seconds = time.perf_counter() - began
        alone = first + await bare(client, cases // 2)
    yield {
        "cases": done.now + done.later,
        "restored_per_second": round(cases / seconds),
        "bare_starts_per_second": round(cases / alone),
        "restored against bare": short(alone / seconds),
        "megabytes_more": round(megabytes() - before),
    }
