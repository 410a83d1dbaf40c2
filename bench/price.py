"""What proof and privacy cost an append: the same path without hashing, with a sealed field, and beside a sealer.

32 writers that go on with streams of their own, single events and batches of 10. One database each on one server; the
one without hashing has an SQL function that answers with a constant in its place. The sealer, a process of its own
(`python -m bench.price DSN FOLDER`), extends the tree and signs as it does beside the courier.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from activities.ports import Append, Meta
from bench.append import Personal, Plain, command, drafts, of_events
from bench.common import Asked, Rate, Row, in_turns, rates, server, short, timed
from infra.audit.checkpoints.checkpoint import origin_of
from infra.audit.checkpoints.sealer import Sealer, SealingLimits
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import FolderSink
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger

WRITERS, BATCHES = 32, (1, 10)
SECONDS, ROUNDS = 1.0, 7
PLAIN, PERSONAL, TREE = "as it is", "with a sealed field", "beside a sealer"
ARGUMENTS = "select pg_get_function_identity_arguments('caravel_event_hash'::regproc)"
CONSTANT = """
create or replace function caravel_event_hash({}) returns bytea language sql stable parallel safe
as $$ select '\\x{}'::bytea $$
"""
SEALED = "select max(size) from checkpoint"


class Stream:
    """One writer's."""

    def __init__(self, ledger: PgLedger, event: type[Plain | Personal], batch: int) -> None:
        self._ledger, self._event, self._batch = ledger, event, batch
        self._stream, self._version = fresh_stream("s"), 0

    async def __call__(self) -> None:
        new = drafts(self._event, self._batch)
        await self._ledger.append(Append(self._stream, self._version, new, Meta("a"), command=command()))
        self._version += self._batch


async def without_hash(dsn: str) -> None:
    """Put a constant in the place of every hash."""
    connection = await asyncpg.connect(dsn)
    arguments = await connection.fetchval(ARGUMENTS)
    await connection.execute(CONSTANT.format(arguments, "00" * 32))
    await connection.close()


async def seal(dsn: str, folder: Path) -> None:
    """The sealer, until it is stopped."""
    keys = SigningKeys(folder / "signing", origin_of("bench"))
    await Sealer(dsn, keys, [FolderSink(folder / "checkpoints")], SealingLimits()).run()


async def measure(ledgers: dict[str, PgLedger], batch: int, asked: Asked) -> Row:
    """All in turns; prices are compared within a round."""
    seconds, writers = asked.either(SECONDS, 0.05), asked.either(WRITERS, 2)

    def kind(name: str, ledger: PgLedger) -> Any:
        streams = [Stream(ledger, Personal if name == PERSONAL else Plain, batch) for _ in range(writers)]

        async def events() -> Rate:
            return of_events(await timed(streams, seconds), batch)

        return events

    kinds = {name: kind(name, ledger) for name, ledger in ledgers.items()}
    rounds: list[dict[str, Rate]] = (await in_turns(kinds, asked.either(ROUNDS, 1) + 1))[1:]
    cost = [{name: 1e6 / rate.per_second for name, rate in one.items()} for one in rounds]
    shares = {name: sorted(one[name] / one[PLAIN] for one in cost) for name in kinds}
    return {
        "writers": writers,
        "batch": batch,
        **rates(rounds),
        "microseconds an event": {name: short(median(one[name] for one in cost)) for name in kinds},
        "share of as it is": {name: short(median(some)) for name, some in shares.items()},
        "from round to round": {name: f"{some[0]:.2f} to {some[-1]:.2f}" for name, some in shares.items()},
    }


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each size of a batch, then how much the sealer sealed meanwhile."""
    databases = {
        PLAIN: "plain",
        "without hashing": "unhashed",
        "with a sealed field": "personal",
        "beside a sealer": "tree",
    }
    async with server(databases.values()) as (running, folder), AsyncExitStack() as stack:
        await without_hash(running.dsn_of("unhashed"))
        keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
        ledgers = {}
        for name, database in databases.items():
            ledgers[name] = await open_ledger(
                running.dsn_of(database), keys, [Plain, Personal], "bench", "development", ids=fresh_id
            )
            stack.push_async_callback(ledgers[name].close)
        words = (sys.executable, "-m", "bench.price", running.dsn_of("tree"), str(folder))
        sealer = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL)
        for batch in BATCHES:
            yield await measure(ledgers, batch, asked)
        await asyncio.sleep(asked.either(2.0, 0.0))
        sealed = await ledgers[TREE].pool.fetchval(SEALED)
        sealer.terminate()
        await sealer.wait()
        yield {"sealed meanwhile": sealed, "of": await ledgers[TREE].head()}


if __name__ == "__main__":
    asyncio.run(seal(sys.argv[1], Path(sys.argv[2])))
