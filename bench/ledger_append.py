"""Appends against a bare INSERT of as many bytes, interleaved in one run: `python -m bench.ledger_append`."""

import asyncio
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

import asyncpg

from activities.ports import Append, Attention, CommandKey, Meta, Views
from domain.fact import Draft
from domain.personal import Identity
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.migrate import migrate
from infra.ledger.opening import open_ledger
from infra.postgres_server import PostgresServer

ROUNDS = 5
APPENDS = 400  # of each kind, each round
WRITERS = (1, 32)
THEN = datetime(2026, 1, 2, tzinfo=UTC)
Write = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Plain:
    """An event of an ordinary size with nothing personal."""

    note: str = "x" * 300
    type: Literal["Plain"] = "Plain"


@dataclass(frozen=True, slots=True)
class Personal:
    """The same with a sealed field, of a case whose key exists."""

    name: Identity = "x" * 40
    note: str = "x" * 260
    type: Literal["Personal"] = "Personal"


def new_id() -> str:
    return uuid.uuid4().hex


def case(number: str, state: str) -> Views:
    """A worklist row with three obligations and an effect."""
    row: dict[str, Any] = {"number": number, "stage": state, "urgent": False, "on_hold": False, "open": True}
    row |= {"opened_at": THEN, "stage_since": THEN, "next_due": THEN, "facts_version": 1, "detail": "{}"}
    owed = {"kind": "a", "about": "b", "debtor": "c", "creditor": "d", "state": state, "due": THEN, "opened_at": THEN}
    asked = {"id": number, "kind": "a", "about": "b", "state": state, "tries": 0, "requested_at": THEN}
    return Views(row, [{**owed, "id": f"{number}-{i}"} for i in range(3)], [asked])


async def log_alone(ledger: PgLedger) -> None:
    command = CommandKey("a", new_id(), bytes(32))
    await ledger.append(Append(f"s-{new_id()}", 0, [Draft(Plain(), new_id())], Meta("a"), command=command))


class Everything:
    """Appends to one case: command memory, read models, attention, sealing."""

    def __init__(self, ledger: PgLedger) -> None:
        self._ledger = ledger
        self._stream = f"case-{new_id()}"
        self._version = 0

    async def __call__(self) -> None:
        number = self._stream[5:]
        await self._ledger.append(
            Append(
                self._stream,
                self._version,
                [Draft(Personal(), new_id())],
                Meta("a"),
                case(number, str(self._version)),
                CommandKey("a", new_id(), bytes(32)),
                Attention(),
            )
        )
        self._version += 1


async def timed(writes: list[Write]) -> tuple[float, float]:
    """Appends a second over all writers, and the median seconds of one."""
    took: list[float] = []

    async def one(write: Write) -> None:
        for _ in range(APPENDS // len(writes)):
            begun = time.perf_counter()
            await write()
            took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(one(write) for write in writes))
    return len(took) / (time.perf_counter() - begun), median(took)


async def measure(ledger: PgLedger, dsn: str, writers: int) -> dict[str, Any]:
    """Medians over the rounds, and ratios within each round."""
    connections = [await asyncpg.connect(dsn) for _ in range(writers)]
    bare: list[Write] = [
        lambda c=c: c.execute("insert into bare (stream, data) values ($1, $2)", new_id(), "x" * 600)  # type: ignore[misc]
        for c in connections
    ]
    kinds: dict[str, list[Write]] = {
        "bare": bare,
        "log_alone": [lambda: log_alone(ledger)] * writers,
        "everything": [Everything(ledger) for _ in range(writers)],
    }
    rounds: list[dict[str, tuple[float, float]]] = []
    for number in range(ROUNDS):
        order = list(kinds) if number % 2 else list(kinds)[::-1]
        rounds.append({kind: await timed(kinds[kind]) for kind in order})
    for connection in connections:
        await connection.close()
    return {
        kind: {
            "per_second": round(median(r[kind][0] for r in rounds)),
            "p50_ms": round(1000 * median(r[kind][1] for r in rounds), 3),
            "rate_against_bare": round(median(r[kind][0] / r["bare"][0] for r in rounds), 2),
        }
        for kind in kinds
    }


async def main() -> None:
    """One server with fsync on, one JSON line a number of writers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with PostgresServer(folder / "postgres") as server:
            await migrate(server.dsn)
            connection = await asyncpg.connect(server.dsn)
            await connection.execute("create table bare (id bigserial primary key, stream text, data text)")
            keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
            ledger = await open_ledger(server.dsn, keys, [Plain, Personal], "bench", "development", ids=new_id)
            for writers in WRITERS:
                found = await measure(ledger, server.dsn, writers)
                sys.stdout.write(json.dumps({"writers": writers, **found}) + "\n")
            await ledger.close()
            await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
