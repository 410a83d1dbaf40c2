"""Servers of a test's own, since it kills them, and worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from tests.conftest import SOON, copied
from tests.faults import worker
from tests.faults.far import World
from tests.forked import CONTEXT, Forked


@dataclass
class Stand:
    """One installation: PostgreSQL, Temporal, a world, and workers that come and go."""

    folder: Path
    postgres: PostgresServer
    temporal: TemporalServer
    world: World
    workers: list[Forked] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return self.postgres.dsn

    async def worker(self, crash: str = "", at: int = 1, *, careless: bool = False) -> Forked:
        """Start one and wait until it works."""
        works = CONTEXT.Event()
        given = worker.Given(self.dsn, self.temporal.address, self.folder, crash, at, careless)
        process = Forked(worker.main, given, works)
        self.workers.append(process)
        assert await asyncio.to_thread(works.wait, 60), "the worker did not start"
        return process

    async def kill_postgres(self) -> None:
        assert self.postgres.pid
        os.kill(self.postgres.pid, signal.SIGKILL)
        await self.postgres.wait()

    async def kill_temporal(self) -> None:
        assert self.temporal.pid
        os.kill(self.temporal.pid, signal.SIGKILL)
        await self.temporal.wait()

    async def wipe_temporal(self) -> None:
        """Killed, its memory gone, and there again."""
        await self.kill_temporal()
        for file in (self.folder / "temporal").glob("temporal.db*"):
            file.unlink()
        await self.temporal.start()


@pytest.fixture
async def stand(tmp_path: Path, stopped_server: Path) -> AsyncIterator[Stand]:
    postgres = PostgresServer(copied(stopped_server, tmp_path / "postgres"), fsync=True)
    temporal = TemporalServer(tmp_path / "temporal", ui=False, config=SOON)
    async with postgres, temporal:
        here = Stand(tmp_path, postgres, temporal, World(tmp_path / "world.db"))
        try:
            yield here
        finally:
            for process in here.workers:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
