"""A migrated database of its own for each test, a ledger in it, and a sealer with two folders as sinks."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from infra.embedded.postgres_server import PostgresServer
from infra.ledger.connections import Pool
from infra.ledger.ledger import PgLedger
from tests.conftest import database
from tests.infra.audit.log import Log
from tests.infra.ledger.cases import opened


@pytest.fixture
async def dsn(migrated: PostgresServer) -> AsyncIterator[str]:
    async with database(migrated) as dsn:
        yield dsn


@pytest.fixture
async def ledger(dsn: str, tmp_path: Path) -> AsyncIterator[PgLedger]:
    ledger = await opened(dsn, tmp_path)
    yield ledger
    await ledger.close()


@pytest.fixture
async def admin(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator["Pool[asyncpg.Record]"]:
    async with Log.sessions(dsn) as pool:
        yield pool


@pytest.fixture
def log(dsn: str, tmp_path: Path) -> Log:
    return Log(dsn, tmp_path)
