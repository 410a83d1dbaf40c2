"""The database's clock jumps 400 days ahead and back under a running engine: nobody acts on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.clock import Clock
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from tests.conftest import database
from tests.jump import movable, move
from tests.workflows.rig import Engine, command, engine, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
FAR, HOME = timedelta(days=400), timedelta(0)


@pytest.fixture
async def dsn(migrated: PostgresServer) -> AsyncIterator[str]:
    async with database(migrated) as dsn:
        await movable(dsn)
        yield dsn


async def settled(here: Engine) -> tuple[str, int]:
    """A case that rests, and how many events there are."""
    case = await here.open()
    await here.send(case, command("RequestRecord", "labs"))
    await here.settled(case)
    await eventually(lambda: delivered(here, case))
    await here.settled(case)
    return case, await here.ledger.head()


async def delivered(here: Engine, case: str) -> bool:
    return bool(await here.facts(case, "EffectDelivered"))


async def test_nothing_is_acted_on_and_all_goes_on_afterwards(
    dsn: str, own_temporal: TemporalServer, tmp_path: Path
) -> None:
    async with engine(dsn, own_temporal.address, tmp_path) as here:
        case, before = await settled(here)
        calls = len(here.hands.calls)
        await move(dsn, FAR)
        await here.courier.nudge(case, (await here.ledger.engine()).epoch)
        await asyncio.sleep(4)
        assert (await here.ledger.head(), len(here.hands.calls)) == (before, calls)
        await move(dsn, HOME)
        await here.send(case, command("RequestRecord", "imaging"))
        await eventually(lambda: twice(here, case), within=60)
        newest = (await here.facts(case))[-1].at
        assert abs(newest - datetime.now(UTC)) < timedelta(minutes=5)
        assert not await here.facts(case, "ObligationMissed", "JourneyLeft")


async def twice(here: Engine, case: str) -> bool:
    return len(await here.facts(case, "EffectDelivered")) > 1


async def test_control_without_the_check_it_is_acted_on(dsn: str, own_temporal: TemporalServer, tmp_path: Path) -> None:
    async with engine(dsn, own_temporal.address, tmp_path, clock=Clock(timedelta(days=4_000))) as here:
        case, _ = await settled(here)
        await move(dsn, FAR)
        await here.courier.nudge(case, (await here.ledger.engine()).epoch)

        async def missed() -> bool:
            return bool(await here.facts(case, "ObligationMissed"))

        await eventually(missed, within=60)
