"""A leader that hangs loses its lease, its late writes are refused by its number, and another goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from activities.ports import Attention, ChoreFinding
from domain.core.errors import Reason, Refused
from infra import leader
from infra.leader import COURIER, SEALER, LeadLost, leading, leads, supersede
from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import CaseDue, PgLedger
from infra.reads.gauges import courier_active
from infra.reads.nightly import keep, last
from tests.infra.ledger.cases import Counted, opened, stream, writing
from tests.services import eventually

pytestmark = pytest.mark.slow
Admin = asyncpg.Connection
QUICK = timedelta(seconds=3)


@pytest.fixture(scope="module")
def dsn(postgres: str) -> str:
    return postgres


@pytest.fixture(scope="module")
async def ledger(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PgLedger]:
    ledger = await opened(dsn, tmp_path_factory.mktemp("keys"))
    yield ledger
    await ledger.close()


@pytest.fixture
async def admin(dsn: str) -> AsyncIterator[Admin[Any]]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
async def quick(monkeypatch: pytest.MonkeyPatch, admin: Admin[Any]) -> None:
    """Leases of three seconds; nobody has led yet."""
    monkeypatch.setattr(leader, "LASTS", QUICK)
    monkeypatch.setattr(leader, "RENEW", 0.2)
    monkeypatch.setattr(leader, "WAIT", 0.05)
    await admin.execute("delete from lead")


async def hanging(fence: int) -> None:
    del fence
    await asyncio.Event().wait()


@asynccontextmanager
async def led(dsn: str, role: str = COURIER) -> AsyncIterator[tuple[int, asyncio.Task[None]]]:
    """Somebody who leads and does nothing else, with their number."""
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work(fence: int) -> None:
        told.set_result(fence)
        await hanging(fence)

    task = asyncio.create_task(leading(dsn, role, work))
    try:
        yield await asyncio.wait_for(asyncio.shield(told), 60), task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LeadLost):
            await task


HANGING = """
import asyncio, sys
from datetime import timedelta
from infra import leader
leader.LASTS, leader.RENEW = timedelta(seconds=1), 0.2

async def work(fence):
    print(fence, flush=True)
    await asyncio.Event().wait()

try:
    asyncio.run(leader.leading(sys.argv[1], "courier", work))
except leader.LeadLost:
    print("lost", flush=True)
"""


async def process(dsn: str) -> asyncio.subprocess.Process:
    """A leader of its own process, once it leads."""
    words = [sys.executable, "-c", HANGING, dsn]
    running = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert running.stdout
    while (await running.stdout.readline()).strip() != b"1":
        assert running.returncode is None
    return running


async def test_a_stopped_process_loses_its_lease_and_says_so_when_it_wakes(dsn: str, ledger: PgLedger) -> None:
    stopped = await process(dsn)
    try:
        assert await courier_active(ledger)
        os.kill(stopped.pid, signal.SIGSTOP)
        async with asyncio.timeout(60), led(dsn) as (fence, _):
            assert fence == 2
            row = (await leads(ledger.pool))[COURIER]
            assert (row["leads"], row["holder"], row["lost_at"]) == (True, leader.myself(), row["since"])
            assert row["lost_by"].startswith(f"{stopped.pid}@")
            os.kill(stopped.pid, signal.SIGCONT)
            assert stopped.stdout
            said = [line async for line in stopped.stdout]
            assert [line for line in said if b"lost" in line], "who comes back learns that another leads"
    finally:
        with suppress(ProcessLookupError):
            stopped.kill()
        await stopped.wait()


async def test_a_killed_process_need_not_be_waited_for(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "LASTS", timedelta(hours=1))
    killed = await process(dsn)
    killed.kill()
    await killed.wait()
    async with asyncio.timeout(60), led(dsn) as (fence, _):
        assert fence == 2


async def test_who_leaves_is_followed_at_once_and_nothing_is_called_lost(
    dsn: str, ledger: PgLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "LASTS", timedelta(hours=1))
    async with led(dsn):
        pass
    assert not await courier_active(ledger)
    async with led(dsn) as (fence, _):
        row = (await leads(ledger.pool))[COURIER]
    assert (fence, row["lost_at"]) == (2, None)


async def test_control_who_renews_keeps_the_lease(dsn: str, admin: Admin[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What would have ended twice over is renewed each time; the lease is long, for a busy machine may stand still."""
    monkeypatch.setattr(leader, "LASTS", timedelta(minutes=5))
    async with led(dsn) as (_, leading_one):
        other = asyncio.create_task(leading(dsn, COURIER, hanging))
        for _ in range(2):
            await admin.execute("update lead set renewed_at = renewed_at - interval '3 minutes'")
            await eventually(lambda: admin.fetchval("select renewed_at > now() - interval '2 minutes' from lead"))
        assert not leading_one.done()
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
    assert await admin.fetchval("select fence from lead") == 1


@pytest.mark.parametrize("days", [400, -400])
async def test_a_jump_of_the_clock_costs_at_most_a_change_of_hands(
    dsn: str, admin: Admin[Any], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """Forwards, what was renewed is long past; back again, it lies in the future: neither holds anybody off."""
    async with led(dsn) as (_, first):
        await admin.execute("update lead set renewed_at = renewed_at - make_interval(days => $1)", days)
        await asyncio.sleep(0.5)
        assert not first.done(), "who renews in time has it still"
    monkeypatch.setattr(leader, "RENEW", 60)
    async with led(dsn):  # who does not renew, though its session is there
        await admin.execute("update lead set renewed_at = now() - make_interval(days => $1)", days)
        async with asyncio.timeout(60), led(dsn) as (fence, _):
            assert fence == 3


async def test_a_loop_that_is_blocked_for_a_moment_keeps_the_lease(dsn: str) -> None:
    async with led(dsn) as (_, blocked):
        import time  # noqa: PLC0415 - to block

        time.sleep(2)  # noqa: ASYNC251 - on purpose
        await asyncio.sleep(0.5)
        assert not blocked.done()


async def test_late_writes_of_a_courier_are_refused(dsn: str, ledger: PgLedger, admin: Admin[Any]) -> None:
    case = stream()
    await ledger.append(writing(case, 0, Counted(), attention=Attention()))
    seen = [one for one in await ledger.attention_due(200) if one.stream == case]
    old, new = await supersede(ledger.pool, COURIER), await supersede(ledger.pool, COURIER)
    for fence in (0, old):
        with pytest.raises(Refused) as late:
            await ledger.nudged(seen, timedelta(minutes=1), fence)
        assert late.value.reason == Reason.SUPERSEDED
    assert await due(ledger, case), "nobody put it off"
    await ledger.nudged(seen, timedelta(minutes=1), new)
    assert not await due(ledger, case)


async def due(ledger: PgLedger, case: str) -> list[CaseDue]:
    return [one for one in await ledger.attention_due(200) if one.stream == case]


async def test_late_writes_of_a_sealer_are_refused(ledger: PgLedger, admin: Admin[Any]) -> None:
    old, new = await supersede(ledger.pool, SEALER), await supersede(ledger.pool, SEALER)
    writes = {
        "select caravel_seal($1, '{0}', '{0}', array[sha256('x')], 1, sha256('x'), 'note')": "checkpoint",
        "update sealing set outside = 7, refused = null where caravel_led('sealer', $1) = 'sealer'": "sealing",
        "select caravel_note_loss('{}', false) from caravel_led('sealer', $1)": "loss",
    }
    await admin.execute("set role caravel_sealer")
    for write in writes:
        with pytest.raises(Refused) as late:
            await guarded(admin.execute(write, old))
        assert late.value.reason == Reason.SUPERSEDED, write
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute(write, new)
        await transaction.rollback()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute("insert into tree_node values (0, 0, sha256('x'))")


async def test_what_an_attempt_of_a_chore_that_hung_found_is_not_kept(ledger: PgLedger) -> None:
    name = "look_at_something"
    hung, present = await supersede(ledger.pool, name), await supersede(ledger.pool, name)
    await keep(ledger.pool, name, ChoreFinding(fine=False, says={"n": 2}), present)
    with pytest.raises(Refused):
        await keep(ledger.pool, name, ChoreFinding(fine=True, says={"n": 1}), hung)
    assert (await last(ledger.pool))[name]["found"] == {"n": 2}
