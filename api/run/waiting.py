"""A process that is started before its database: it waits, says so, and goes on by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog

from api.run.wiring import Parts, parts
from infra.ledger.encoding.errors import DatabaseFailed, guarded
from infra.settings import Settings

log = structlog.get_logger()
PATIENCE, EVERY = 600.0, 5.0
"""Seconds: how long a database is waited for in all, and between two tries."""


@asynccontextmanager
async def parts_when_there(settings: Settings, stop: asyncio.Event) -> AsyncIterator[Parts | None]:
    """Wait for the database and return the parts; None when told to stop. Raises DatabaseFailed after ten minutes."""
    if not await database_there(settings.database_url.get_secret_value(), stop):
        yield None
        return
    async with parts(settings) as here:
        yield here


async def database_there(dsn: str, stop: asyncio.Event, patience: float = PATIENCE, every: float = EVERY) -> bool:
    """Wait until it takes connections; False when told to stop. Raises DatabaseFailed: it refuses, or stays away."""
    until = time.monotonic() + patience
    while not stop.is_set():
        try:
            connection = await guarded(asyncpg.connect(dsn, timeout=EVERY))
        except DatabaseFailed as failed:
            if not failed.away or time.monotonic() > until:
                raise
            log.warning("waiting for the database", error=failed.code)
        else:
            await connection.close()
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
    return False
