"""Ledgers of many events, made fast and true: COPY with the hashes of infra.ledger.hashing, then tree and checkpoints.

Events are those of bench.append, in streams of 10, a checkpoint for every 1,000.
"""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from secrets import token_bytes
from typing import Any

import asyncpg

from bench.append import Personal, Plain
from domain.core.when import When
from infra.audit.checkpoints.checkpoint import Checkpoint, origin_of, signed
from infra.audit.checkpoints.sealer import Sealer, SealingLimits, sessions
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import FolderSink
from infra.audit.checkpoints.tree import frontier_at
from infra.audit.verification.verification import VerificationScope
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.encoding.hashing import START, event_hash
from infra.ledger.encoding.stored import Stored
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger

KEEP_CHECKPOINT = "insert into checkpoint values ($1, $2, $3, clock_timestamp())"
"""As an administrator, for a ledger that is filled before any sealer leads."""

STREAMS, LENGTH = 1_000, 10
BLOCK = STREAMS * LENGTH
"""Events written at once: version 1 of all these streams, then version 2 …"""
SEALED = 1_000
TICK = timedelta(microseconds=1)
DATA, META = json.dumps({"note": "x" * 300}, separators=(",", ":")), '{"actor":"a"}'
HEAD = "select position, recorded_at from event order by position desc limit 1"
HASHES = f"select hash from event where position > $1 order by position limit {SEALED}"
SIZE = "select coalesce(max(size), 0) from checkpoint"


def block(first: int, at: datetime) -> Iterator[tuple[Any, ...]]:
    """The rows of one block from a position and an instant on."""
    names = [fresh_stream("s") for _ in range(STREAMS)]
    last = [START] * STREAMS
    for version in range(1, LENGTH + 1):
        for n, name in enumerate(names):
            at += TICK
            event = Stored(
                first, name, version, fresh_id(), "Plain", 1, When.at(at), at, DATA, "{}", META, token_bytes(48), b""
            )
            last[n] = event_hash(last[n], event)
            yield (
                first,
                name,
                version,
                event.id,
                "Plain",
                1,
                at,
                at,
                "instant",
                at,
                DATA,
                "{}",
                META,
                event.salts,
                last[n],
            )
            first += 1


def write(dsn: str, first: int, at: datetime) -> None:
    """One block, in a process of its own."""

    async def copied() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.copy_records_to_table("event", records=block(first, at))
        await connection.close()

    asyncio.run(copied())


async def fill(dsn: str, size: int) -> None:
    """On from what is there, in whole blocks, until there are so many events."""
    connection = await asyncpg.connect(dsn)
    head = await connection.fetchrow(HEAD)
    assert head is not None
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        await asyncio.gather(*(
            loop.run_in_executor(pool, write, dsn, head["position"] + 1 + n, head["recorded_at"] + n * TICK)
            for n in range(0, size - head["position"], BLOCK)
        ))  # fmt: skip
    await connection.execute("vacuum analyze event")
    await connection.close()


async def opened(dsn: str, folder: Path) -> PgLedger:
    """The ledger over it."""
    keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
    return await open_ledger(dsn, keys, [Plain, Personal], "bench", "development", ids=fresh_id)


@dataclass(frozen=True, slots=True)
class Log:
    """A database, and what is kept of its log outside it."""

    dsn: str
    folder: Path

    @property
    def keys(self) -> SigningKeys:
        """Those that sign."""
        return SigningKeys(self.folder / "signing", origin_of("bench"))

    @property
    def sink(self) -> FolderSink:
        """Where checkpoints are kept."""
        return FolderSink(self.folder / "checkpoints")

    def sealer(self) -> Sealer:
        """It seals whatever is open."""
        return Sealer(self.dsn, self.keys, [self.sink], SealingLimits(events=1))

    def question(self, jobs: int, state: Path | None = None) -> VerificationScope:
        """Verify all of it, or on from where `state` says it was verified."""
        anchors = self.keys.known()
        return VerificationScope(
            dsn=self.dsn, origin=origin_of("bench"), sinks=[self.sink], anchors=anchors, jobs=jobs, state=state
        )

    async def grow(self) -> None:
        """Tree and checkpoints over every event; the sealer brings them to the sink."""
        connection, private = await asyncpg.connect(self.dsn), self.keys.current()
        tree = await frontier_at(connection, await connection.fetchval(SIZE))
        while rows := await connection.fetch(HASHES, tree.size):
            nodes = [node for row in rows for node in tree.append(row["hash"])]
            note = signed(Checkpoint(origin_of("bench"), tree.size, tree.root()), private)
            await connection.copy_records_to_table("tree_node", records=nodes)
            await connection.execute(KEEP_CHECKPOINT, tree.size, tree.root(), note)
        await connection.execute("vacuum analyze tree_node")
        await connection.execute("checkpoint")  # so that no measurement pays for the filling
        await connection.close()
        async with sessions(self.dsn) as pool:
            await self.sealer().round(pool)
