"""PostgreSQL killed under its writers: what was acknowledged is there, and history holds together."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from infra.embedded.postgres_server import PostgresServer
from infra.ledger.encoding.errors import DatabaseFailed
from tests.conftest import copied
from tests.infra.audit.proved import broken
from tests.infra.ledger.cases import Counted, opened, stream, writing
from tests.infra.ledger.processes import acknowledged, start


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path, stopped_server: Path) -> None:
    kept: dict[str, int] = {}
    async with PostgresServer(copied(stopped_server, tmp_path / "postgres"), fsync=True) as server:
        ledger = await opened(server.dsn, tmp_path)
        for _ in range(3):
            runs = await start(server.dsn, tmp_path, processes=2, writers=6, appends=100_000)
            enough = await ledger.head() + 500
            while await ledger.head() < enough:  # noqa: ASYNC110 - other processes write
                await asyncio.sleep(0.01)
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            answered = await acknowledged(runs)
            assert len(answered) > 20
            kept |= answered
            with pytest.raises(DatabaseFailed) as failure:
                await ledger.append(writing(stream(), 0, Counted()))
            assert failure.value.away
            await server.wait()
            await server.start()
            await ledger.append(writing(stream(), 0, Counted()))  # the same ledger object goes on by itself
        rows = await ledger._pool.fetch("select stream, count(*) as events from event group by stream")
        found = {row["stream"]: row["events"] for row in rows}
        assert {name: found.get(name) for name in kept} == kept
        assert await broken(ledger) is None
        await ledger.close()
