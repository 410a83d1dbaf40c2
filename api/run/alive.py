"""A worker says that it is alive: whoever asks is answered by its event loop, so that one that hangs is found out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.settings import Settings

PATIENCE = 5.0
"""Seconds somebody who asks may take to do so."""
ALIVE = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\nconnection: close\r\n\r\nalive\n"


@asynccontextmanager
async def alive(settings: Settings) -> AsyncIterator[None]:
    """Answer HTTP at CARAVEL_HEALTH_PORT, whatever is asked; without a port nobody listens."""
    if not settings.health_port:
        yield
        return
    async with await asyncio.start_server(_answer, settings.api_host, settings.health_port):
        yield


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, TimeoutError):
        await asyncio.wait_for(reader.read(1), PATIENCE)
        writer.write(ALIVE)
        await asyncio.wait_for(writer.drain(), PATIENCE)
    writer.close()
