"""Who starts before the database waits for it, but not for ever; with a real one: tests/test_services.py."""

from __future__ import annotations

import asyncio
import time

import pytest

from api.run.waiting import database_there
from infra.embedded.server_process import free_port
from infra.ledger.encoding.errors import DatabaseFailed


async def test_a_database_that_stays_away_is_given_up_in_the_end() -> None:
    began = time.monotonic()
    with pytest.raises(DatabaseFailed) as failed:
        await database_there(f"postgres://127.0.0.1:{free_port()}/x", asyncio.Event(), patience=0.05, every=0.01)
    assert failed.value.away
    assert time.monotonic() - began > 0.05


async def test_whoever_is_told_to_stop_waits_no_longer() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(database_there(f"postgres://127.0.0.1:{free_port()}/x", stop))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    stop.set()
    assert await asyncio.wait_for(waiting, 60) is False
