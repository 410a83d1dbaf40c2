"""The same work on many pieces: in this process, or in several, each with a connection of its own."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

import asyncpg

from infra.audit.verification.chunk import session

Piece = TypeVar("Piece")
Result = TypeVar("Result")
Connection = asyncpg.Connection
Work = Callable[["Connection[asyncpg.Record]", Piece], Awaitable[Result]]


async def map_ordered(
    connection: Connection[asyncpg.Record], dsn: str, jobs: int, work: Work[Piece, Result], pieces: Sequence[Piece]
) -> AsyncIterator[tuple[Piece, Result]]:
    """Yield results in order, working ahead. `connection` serves when the one job is this process itself."""
    if jobs < 2 or len(pieces) < 2:  # noqa: PLR2004 - one needs nobody else
        for piece in pieces:
            yield piece, await work(connection, piece)
        return
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(min(jobs, len(pieces)), get_context("spawn"), _begin, (dsn,)) as pool:
        tasks = [loop.run_in_executor(pool, _do, work, piece) for piece in pieces]
        try:
            for piece, task in zip(pieces, tasks, strict=True):
                yield piece, await task
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            await asyncio.gather(*tasks, return_exceptions=True)


_here: tuple[asyncio.AbstractEventLoop, Connection[asyncpg.Record]] | None = None


def _begin(dsn: str) -> None:
    """A connection for the life of a worker process."""
    global _here  # noqa: PLW0603 - what a process pool offers
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(session(dsn))
    _here = (loop, connection)
    atexit.register(lambda: loop.run_until_complete(connection.close()))


def _do(work: Work[Any, Any], piece: object) -> Any:  # noqa: ANN401 - whatever the work answers
    assert _here is not None
    loop, connection = _here
    return loop.run_until_complete(work(connection, piece))
