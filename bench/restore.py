"""Restore: cases a second against bare workflow starts on the same Temporal, and memory.

`python -m bench.restore [cases]`. Real cases in a real ledger, opened and looked at; no worker runs, so nothing but the
starting is measured.
"""

import asyncio
import json
import resource
import sys
import time
from datetime import timedelta
from shutil import rmtree
from uuid import uuid4

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from api.run.courier import Courier
from api.run.restore import AT_ONCE, restore
from api.run.wiring import parts
from bench.case_turn import fresh_folder
from bench.growth import fill
from infra.ledger.migrate import migrate
from infra.postgres_server import PostgresServer
from infra.settings import Settings
from infra.temporal_server import TemporalServer

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


async def main(cases: int) -> None:
    """Print JSON."""
    folder = await asyncio.to_thread(fresh_folder)
    try:
        async with PostgresServer(folder / "pg") as pg, TemporalServer(folder / "temporal", ui=False) as temporal:
            await migrate(pg.dsn)
            settings = Settings(database_url=pg.dsn, home=folder / "home", installation="bench")  # type: ignore[arg-type]
            async with parts(settings) as here:
                await fill(here.door, cases)
            client = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
            first = await bare(client, cases // 2)
            async with parts(settings) as here:
                before, began = megabytes(), time.perf_counter()
                done = await restore(here.ledger, client, Courier(here.ledger, client, pg.dsn), take_over=False)
                seconds = time.perf_counter() - began
            alone = first + await bare(client, cases // 2)
            print(json.dumps({
                "cases": done.now + done.later,
                "restored_per_second": round(cases / seconds),
                "bare_starts_per_second": round(cases / alone),
                "ratio": round(alone / seconds, 2),
                "megabytes_more": round(megabytes() - before),
            }))  # fmt: skip
    finally:
        await asyncio.to_thread(rmtree, folder)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else CASES))
