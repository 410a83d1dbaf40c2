"""Honest callers beside strangers: what 1,000 hostile requests of each shape cost 32 people at work.

Four clients at other addresses send them as fast as they are answered, each a process, while 32 callers ask the
authenticated route that does nothing and give commands. Each shape stands against the same callers alone in the same
round; a plain unsigned request is a shape too, for what any traffic costs on this machine. No rate is limited.
Before each window every caller who gives commands opens a case of its own, so that all windows begin with cases of the
same length: a case costs more the longer it is, and later windows would have been the slower ones.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from statistics import median

from bench.common import Asked, Call, Rate, Row, server, short, timed
from bench.http import Caller, api, signed_in
from bench.strangers import SHAPES

HOSTILE, CLIENTS, CALLERS, ROUNDS, SECONDS = 1_000, 4, 32, 5, 3.0


async def window(callers: list[Caller], asked: Asked) -> Rate:
    """Half ask for nothing, half give commands to a case that is new."""
    commanding = callers[::2]
    await asyncio.gather(*(one.opens() for one in commanding))
    calls: list[Call] = [*(one.command for one in commanding), *(one.nothing for one in callers[1::2])]
    return await timed(calls, asked.either(SECONDS, 0.2))


async def beside(port: int, callers: list[Caller], shape: str, asked: Asked) -> Rate:
    """The honest callers for as long as the strangers are at it; those get what the machine has left, as from afar."""
    each = asked.either(HOSTILE, 20) // CLIENTS
    words = [sys.executable, "-m", "bench.strangers", str(port), shape]
    hostile = [await asyncio.create_subprocess_exec(*words, str(n), str(each)) for n in range(CLIENTS)]
    ended = asyncio.gather(*(one.wait() for one in hostile))
    rates = [await window(callers, asked)]
    while not ended.done():
        rates.append(await window(callers, asked))
    ranked = sorted(rates, key=lambda rate: rate.p99_ms)
    return ranked[len(ranked) // 2]  # alone is one window too, not the worst of several


async def measure(port: int, callers: list[Caller], asked: Asked) -> AsyncIterator[Row]:
    """A row for each shape."""
    await window(callers, asked)  # warms up
    for name in SHAPES:
        rounds = [
            (await window(callers, asked), await beside(port, callers, name, asked))
            for _ in range(asked.either(ROUNDS, 1))
        ]
        yield {
            "shape": name,
            "p99_ms": {
                "alone": short(median(alone.p99_ms for alone, _ in rounds)),
                "beside": short(median(other.p99_ms for _, other in rounds)),
            },
            "times alone": short(median(other.p99_ms / alone.p99_ms for alone, other in rounds)),
            "rounds": [short(other.p99_ms / alone.p99_ms) for alone, other in rounds],
        }


async def main(asked: Asked) -> AsyncIterator[Row]:
    """Prints the ratio of each shape."""
    async with server() as (running, folder):
        token = await signed_in(running.dsn, folder / "home")
        async with api(running.dsn, folder / "home") as port:
            callers = [
                Caller(*await asyncio.open_connection("127.0.0.1", port), token)
                for _ in range(asked.either(CALLERS, 2))
            ]
            async for row in measure(port, callers, asked):
                yield row
