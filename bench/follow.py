"""Nothing is missed: a follower by position while 32 writers in two processes append batches of 100.

`python -m bench follow --events 10000000` is the long run; `python -m bench.follow DSN FOLDER EVENTS` is one process of
writers.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import asyncpg

from activities.ports import Append, Meta
from bench.common import Asked, Row, server
from domain.core.fact import Draft
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger

EVENTS, BATCH, PROCESSES, WRITERS = 200_000, 100, 2, 16
TELL = 250_000
COUNT = "select count(*), min(position), max(position) from event"


@dataclass(frozen=True, slots=True)
class Counted:
    """A small event."""

    number: int
    type: Literal["Counted"] = "Counted"


@dataclass(slots=True)
class Followed:
    """What came by: `gaps` positions that were stepped over, `again` that came twice or late."""

    events: int = 0
    last: int = 0
    gaps: int = 0
    again: int = 0

    def take(self, position: int) -> None:
        """One more."""
        self.events += 1
        self.gaps += max(0, position - self.last - 1)
        self.again += position <= self.last
        self.last = max(self.last, position)


async def opened(dsn: str, folder: Path) -> PgLedger:
    """The ledger, as every process of this run opens it."""
    keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
    return await open_ledger(dsn, keys, [Counted], "bench", "development", ids=fresh_id)


async def append(ledger: PgLedger, number: int, batch: int) -> int:
    """Events acknowledged."""
    drafts: list[Draft[Any]] = [Draft(Counted(number + n), fresh_id()) for n in range(batch)]
    return len(await ledger.append(Append(fresh_stream("s"), 0, drafts, Meta("a"))))


async def write(dsn: str, folder: Path, events: int) -> None:
    """One process: as many events by WRITERS at once; prints how many were acknowledged."""
    ledger = await opened(dsn, folder)
    batches = iter(range(0, events, BATCH))
    acknowledged = [0] * WRITERS

    async def one(writer: int) -> None:
        for number in batches:
            acknowledged[writer] += await append(ledger, number, min(BATCH, events - number))

    await asyncio.gather(*map(one, range(WRITERS)))
    print(sum(acknowledged))
    await ledger.close()


async def followed(ledger: PgLedger, end: "asyncio.Future[int]") -> Followed:
    """Everything from the first event, until the one at the position `end` was told."""
    found, began = Followed(), time.perf_counter()
    async with aclosing(ledger.follow(0)) as events:
        async for event in events:
            found.take(event.position)
            if found.events % TELL == 0:
                print(f"{found} after {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            if end.done() and event.position >= end.result():
                break
    return found


async def writers(dsn: str, folder: Path, events: int) -> int:
    """Events acknowledged to all processes."""
    words = (sys.executable, "-m", "bench.follow", dsn, str(folder), str(events // PROCESSES))
    pipe = asyncio.subprocess.PIPE
    running = [await asyncio.create_subprocess_exec(*words, stdout=pipe) for _ in range(PROCESSES)]
    return sum([int((await one.communicate())[0]) for one in running])


async def main(asked: Asked) -> AsyncIterator[Row]:
    """One row; `missed` is what the table holds and the follower did not see."""
    events = asked.events or asked.either(EVENTS, 2_000)
    async with server() as (running, folder):
        ledger = await opened(running.dsn, folder)
        end = asyncio.get_running_loop().create_future()
        following = asyncio.create_task(followed(ledger, end))
        began = time.perf_counter()
        acknowledged = await writers(running.dsn, folder, events)
        written = time.perf_counter() - began
        end.set_result(await ledger.head() + 1)
        await append(ledger, 0, 1)  # the follower wakes and sees that it has come to the end
        found = await following
        caught_up = time.perf_counter() - began - written
        connection = await asyncpg.connect(running.dsn)
        counted = await connection.fetchrow(COUNT)
        assert counted is not None
        there, first, last = counted
        await connection.close()
        await ledger.close()
    yield {
        "events": there,
        "followed": found.events,
        "missed": there - found.events + found.again,
        "gaps": found.gaps,
        "twice or out of order": found.again,
        "acknowledged": acknowledged,
        "contiguous": (first, last) == (1, there) and there == acknowledged + 2,  # and the name, and the last one
        "appended_per_second": round(acknowledged / written),
        "seconds behind at the end": round(caught_up, 1),
    }


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
