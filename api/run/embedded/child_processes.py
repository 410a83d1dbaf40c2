"""The child processes of the embedded mode, started again whenever one ends by itself or hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from infra.embedded.server_process import LocalServer, ServerError, ServerProcess, free_port, usable

log = structlog.get_logger()

ROOM_TO_START = 120.0
"""Seconds; a busy machine takes long to read the programs in, and one that ends is noticed at once."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
STEADY = 30.0
"""A process that lived this many seconds is started again at once."""
LOOK, SILENT = 3.0, 4
"""Seconds between two looks whether one answers, and after how many looks in vain it hangs. Looks are counted and not
seconds: when this process itself was stopped for a while, nobody has been silent."""


class Program(LocalServer):
    """One Python program of ours with a folder for its log, and ports that are remembered there."""

    def __init__(self, folder: Path, name: str, ports: tuple[str, ...] = ()) -> None:
        super().__init__(ServerProcess(folder.absolute(), name, signal.SIGTERM))
        self._command: list[str] = []
        self._environment: dict[str, str] = {}
        self._answers: Callable[[], Awaitable[bool]] | None = None
        self._names = ports
        self.ports: dict[str, int] = {}

    def port(self, name: str) -> int:
        """Return a remembered port; another one only where somebody else took it."""
        if name not in self.ports:
            known = int(self._process.remembered().get(name) or 0)
            self.ports[name] = known if known and usable(known) else free_port()
            self._process.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._process.remember(**self.ports)
        return self.ports[name]

    def runs(
        self,
        words: list[str],
        environment: Mapping[str, str] | None = None,
        answers: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Set what to run: words after `python`, variables beside the present ones, and how to see that it answers."""
        self._command = [sys.executable, *words]
        self._environment = {**os.environ, **(environment or {})}
        self._answers = answers

    async def start(self) -> None:
        """Start, and wait until it answers. Raises ServerError with its last words."""
        if self.pid:
            return
        await self._process.own()
        self._process.spawn(self._command, env=self._environment)
        async with asyncio.timeout(ROOM_TO_START):
            while self._answers and not await self._answers():
                self._require_alive()
                await asyncio.sleep(0.05)

    def _require_alive(self) -> None:
        if not self.pid:
            raise ServerError(f"{self._process.name} did not start:\n{self._process.last_words()}")

    async def answers(self) -> bool:
        """Return whether it answers; one that cannot be asked does as long as it lives."""
        return await self._answers() if self._answers else bool(self.pid)


async def _ended(name: str, server: LocalServer) -> int:
    """Wait until it has ended, and return its exit code; one that lives and does not answer is ended by force."""
    ending = asyncio.ensure_future(server.wait())
    silent = 0
    try:
        while not ending.done():
            await asyncio.wait([ending], timeout=LOOK)
            silent = 0 if ending.done() or await server.answers() else silent + 1
            if silent == SILENT and not ending.done():
                log.warning("does not answer", program=name, looks=silent)
                server.kill()
        return ending.result()
    finally:
        ending.cancel()


async def keep(name: str, server: LocalServer) -> None:
    """Start it again for ever, also when it hangs; one that keeps ending is waited for a little longer each time."""
    pause = FIRST_WAIT
    clock = asyncio.get_running_loop()
    while True:
        began = clock.time()
        code = await _ended(name, server)
        log.warning("restarting", program=name, exit_code=code)
        pause = FIRST_WAIT if clock.time() - began > STEADY else min(LONGEST_WAIT, pause * 2)
        await asyncio.sleep(pause)
        try:
            await server.start()
        except (ServerError, TimeoutError, OSError) as error:
            log.warning("not started", program=name, error=str(error))
