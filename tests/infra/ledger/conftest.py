"""A migrated database and a ledger in it, new for each module."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from infra.ledger.fact_cache import FactCache
from infra.ledger.ledger import PgLedger
from tests.infra.ledger.cases import opened


@pytest.fixture(scope="module")
def dsn(postgres: str) -> str:
    return postgres


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
async def ledger(dsn: str, folder: Path) -> AsyncIterator[PgLedger]:
    """A ledger that remembers no stream, so that every load shows what the database holds."""
    ledger = await opened(dsn, folder)
    ledger._fact_cache = FactCache(most=0)
    yield ledger
    await ledger.close()


@pytest.fixture
async def admin(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()
