"""Servers of a test's own, since it kills them, and worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from infra.ledger.schema.migrate import migrate
from tests.conftest import SOON
from tests.faults.far import World

TOP = Path(__file__).parents[2]


@dataclass
class Stand:
    """One installation: PostgreSQL, Temporal, a world, and workers that come and go."""

    folder: Path
    postgres: PostgresServer
    temporal: TemporalServer
    world: World
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return self.postgres.dsn

    async def worker(self, crash: str = "", at: int = 1, *, careless: bool = False) -> asyncio.subprocess.Process:
        """Start one and wait until it works."""
        words = ["-m", "tests.faults.worker", self.dsn, self.temporal.address, str(self.folder), crash]
        environment = {**os.environ, "CRASH_AT": str(at), "CARELESS": "1" if careless else ""}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=TOP, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.workers.append(process)
        assert process.stdout
        while b"working" not in (line := await asyncio.wait_for(process.stdout.readline(), 30)):
            assert line, "the worker did not start"
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
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 - the server may run as another user, who must pass through
    postgres = PostgresServer(tmp_path / "postgres", fsync=True)
    temporal = TemporalServer(tmp_path / "temporal", ui=False, config=SOON)
    async with postgres, temporal:
        await migrate(postgres.dsn)
        here = Stand(tmp_path, postgres, temporal, World(tmp_path / "world.db"))
        try:
            yield here
        finally:
            for process in here.workers:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
