"""Chooses one of many: a session advisory lock decides which process does what only one may do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

WAIT = 1.0
COURIER, SEALER = 4846801, 4846802


@asynccontextmanager
async def leading(dsn: str, lock: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Waits to become the one; yields a check that raises once the session, and with it the lock, is lost."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn, timeout=5, ssl=False)
    try:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", lock):  # noqa: ASYNC110 - another process
            await asyncio.sleep(WAIT)

        async def still() -> None:
            await asyncio.wait_for(connection.fetchval("select 1"), 5)

        yield still
    finally:
        await asyncio.wait_for(connection.close(), 5) if not connection.is_closed() else None
