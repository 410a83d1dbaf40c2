"""Verifying the log on one core and on two, and sealing it, against reading the same rows and hashing their bytes.

100,000 events of about 500 bytes in streams of 10.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from hashlib import sha256
from multiprocessing import get_context

from bench.common import Asked, Rate, Row, against, in_turns, rates, server, short
from bench.filled import SIZE, Log, fill, opened
from infra.audit.checkpoints.sealer import sessions
from infra.audit.queries import CHUNK_ROWS
from infra.audit.verification.chunk import CHUNK, session
from infra.audit.verification.verification import VerificationScope, verify

EVENTS, ROUNDS = 100_000, 3


async def bare(dsn: str, first: int, end: int) -> int:
    """The peer: the same rows over the same connection, every byte of them through SHA-256 once."""
    connection = await session(dsn)
    hashed = 0
    for start in range(first, end, CHUNK):
        for row in await connection.fetch(CHUNK_ROWS, start, min(start + CHUNK, end)):
            sha256(b"".join((row[11], row[10], row[12], row[13], row[14]))).digest()
            hashed += 1
    await connection.close()
    return hashed


def bare_here(dsn: str, first: int, end: int) -> int:
    """In a process of its own."""
    return asyncio.run(bare(dsn, first, end))


async def bare_on_two(dsn: str, events: int) -> int:
    """The peer on two cores."""
    loop, middle = asyncio.get_running_loop(), events // 2
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        parts = [loop.run_in_executor(pool, bare_here, dsn, *half) for half in ((0, middle), (middle, events))]
        return sum(await asyncio.gather(*parts))


async def timed(work: Callable[[], Awaitable[object]], events: int) -> Rate:
    """Events a second."""
    begun = time.perf_counter()
    await work()
    took = time.perf_counter() - begun
    return Rate(events / took, 1000 * took, 1000 * took)


async def measure(question: VerificationScope, events: int, rounds: int) -> Row:
    """Medians, and ratios within each round."""
    dsn = question.dsn

    async def holds(jobs: int) -> None:
        found = await verify(replace(question, jobs=jobs))
        assert (found.broken, found.events) == (None, events), found

    works: dict[str, Callable[[], Awaitable[object]]] = {
        "bare, one core": lambda: bare(dsn, 0, events),
        "verify, one core": lambda: holds(1),
        "bare, two cores": lambda: bare_on_two(dsn, events),
        "verify, two cores": lambda: holds(2),
    }
    kinds = {kind: lambda work=work: timed(work, events) for kind, work in works.items()}
    found = await in_turns(kinds, rounds)
    ratios = {cores: against(found, f"verify, {cores}", [f"bare, {cores}"]) for cores in ("one core", "two cores")}
    return {
        "events": events,
        "per_second": rates(found)["per_second"],
        "verify against bare": {cores: rate for cores, one in ratios.items() for rate in one.values()},
    }


async def main(asked: Asked) -> AsyncIterator[Row]:
    """Sealing all of it, then verifying it."""
    size = asked.either(EVENTS, 10_000)
    async with server() as (running, folder):
        await (await opened(running.dsn, folder)).close()  # it has its name now
        await fill(running.dsn, size)
        log = Log(running.dsn, folder / "log")
        begun = time.perf_counter()
        async with sessions(running.dsn) as pool:
            sealer = log.sealer()
            while await sealer.round(pool) == 0.0:
                pass
            events = await pool.fetchval(SIZE)
        sealed = 1e6 * (time.perf_counter() - begun) / events
        yield {"sealing_microseconds_per_event": short(sealed)}
        yield await measure(log.question(1), events, asked.either(ROUNDS, 1))
