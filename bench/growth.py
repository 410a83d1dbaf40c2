"""What people wait for with 100, 1,000 and 10,000 open cases.

One database a size, the cases opened and looked at through the door; measured in turns, so that a busy machine is busy
for all. Nothing may grow with the number: the last line is the largest against the smallest.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path

from activities.attend import Attending
from activities.command_handler import AttendedBy, CommandHandler, CommandRequest
from activities.messages import Attend
from activities.ports import Meta
from api.run.wiring import parts
from bench.common import Asked, Call, Row, growth, server, spans
from bench.http import Caller, api, signed_in
from domain.core.fact import ENGINE
from domain.stages.intake.inquiry import OpenCase
from infra.ids import fresh_stream
from infra.ledger.schema.migrate import migrate
from infra.settings import Settings

SIZES = (100, 1_000, 10_000)
ROUNDS, EACH = 10, 8
AT_ONCE = 64
PAGE = "/cases?limit=50"


async def fill(commands: CommandHandler, size: int) -> list[str]:
    """So many cases, each looked at once."""
    streams = enumerate([fresh_stream("case") for _ in range(size)])
    done: list[str] = []

    async def some() -> None:
        for n, stream in streams:
            command = OpenCase("IN", "en", "Asia/Kolkata", f"Patient {n}", team="asia" if n % 4 else "europe")
            await commands.record(CommandRequest(stream, Meta("bench"), command))
            await commands.record(CommandRequest(stream, Meta(ENGINE, purpose="operation"), attended_by=AttendedBy(0)))
            done.append(stream)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return done


async def made(dsn: str, home: Path, size: int) -> list[str]:
    """A database with so many open cases."""
    await migrate(dsn)
    async with parts(Settings(database_url=dsn, home=home, installation="bench")) as here:
        began = time.perf_counter()
        cases = await fill(here.commands, size)
    print(f"{size} cases made in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return cases


async def measured(dsn: str, home: Path, cases: list[str], stack: AsyncExitStack) -> dict[str, Call]:
    """What is measured, through an API process and a door of its own."""
    token = await signed_in(dsn, home)
    here = await stack.enter_async_context(parts(Settings(database_url=dsn, home=home, installation="bench")))
    port = await stack.enter_async_context(api(dsn, home))
    caller = await Caller(*await asyncio.open_connection("127.0.0.1", port), token).opens()
    attending = Attending(here.commands)
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


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each size, then the growth."""
    sizes = asked.either(SIZES, (10, 20))
    names = {size: f"of_{size}" for size in sizes}
    async with server(names.values(), migrated=False) as (running, folder), AsyncExitStack() as stack:
        places = {size: (running.dsn_of(name), folder / name) for size, name in names.items()}
        cases = {size: await made(*place, size) for size, place in places.items()}
        calls = {size: await measured(*place, cases[size], stack) for size, place in places.items()}
        p50 = await spans(calls, asked.either(ROUNDS, 1), asked.either(EACH, 2))
    for size, found in p50.items():
        yield {"cases": size, "p50_ms": found}
    yield growth(p50)
