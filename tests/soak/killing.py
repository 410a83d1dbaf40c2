"""SIGKILL to whoever runs, again and again, back at once or later; or SIGSTOP: alive, and silent for a while."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from infra.embedded.server_process import ServerError

WEIGHTS = {"worker-1": 3, "worker-2": 3, "API": 3, "PostgreSQL": 3, "Temporal": 3, "hospitals": 2, "mail": 2}
GAP = (0.5, 6.0)
"""Seconds from one kill to the next, or longer: at most so many are starting at a time, that the others can work."""
CALM = 8.0
STARTING = 2
AWAY, SHARE = 45.0, 0.06
"""How long some stay away, or stopped, and how many of all that are killed stay away."""


class Killed(Protocol):
    """A server that is started again with its data and its ports."""

    @property
    def pid(self) -> int | None: ...
    async def start(self) -> None: ...
    async def wait(self) -> int: ...


@dataclass
class Killing:
    """Who was killed how often, and who stayed away."""

    servers: Mapping[str, Killed]
    chance: random.Random
    stops: float = 0
    """How many of all are stopped instead, and go on by themselves later."""
    done: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)
    away: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """Who gave up by itself, as when the database was away at its start, and was started again."""
    _returning: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _out: int = 0

    async def run(self, kills: int) -> None:
        """So many; everybody is there again at the end."""
        while self.done.total() < kills:
            await asyncio.sleep(self.chance.uniform(*GAP))
            self._supervise()
            alive = [name for name, server in self.servers.items() if server.pid and name not in self._returning]
            if alive and len(self._returning) - self._out < STARTING:
                self._kill(self.chance.choices(alive, [WEIGHTS[name] for name in alive])[0])
        await self.all_back()

    async def all_back(self) -> None:
        """Wait until everybody has been there for a moment."""
        while True:
            await asyncio.sleep(CALM)
            self._supervise()
            if not self._returning:
                return

    def _supervise(self) -> None:
        for name, server in self.servers.items():
            if not server.pid and name not in self._returning:
                self.ended[name] += 1
                self._returning[name] = asyncio.create_task(self._back(name, server, 0))

    def _kill(self, name: str) -> None:
        server = self.servers[name]
        assert server.pid
        if self.chance.random() < self.stops:
            self._returning[name] = asyncio.create_task(self._stop(name, server.pid))
            return
        os.kill(server.pid, signal.SIGKILL)
        self.done[name] += 1
        gone = self.chance.random() < SHARE
        self.away[name] += gone
        self._returning[name] = asyncio.create_task(self._back(name, server, AWAY if gone else 0))

    async def _stop(self, name: str, pid: int) -> None:
        """It lives, keeps its connections, and does nothing until long after its lease has ended."""
        os.kill(pid, signal.SIGSTOP)
        self.done[name] += 1
        self.stopped[name] += 1
        self._out += 1
        try:
            await asyncio.sleep(AWAY)
        finally:
            self._out -= 1
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            del self._returning[name]

    async def _back(self, name: str, server: Killed, away: float) -> None:
        await server.wait()
        self._out += bool(away)
        await asyncio.sleep(away)
        self._out -= bool(away)
        await started(server)
        del self._returning[name]


async def started(server: Killed) -> None:
    """Start it, again where the machine was too slow."""
    while True:
        try:
            await server.start()
        except (ServerError, TimeoutError, OSError):
            await asyncio.sleep(1)
        else:
            return
