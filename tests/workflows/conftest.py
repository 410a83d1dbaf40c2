"""Every module has a Temporal, a database and an engine of its own: task queues have fixed names."""

from collections.abc import AsyncIterator

import pytest

from infra.embedded.temporal_server import TemporalServer
from tests.conftest import SOON
from tests.workflows.rig import Engine, engine


@pytest.fixture(scope="module")
async def own_temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    async with TemporalServer(tmp_path_factory.mktemp("temporal"), ui=False, config=SOON) as server:
        yield server


@pytest.fixture(scope="module")
def dsn(postgres: str) -> str:
    return postgres


@pytest.fixture(scope="module")
async def here(
    dsn: str, own_temporal: TemporalServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    """A running engine; every case in it is a test's own."""
    folder = tmp_path_factory.mktemp("engine")
    async with engine(dsn, own_temporal.address, folder) as running:
        yield running
