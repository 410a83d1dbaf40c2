"""Appends of 1, 10 and 100 events by 1 to 128 writers: the log alone, and with everything on.

Against a bare INSERT and COPY of as many bytes with commit and, with `--peers`, other event stores on the same server.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import asyncpg

from activities.ports import Append, Attention, CommandKey, Meta, Views
from bench.common import Asked, Call, Rate, Row, against, execute, in_turns, rates, server, timed
from bench.peers import Peer, peers
from bench.same_rows import COPIES, SameRows
from domain.core.fact import Draft
from domain.core.personal import Identity
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger

WRITERS, BATCHES = (1, 8, 32, 128), (1, 10, 100)
SECONDS, ROUNDS = 0.5, 3
LIFE = 200
"""Events of a case before the next begins."""
THEN = datetime(2026, 1, 2, tzinfo=UTC)
TABLE = "create table bare (id bigint generated always as identity primary key, stream text, data text)"
INSERT = "insert into bare (stream, data) select $1, x from unnest($2::text[]) x"
Kind = Callable[[], Awaitable[Rate]]


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


def drafts(event: type[Plain | Personal], batch: int) -> list[Draft[Any]]:
    """So many new events."""
    return [Draft(event(), fresh_id()) for _ in range(batch)]


def command() -> CommandKey:
    """A key that was never seen."""
    return CommandKey("a", fresh_id(), bytes(32))


def views(number: str, state: str) -> Views:
    """A worklist row with three obligations and an effect."""
    row: dict[str, Any] = {"number": number, "stage": state, "urgent": False, "on_hold": False, "open": True}
    row |= {"opened_at": THEN, "stage_since": THEN, "next_due": THEN, "facts_version": 1, "detail": "{}"}
    owed = {"kind": "a", "about": "b", "debtor": "c", "creditor": "d", "state": state, "due": THEN, "opened_at": THEN}
    asked = {"id": number, "kind": "a", "about": "b", "state": state, "tries": 0, "requested_at": THEN}
    return Views(row, [{**owed, "id": f"{number}-{i}"} for i in range(3)], [asked])


async def log_alone(ledger: PgLedger, batch: int, event: type[Plain | Personal] = Plain) -> None:
    """Hash, contiguous position and command key, to a stream of its own."""
    await ledger.append(Append(fresh_stream("s"), 0, drafts(event, batch), Meta("a"), command=command()))


class Everything:
    """Appends to a case: command memory, read models, attention, sealed fields; a new case now and then."""

    def __init__(self, ledger: PgLedger, batch: int) -> None:
        self._ledger, self._batch = ledger, batch
        self._stream, self._version = fresh_stream("case"), 0

    async def __call__(self) -> None:
        if self._version >= LIFE:
            self._stream, self._version = fresh_stream("case"), 0
        shown = views(self._stream[5:], str(self._version))
        new, known = drafts(Personal, self._batch), Attention()
        await self._ledger.append(Append(self._stream, self._version, new, Meta("a"), shown, command(), known))
        self._version += self._batch


async def cell(
    ledger: PgLedger, dsn: str, others: dict[str, Peer], writers: int, batch: int, seconds: float, rounds: int
) -> Row:
    """All kinds in turns, at one number of writers and one size."""
    connections = [await asyncpg.connect(dsn) for _ in range(writers)]
    data = ["x" * 600] * batch
    bare: dict[str, list[Call]] = {
        "INSERT": [lambda c=c: c.execute(INSERT, fresh_id(), data) for c in connections],  # type: ignore[misc]
        "COPY": [
            lambda c=c: c.copy_records_to_table(
                "bare", columns=["stream", "data"], records=[(fresh_id(), x) for x in data]
            )  # type: ignore[misc]
            for c in connections
        ],
        "log alone": [lambda: log_alone(ledger, batch)] * writers,
        "everything on": [Everything(ledger, batch) for _ in range(writers)],
        "same rows": [SameRows(c, batch, LIFE) for c in connections],
    }

    async def ours(calls: list[Call]) -> Rate:
        return of_events(await timed(calls, seconds), batch)

    async def theirs(peer: Peer) -> Rate:
        return of_events(await peer(writers, batch, seconds), batch)

    kinds: dict[str, Kind] = {kind: lambda calls=calls: ours(calls) for kind, calls in bare.items()}  # type: ignore[misc]
    kinds |= {name: lambda peer=peer: theirs(peer) for name, peer in others.items()}  # type: ignore[misc]
    found = (await in_turns(kinds, rounds + 1))[1:]  # the first warms up
    for connection in connections:
        await connection.close()
    return {
        "writers": writers,
        "batch": batch,
        **rates(found),
        "log alone against": against(found, "log alone", ("INSERT", "COPY", *others)),
        "everything on against": against(found, "everything on", ("INSERT", "COPY", "same rows")),
    }


def of_events(found: Rate, batch: int) -> Rate:
    """Events a second; the milliseconds stay those of an append."""
    return replace(found, per_second=found.per_second * batch)


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each number of writers and size of a batch; rates are events a second."""
    async with server() as (running, folder), AsyncExitStack() as stack:
        await execute(running.dsn, TABLE, *COPIES)
        keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
        ledger = await open_ledger(running.dsn, keys, [Plain, Personal], "bench", "development", ids=fresh_id)
        stack.push_async_callback(ledger.close)
        others = await peers(asked, running, folder, stack)
        for batch in asked.either(BATCHES, (1, 10)):
            for writers in asked.either(WRITERS, (1, 4)):
                sizes = writers, batch, asked.either(SECONDS, 0.05), asked.either(ROUNDS, 1)
                yield await cell(ledger, running.dsn, others, *sizes)
