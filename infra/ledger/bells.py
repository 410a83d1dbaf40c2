"""Wakes whoever waits for new events or attention: NOTIFY is only a bell, the time-out is the floor."""

import asyncio
from collections import defaultdict
from typing import Any

import asyncpg

from infra.ledger.encoding.errors import FAILURES

EVENTS = "caravel_events"
ATTENTION = "caravel_attention"
FLOOR = 5.0  # seconds


class Bells:
    """Listens on one connection for the whole process, made again when it is lost."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[Any] | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    async def listen(self, channel: str) -> asyncio.Event:
        """Return an event that is set whenever the bell of `channel` rings; give it back with `leave`."""
        await self._connect()
        bell = asyncio.Event()
        self._waiting[channel].add(bell)
        return bell

    def leave(self, channel: str, bell: asyncio.Event) -> None:
        """Stop ringing this bell."""
        self._waiting[channel].discard(bell)

    async def wait(self, bell: asyncio.Event, timeout: float = FLOOR) -> None:  # noqa: ASYNC109 - no error when it passes
        """Return when it rings, and after `timeout` seconds in any case."""
        await self._connect()
        try:
            async with asyncio.timeout(timeout):  # wait_for of 3.11 loses a cancellation that meets the ring
                await bell.wait()
        except TimeoutError:
            return
        bell.clear()

    async def close(self) -> None:
        """Stop listening and close the connection."""
        if self._connection:
            await self._connection.close()

    async def _connect(self) -> None:
        async with self._opening:
            if self._connection and not self._connection.is_closed():
                return
            try:
                connection = await asyncpg.connect(self._dsn, timeout=FLOOR)
                for channel in (EVENTS, ATTENTION):
                    await connection.add_listener(channel, self._ring)
            except FAILURES:
                return  # without a bell the floor still holds; tried again with the next wait
            self._connection = connection

    def _ring(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        for bell in self._waiting[channel]:
            bell.set()
