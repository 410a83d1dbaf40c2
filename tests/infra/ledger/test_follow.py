"""A follower sees every event once, in order, while several processes write."""

import asyncio
from contextlib import aclosing
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from infra.ledger.bells import EVENTS
from infra.ledger.ledger import PgLedger
from tests.infra.audit.proved import broken
from tests.infra.ledger.cases import Counted, stream, writing
from tests.infra.ledger.processes import acknowledged, start


async def collect(ledger: PgLedger, after: int, until: asyncio.Event, seen: list[int]) -> None:
    async with aclosing(ledger.follow(after)) as events:
        async for event in events:
            seen.append(event.position)
            if until.is_set() and event.position == await ledger.head():
                return


@pytest.mark.slow
async def test_a_follower_never_skips(ledger: PgLedger, dsn: str, folder: Path) -> None:
    begun, done, seen = await ledger.head(), asyncio.Event(), list[int]()
    follower = asyncio.create_task(collect(ledger, begun, done, seen))
    written = await acknowledged(await start(dsn, folder, processes=3, writers=8, appends=60))
    done.set()
    await ledger.append(writing(stream(), 0, Counted()))
    await asyncio.wait_for(follower, 60)
    assert seen == list(range(begun + 1, await ledger.head() + 1))
    assert len(written) == 3 * 8 * 60
    assert sum(written.values()) == len(seen) - 1
    assert await broken(ledger) is None


async def test_a_sequence_would_be_skipped(dsn: str) -> None:
    # The control: with positions from a sequence and no lock, a late commit appears behind the follower.
    one, two, follower = [await asyncpg.connect(dsn) for _ in range(3)]
    await one.execute("create table loose (position bigserial)")
    slow = one.transaction()
    await slow.start()
    await one.execute("insert into loose default values")
    await two.execute("insert into loose default values")
    last = await follower.fetchval("select max(position) from loose")
    await slow.commit()
    assert await follower.fetchval("select count(*) from loose where position <= $1", last) == 2
    assert last == 2  # the follower had seen one row and gone on to 2
    await two.execute("drop table loose")
    for connection in (one, two, follower):
        await connection.close()


async def test_a_position_is_not_given_before_the_one_before_it_is_kept(
    ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute("select caravel_append_lock()")
    late = asyncio.create_task(ledger.append(writing(stream(), 0, Counted())))
    await asyncio.sleep(0.2)
    assert not late.done()
    await transaction.rollback()
    await asyncio.wait_for(late, 60)


async def test_events_arrive_by_the_bell_not_by_the_floor(ledger: PgLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.bells, "wait", partial(ledger.bells.wait, timeout=3600))
    async with aclosing(ledger.follow(await ledger.head())) as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        name = stream()
        await ledger.append(writing(name, 0, Counted()))
        assert (await asyncio.wait_for(waiting, 60)).stream == name


@pytest.mark.slow
async def test_a_lost_bell_is_hung_again(ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with aclosing(ledger.follow(await ledger.head())) as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%'")
        await ledger.append(writing(stream(), 0, Counted()))
        await asyncio.wait_for(waiting, 60)


@pytest.mark.parametrize("turns", range(4))
async def test_a_ring_that_meets_a_cancellation_does_not_swallow_it(ledger: PgLedger, turns: int) -> None:
    """Else what waits for the bell goes on for ever, and the process never stops."""
    bell = await ledger.bells.listen(EVENTS)
    waiting = asyncio.create_task(ledger.bells.wait(bell))
    await asyncio.sleep(0.05)
    bell.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    if waiting.cancel():  # it had not returned yet
        with pytest.raises(asyncio.CancelledError):
            await waiting
    ledger.bells.leave(EVENTS, bell)
