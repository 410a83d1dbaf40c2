"""A ledger of 100,000 to 5,000,000 events: append, load, prove, seal, and verify on from where it was verified.

One database a size on one server, each copied from the one before and filled on (bench/filled.py), each verified in
full before anything is measured, then all measured in turns. The last row is the largest against the smallest.
"""

import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from shutil import copytree
from statistics import median

from bench.append import Everything, log_alone
from bench.common import Asked, Call, Row, execute, growth, server, short, spans
from bench.filled import SIZE, Log, fill, opened
from infra.audit.checkpoints.sealer import sessions
from infra.audit.checkpoints.tree import consistency, inclusion
from infra.audit.verification.verification import verify
from infra.embedded.postgres_server import PostgresServer

SIZES = (100_000, 300_000, 1_000_000, 5_000_000)
ROUNDS, SEALINGS, NEW = 15, 5, 1_000
SAMPLE = "select stream from event where position = any($1::bigint[])"
MORE = "create database {} template {} strategy file_copy"


async def made(running: PostgresServer, folder: Path, size: int, before: Log | None) -> tuple[Log, Row]:
    """A ledger that holds, and how long making and verifying took."""
    name, began = f"of_{size}", time.perf_counter()
    log = Log(running.dsn_of(name), folder / name)
    await execute(running.dsn_of("postgres"), MORE.format(name, before.folder.name if before else "caravel"))
    if before:
        copytree(before.folder, log.folder)
    await fill(log.dsn, size)
    await log.grow()
    filled = time.perf_counter() - began
    found = await verify(log.question(2, log.folder / "verified"))
    assert found.broken is None, found
    took = time.perf_counter() - began - filled
    rate = round((found.events - found.resumed) / took)
    return log, {"events": found.events, "filled_in_s": round(filled), "verified_per_second, two cores": rate}


async def calls(log: Log, folder: Path, stack: AsyncExitStack) -> dict[str, Call]:
    """What is measured of one ledger, call by call."""
    ledger = await opened(log.dsn, folder)
    stack.push_async_callback(ledger.close)
    size = await ledger.pool.fetchval(SIZE)
    positions = random.sample(range(2, size), 1_000)
    streams = iter({row["stream"] for row in await ledger.pool.fetch(SAMPLE, positions)})
    proofs = await stack.enter_async_context(sessions(log.dsn))
    return {
        "append, log alone": lambda: log_alone(ledger, 1),
        "append, everything on": Everything(ledger, 1),
        "append 100": lambda: log_alone(ledger, 100),
        "load 10 events": lambda: ledger.load(next(streams)),
        "inclusion proof": lambda: inclusion(proofs, random.randint(2, size), size),
        "consistency proof": lambda: consistency(proofs, random.randint(2, size), size),
    }


async def sealed_and_verified(log: Log, calls: dict[str, Call]) -> dict[str, float]:
    """Milliseconds of a checkpoint over NEW events, tree and sink included, and of verifying on to it."""
    for _ in range(NEW // 100):
        await calls["append 100"]()
    async with sessions(log.dsn) as pool:
        sealer = log.sealer()
        await sealer.ship(pool)  # what the sink holds was looked at
        began = time.perf_counter()
        await sealer.round(pool)
        sealed = time.perf_counter()
    found = await verify(log.question(1, log.folder / "verified"))
    assert found.broken is None, found
    return {"seal": 1000 * (sealed - began), "verify on": 1000 * (time.perf_counter() - sealed)}


async def measured(logs: dict[int, Log], folder: Path, asked: Asked) -> dict[int, dict[str, float]]:
    """Milliseconds, p50, of everything, by size."""
    async with AsyncExitStack() as stack:
        places = {size: await calls(log, folder, stack) for size, log in logs.items()}
        rounds = range(asked.either(SEALINGS, 1))
        found = [{size: await sealed_and_verified(log, places[size]) for size, log in logs.items()} for _ in rounds]
        p50 = await spans(places, asked.either(ROUNDS, 1), 4)
    for size, one in p50.items():
        one.pop("append 100")
        one |= {name: short(median(each[size][name] for each in found)) for name in found[0][size]}
    return p50


async def main(asked: Asked) -> AsyncIterator[Row]:
    """Rows of how they were made, then one a size, then the growth; `--events` is the largest size."""
    async with server() as (running, folder):
        await (await opened(running.dsn, folder)).close()  # it has its name now
        logs: dict[int, Log] = {}
        for size in asked.either([size for size in SIZES if size <= (asked.events or SIZES[-1])], [10_000, 20_000]):
            logs[size], row = await made(running, folder, size, next(reversed(logs.values()), None))
            yield row
        p50 = await measured(logs, folder, asked)
    for size, found in p50.items():
        yield {"events": size, "p50_ms": found}
    yield growth(p50)
