"""Verifying the log on one core and on two, and sealing it, against reading the same rows and hashing their bytes.

One ledger, fsync on, `EVENTS` events of about 500 bytes in streams of 10; several rounds, order reversed each time;
ratios are of the same round. Prints JSON.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import asyncpg

from infra.checkpoints.checkpoint import origin_of
from infra.checkpoints.sealer import Limits, Sealer, sessions
from infra.checkpoints.signing import SigningKeys
from infra.checkpoints.sinks import FolderSink
from infra.ledger.migrate import migrate
from infra.postgres_server import PostgresServer
from infra.proof.chunk import CHUNK, ROWS, session
from infra.proof.verification import Question, verify

EVENTS = int(os.environ.get("BENCH_EVENTS", "100000"))
ROUNDS = 3
ORIGIN = origin_of("bench")
FILL = """
insert into event
select n, 'case-' || (n - 1) / 10, (n - 1) % 10 + 1, 'id-' || n, 'Measured', 1, now(), now(), 'instant',
       now(), repeat('x', 380), '{}', repeat('y', 100), decode(repeat(md5(n::text), 3), 'hex'), ''
from generate_series(1, $1) n
"""
LINK = """
update event set hash = caravel_event_hash(
    (select b.hash from event b where b.stream = event.stream and b.version = event.version - 1),
    stream, version, id, type, schema_version, occurred_earliest, occurred_latest, precision, recorded_at, salts, data,
    sealed, meta)
where version = $1
"""


async def fill(dsn: str) -> None:
    """The rows of a long life, linked as the append links them; a superuser's short cut past the append itself."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("alter table event disable trigger all")
    await connection.execute(FILL, EVENTS)
    for version in range(1, 11):
        await connection.execute(LINK, version)
    await connection.execute("alter table event enable always trigger event_is_append_only")
    await connection.close()
    await vacuum(dsn)


async def vacuum(dsn: str) -> None:
    """So that no round pays for the filling."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("vacuum analyze event")
    await connection.execute("checkpoint")
    await connection.close()


async def bare(dsn: str, first: int = 0, end: int = EVENTS) -> int:
    """The peer: the same rows over the same connection, every byte of them through SHA-256 once."""
    connection = await session(dsn)
    hashed = 0
    for start in range(first, end, CHUNK):
        for row in await connection.fetch(ROWS, start, min(start + CHUNK, end)):
            sha256(b"".join((row[11].encode(), row[10].encode(), row[12].encode(), row[13], row[14]))).digest()
            hashed += 1
    await connection.close()
    return hashed


def bare_here(dsn: str, first: int, end: int) -> int:
    """In a process of its own."""
    return asyncio.run(bare(dsn, first, end))


async def bare_on_two(dsn: str) -> int:
    """The peer on two cores."""
    loop, middle = asyncio.get_running_loop(), EVENTS // 2
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        parts = [loop.run_in_executor(pool, bare_here, dsn, *half) for half in ((0, middle), (middle, EVENTS))]
        return sum(await asyncio.gather(*parts))


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Events a second."""
    begun = time.perf_counter()
    await work()
    return EVENTS / (time.perf_counter() - begun)


async def measure(question: Question) -> dict[str, object]:
    """Medians, and ratios within each round."""
    dsn = question.dsn

    async def holds(jobs: int) -> None:
        found = await verify(replace(question, jobs=jobs))
        assert (found.broken, found.events) == (None, EVENTS), found

    kinds: dict[str, Callable[[], Awaitable[object]]] = {
        "bare, one core": lambda: bare(dsn),
        "verify, one core": lambda: holds(1),
        "bare, two cores": lambda: bare_on_two(dsn),
        "verify, two cores": lambda: holds(2),
    }
    rounds = []
    for number in range(ROUNDS):
        order = list(kinds) if number % 2 else list(kinds)[::-1]
        rounds.append({kind: await timed(kinds[kind]) for kind in order})
    rates = {kind: round(median(one[kind] for one in rounds)) for kind in kinds}
    ratios = {
        cores: round(median(one[f"verify, {cores}"] / one[f"bare, {cores}"] for one in rounds), 2)
        for cores in ("one core", "two cores")
    }
    return {"events": EVENTS, "events_per_second": rates, "verify_against_bare": ratios}


async def main() -> None:
    """One server with fsync on."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with PostgresServer(folder / "postgres") as server:
            await migrate(server.dsn)
            await fill(server.dsn)
            keys, sink = SigningKeys(folder / "signing", ORIGIN), FolderSink(folder / "checkpoints")
            begun = time.perf_counter()
            async with sessions(server.dsn) as pool:
                sealer = Sealer(server.dsn, keys, [sink], Limits(events=1))
                while await sealer.round(pool) == 0.0:
                    pass
            sealed = 1e6 * (time.perf_counter() - begun) / EVENTS
            question = Question(dsn=server.dsn, origin=ORIGIN, sinks=[sink], anchors=keys.known())
            found = {"sealing_microseconds_per_event": round(sealed, 1), **await measure(question)}
            sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
