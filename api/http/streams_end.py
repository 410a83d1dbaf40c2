"""Serving the app from our own process: open streams end when it is told to stop, not when they please."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from api.http.strangers.bounds import Bounds
from api.http.strangers.connection import bounded

BACKLOG = 512
GRACE = 10
"""Seconds for what is under way."""


class HttpServer(uvicorn.Server):
    """uvicorn, without its signal handlers, and with streams that end first."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs us."""
        yield

    async def stop(self) -> None:
        """End the streams, then finish what is under way."""
        await self._app.state.ringing.stop()
        self.should_exit = True


def bound(host: str, port: int) -> socket.socket:
    """Return a socket of which the port is known before the first request; 0 = any free one. Raises OSError.

    The protocol is named: asyncio switches Nagle's delay off (40 ms an answer) only where it reads TCP.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)  # from here on a caller waits instead of being refused
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


async def serve(
    app: FastAPI,
    host: str,
    port: int,
    stop: asyncio.Event,
    ready: Callable[[int], None] = lambda _: None,
    bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
) -> None:
    """Answer until `stop` is set, then finish what is under way. `ready` is told the port once it listens."""
    listening = bound(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=bounded(bounds),
        ws="none",
        proxy_headers=bool(bounds.trusted),
        forwarded_allow_ips=[str(network) for network in bounds.trusted],
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=30,
    )
    server = HttpServer(config, app)
    running = asyncio.create_task(server.serve([listening]))
    waiting = asyncio.create_task(stop.wait())
    ready(listening.getsockname()[1])
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await server.stop()
        await running
        listening.close()
