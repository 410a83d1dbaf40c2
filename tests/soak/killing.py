"""SIGKILL to whoever runs, again and again, back at once or later; or SIGSTOP: alive, and silent for a while.

Between them comes whatever else is given: see harms.py.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from infra.embedded.server_process import ServerError, children

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
    _returning: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    _out: int = 0

    async def run(self, kills: int, harms: Sequence[Harm] = ()) -> None:
        """So many, and among them each harm, beside the kills and one after the other; at the end all are back."""
        due = sorted(self.chance.choices(range(kills), k=len(harms)))
        one_at_a_time, harming = asyncio.Lock(), list[asyncio.Task[None]]()

        async def done(harm: Harm) -> None:
            async with one_at_a_time:
                await harm(self)

        while self.done.total() < kills:
            while len(harming) < len(harms) and due[len(harming)] <= self.done.total():
                harming.append(asyncio.create_task(done(harms[len(harming)])))
            await asyncio.sleep(self.chance.uniform(*GAP))
            self._supervise()
            alive = [name for name, server in self.servers.items() if server.pid and name not in self._returning]
            if alive and len(self._returning) - self._out < STARTING:
                self._kill(self.chance.choices(alive, [WEIGHTS[name] for name in alive])[0])
        while not all(task.done() for task in harming):
            await asyncio.sleep(1)
            self._supervise()
        await asyncio.gather(*harming)
        await self.all_back()

    @asynccontextmanager
    async def lent(self, name: str) -> AsyncIterator[Killed]:
        """Leave one alone that is there, for somebody who does something else to it."""
        while name in self._returning or not self.servers[name].pid:  # noqa: ASYNC110 - processes
            await asyncio.sleep(0.2)
        task = asyncio.current_task()
        assert task
        self._returning[name] = task
        self._out += 1
        try:
            yield self.servers[name]
        finally:
            self._out -= 1
            del self._returning[name]

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
        """It lives with all it has started, keeps its connections, and does nothing until its lease has ended."""
        everybody = [pid, *children(pid)]
        told(everybody, signal.SIGSTOP)
        self.done[name] += 1
        self.stopped[name] += 1
        self._out += 1
        try:
            await asyncio.sleep(AWAY)
        finally:
            self._out -= 1
            told(everybody, signal.SIGCONT)
            del self._returning[name]

    async def _back(self, name: str, server: Killed, away: float) -> None:
        await server.wait()
        self._out += bool(away)
        await asyncio.sleep(away)
        self._out -= bool(away)
        await started(server)
        del self._returning[name]


def told(processes: Sequence[int], word: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, word)


async def started(server: Killed) -> None:
    """Start it, again where the machine was too slow."""
    while True:
        try:
            await server.start()
        except (ServerError, TimeoutError, OSError):
            await asyncio.sleep(1)
        else:
            return


Harm = Callable[[Killing], Awaitable[None]]
"""Something else that happens meanwhile, and is over when it returns."""
