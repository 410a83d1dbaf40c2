"""What every test may ask for: a database of its own module, and a Temporal server shared by the session.

Under pytest-xdist each worker is a session, so each has servers of its own.
"""

import gc
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import NAMESPACE, TemporalServer
from infra.ledger.schema.migrate import migrate
from tests.drawing import profiles

profiles()

SOON = {
    "limit.historyCount.suggestContinueAsNew": "50",  # long histories' paths within milliseconds
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
}

TEMPLATE = "template_caravel"
"""The database of a server that every other is copied from: a copy takes a tenth of what migrating takes."""

SERVERS = {"postgres_server", "stopped_server", "temporal_server"}
LONGEST = (
    "test_every_door", "test_doors_without_keys", "test_browser", "test_backups", "test_servers",
    "test_killed_workers", "test_killed_servers", "test_up", "test_key_folder", "test_erasing", "test_loss",
    "test_played", "test_sealer", "test_loop", "test_crash", "test_attacks", "test_cli", "test_time_travel",
    "test_services", "test_far_sides_away", "test_forgotten", "test_restored", "test_follow", "test_cohort",
    "test_forks",
)  # fmt: skip
"""The files that take longest. They begin first, or one worker is left with one of them when the others are done."""


def pytest_configure() -> None:
    """Collecting makes what stays: 5,000 tests and all modules. Looking for garbage among them costs a fifth of it."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a server is slow; the longest files come first.

    Among the others, files that wait are mixed evenly with files that compute: one has the processors meanwhile.
    """
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    longest = {name: place for place, name in enumerate(LONGEST)}
    waiting = dict.fromkeys(item.path for item in items if item.get_closest_marker("slow"))
    computing = dict.fromkeys(item.path for item in items if item.path not in waiting)
    share = {path: place / len(kind) for kind in (waiting, computing) for place, path in enumerate(kind)}
    items.sort(key=lambda item: (longest.get(item.path.stem, len(longest)), share[item.path]))


@pytest.hookimpl(tryfirst=True)  # before any fixture
def pytest_runtest_setup() -> None:
    """Whatever the test before has configured (a command line keeps its logs quiet), this one's logs are heard."""
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def loggers_follow_their_configuration() -> Iterator[None]:
    """Let no logger stay bound to what one test configured: it would say nothing to the next one's reader."""
    configure = structlog.configure

    def uncached(**words: Any) -> None:
        configure(**{**words, "cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", uncached)
        yield


@pytest.fixture(scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    """A running PostgreSQL that forgets on power loss, nothing else."""
    async with PostgresServer(tmp_path_factory.mktemp("postgres"), fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
async def migrated(postgres_server: PostgresServer) -> PostgresServer:
    """The server, with the template in it."""
    await execute(postgres_server.dsn, f"CREATE DATABASE {TEMPLATE}")
    await migrate(postgres_server.dsn_of(TEMPLATE))
    return postgres_server


@pytest.fixture(scope="module")
async def postgres(migrated: PostgresServer) -> AsyncIterator[str]:
    """Superuser's dsn of a migrated database of this module's own, with nothing in it."""
    async with database(migrated) as dsn:
        yield dsn


@asynccontextmanager
async def database(server: PostgresServer, template: str = TEMPLATE) -> AsyncIterator[str]:
    """A copy of the template, for as long as it is used."""
    dsn = await fresh(server.dsn, f"test_{uuid.uuid4().hex[:12]}", template)
    yield dsn
    await execute(server.dsn, f"DROP DATABASE {dsn.rpartition('/')[2]} WITH (FORCE)")


async def fresh(dsn: str, name: str, template: str = TEMPLATE) -> str:
    """Another copy of the template, of that name, beside the database at `dsn`.

    Its files are copied as they are: where nothing is flushed, that takes half of what writing them to the log takes.
    """
    await execute(dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return f"{dsn.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
async def stopped_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a PostgreSQL that was migrated and stopped, for tests that kill one: see `copied`."""
    folder = tmp_path_factory.mktemp("stopped") / "postgres"
    async with PostgresServer(folder, fsync=False) as server:
        await migrate(server.dsn)
    state = folder / "state.json"
    state.write_text(json.dumps({"password": json.loads(state.read_text())["password"]}))  # each has a port of its own
    return folder


def copied(stopped_server: Path, folder: Path) -> Path:
    """That folder once more, in a tenth of the time that making it takes; the server may run as another user."""
    folder.parent.chmod(0o755)
    return shutil.copytree(stopped_server, folder)


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
