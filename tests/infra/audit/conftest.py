"""A migrated database of its own for each test, a ledger in it, and a sealer with two folders as sinks."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from infra.embedded.postgres_server import PostgresServer
from infra.ledger.connections import Pool
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.migrate import migrate
from tests.conftest import execute
from tests.infra.audit.log import Log
from tests.infra.ledger.cases import opened


@pytest.fixture(scope="session")
async def migrated(postgres_server: PostgresServer) -> str:
    """Name of a database to copy from."""
    name = "template_checkpoints"
    await execute(postgres_server.dsn, f"create database {name}")
    await migrate(postgres_server.dsn_of(name))
    return name


@pytest.fixture
async def dsn(postgres_server: PostgresServer, migrated: str) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    await execute(postgres_server.dsn, f"create database {name} template {migrated}")
    yield postgres_server.dsn_of(name)
    await execute(postgres_server.dsn, f"drop database {name} with (force)")


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
