"""What people wait for with 100, 1,000 and 10,000 open cases: `python -m bench.growth`.

One database a size, the cases opened and looked at through the door; measured in turns, so that a busy machine is busy
for all. Nothing may grow with the number: the last line is the largest against the smallest.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from statistics import median

import asyncpg

from activities.attend import Attending
from activities.orders import Attend
from activities.ports import Meta
from activities.record import ENGINE, Ask, Door, Look
from api.run.wiring import parts
from bench.http import Call, Caller, api, signed_in
from domain.stages.inquiry import OpenCase
from infra.ids import fresh_stream
from infra.ledger.migrate import migrate
from infra.postgres_server import PostgresServer
from infra.settings import Settings

SIZES = (100, 1_000, 10_000)
ROUNDS, EACH = 10, 8
AT_ONCE = 64
PAGE = "/cases?limit=50"


async def fill(door: Door, size: int) -> list[str]:
    """So many cases, each looked at once."""
    streams = iter([fresh_stream("case") for _ in range(size)])
    done: list[str] = []

    async def some() -> None:
        for stream in streams:
            n = len(done)
            command = OpenCase("IN", "en", "Asia/Kolkata", f"Patient {n}", team="asia" if n % 4 else "europe")
            await door.record(Ask(stream, Meta("bench"), command))
            await door.record(Ask(stream, Meta(ENGINE, purpose="operation"), look=Look(0)))
            done.append(stream)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return done


async def made(dsn: str, home: Path, size: int) -> list[str]:
    """A database with so many open cases."""
    await migrate(dsn)
    async with parts(Settings(database_url=dsn, home=home, installation="bench")) as here:  # type: ignore[arg-type]
        began = time.perf_counter()
        cases = await fill(here.door, size)
    print(json.dumps({"cases": size, "made_in_s": round(time.perf_counter() - began, 1)}), flush=True)
    return cases


async def measured(dsn: str, home: Path, cases: list[str], stack: AsyncExitStack) -> dict[str, Call]:
    """What is measured, through an API process and a door of its own."""
    token = await signed_in(dsn, home)
    here = await stack.enter_async_context(parts(Settings(database_url=dsn, home=home, installation="bench")))  # type: ignore[arg-type]
    port = await stack.enter_async_context(api(dsn, home))
    caller = await Caller(*await asyncio.open_connection("127.0.0.1", port), token).opens()
    attending = Attending(here.door)
    looked = _around(cases)
    return {
        "worklist": lambda: caller.ask("GET", PAGE),
        "command": caller.command,
        "attend": lambda: attending.attend(Attend(next(looked), 0, 0)),
        "courier_poll": lambda: here.ledger.attention_due(200),
    }


def _around(cases: list[str]) -> Iterator[str]:
    """Cases all over, for ever."""
    while True:
        yield from islice(cases, 0, None, max(1, len(cases) // 97))


async def timed(call: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of a few calls."""
    took = []
    for _ in range(EACH):
        began = time.perf_counter()
        await call()
        took.append(1000 * (time.perf_counter() - began))
    return took


async def main() -> None:
    """One JSON line a size, then the growth."""
    with tempfile.TemporaryDirectory() as made_in:
        folder = Path(made_in)
        async with PostgresServer(folder / "postgres") as server, AsyncExitStack() as stack:
            await create(server)
            places = {size: (server.dsn_of(f"of_{size}"), folder / str(size)) for size in SIZES}
            cases = {size: await made(*place, size) for size, place in places.items()}
            sizes = {size: await measured(*place, cases[size], stack) for size, place in places.items()}
            took: dict[int, dict[str, list[float]]] = {size: {name: [] for name in sizes[size]} for size in SIZES}
            for n in range(ROUNDS + 1):
                for size, calls in sizes.items():
                    for name, call in calls.items():
                        ms = await timed(call)
                        took[size][name] += ms if n else []  # the first round warms up
    p50 = {size: {name: round(median(ms), 2) for name, ms in found.items()} for size, found in took.items()}
    for size, found in p50.items():
        sys.stdout.write(json.dumps({"cases": size, "p50_ms": found}) + "\n")
    growth = {name: round(p50[SIZES[-1]][name] / p50[SIZES[0]][name], 2) for name in p50[SIZES[0]]}
    sys.stdout.write(json.dumps({"growth": growth}) + "\n")


async def create(server: PostgresServer) -> None:
    """The databases."""
    connection = await asyncpg.connect(server.dsn)
    for size in SIZES:
        await connection.execute(f"create database of_{size}")
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
