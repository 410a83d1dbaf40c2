"""What every test may ask for: a database of its own module, and a Temporal server shared by the session.

Under pytest-xdist each worker is a session, so each has servers of its own.
"""

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import NAMESPACE, TemporalServer

SOON = {
    "limit.historyCount.suggestContinueAsNew": "50",  # long histories' paths within milliseconds
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
}

SERVERS = {"postgres_server", "temporal_server"}


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a server is slow."""
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    """A running PostgreSQL that forgets on power loss, nothing else."""
    async with PostgresServer(tmp_path_factory.mktemp("postgres"), fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
async def template(postgres_server: PostgresServer) -> str:
    """Name of the database every other is copied from; the place to migrate once per session."""
    await execute(postgres_server.dsn, "CREATE DATABASE template_caravel")
    return "template_caravel"


@pytest.fixture(scope="module")
async def postgres(postgres_server: PostgresServer, template: str) -> AsyncIterator[str]:
    """Superuser's dsn of a fresh copy of the template for this module."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await execute(postgres_server.dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres_server.dsn_of(name)
    await execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    """A running Temporal with time skipping allowed."""
    async with TemporalServer(tmp_path_factory.mktemp("temporal"), ui=False, config=SOON) as server:
        yield server


@pytest.fixture(scope="session")
async def temporal(temporal_server: TemporalServer) -> Client:
    """A client of the session's Temporal; keep tests apart by task queue and workflow id."""
    return await Client.connect(temporal_server.address, namespace=NAMESPACE, data_converter=pydantic_data_converter)


async def execute(dsn: str, statement: str) -> None:
    """Run one statement outside any transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
