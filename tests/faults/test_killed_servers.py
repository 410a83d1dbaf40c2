"""PostgreSQL and Temporal killed, wiped, away, doubled; the ledger copied. What was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import asyncpg
import pytest

from activities.attend import Attending
from activities.messages import Attend
from api.run.engine.restore import own_engine
from domain.core.errors import Reason, Refused
from infra.embedded.temporal_server import TemporalServer
from infra.ids import fresh_stream
from infra.ledger.encoding.errors import DatabaseFailed
from tests.conftest import SOON
from tests.faults.conftest import Stand
from tests.infra.audit.proved import broken
from tests.workflows.rig import Engine, command, engine, eventually, ladder, opening, quick

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]


@dataclass
class Coordinators:
    """People who send commands without pause, repeat what got no answer, and keep what was acknowledged."""

    here: Engine
    acknowledged: dict[str, str] = field(default_factory=dict)
    slowest: float = 0
    stop: bool = False

    async def send(self, case: str, what: object, key: str) -> None:
        """Until it is answered."""
        began = time.monotonic()
        while True:
            try:
                await self.here.send(case, what, key=key)
            except DatabaseFailed:
                await asyncio.sleep(0.1)
            else:
                self.acknowledged[key] = case
                self.slowest = max(self.slowest, time.monotonic() - began)
                return

    async def work(self, name: str) -> None:
        number = 0
        while not self.stop:
            case = fresh_stream("case")
            await self.send(case, opening(), f"{name}-{number}")
            await self.send(case, command("RequestRecord", "labs"), f"{name}-{number}-labs")
            await self.send(case, command("AddNote", "note", "x"), f"{name}-{number}-note")
            number += 1
            await asyncio.sleep(0.1)

    async def check(self) -> None:
        """Every acknowledged command is in the ledger once, every effect has one outcome, every case a loop."""
        rows = await self.here.ledger._pool.fetch("select meta::json ->> 'key' as key, stream from event")
        found = {(row["key"], row["stream"]) for row in rows if row["key"]}
        assert {(key, case) for key, case in self.acknowledged.items()} <= found
        for case in set(self.acknowledged.values()):
            types = [f.event.type for f in await self.here.facts(case)]
            assert types.count("CaseOpened") == 1
            assert types.count("NoteAdded") <= 1
            assert types.count("EffectDelivered") == types.count("EffectRequested")
        assert await broken(self.here.ledger) is None


async def _all_attended(here: Engine) -> bool:
    unattended = "select count(*) from attention where attended < version"
    unfinished = "select count(*) from effect_view where state in ('requested', 'unknown')"
    pool = here.ledger._pool
    return not await pool.fetchval(unattended) and not await pool.fetchval(unfinished)


async def _loops_are_the_open_cases(here: Engine) -> bool:
    open_cases = {waiting.stream for waiting in await here.ledger.open_cases()}
    running = {run.id async for run in here.client.list_workflows("ExecutionStatus = 'Running'")}
    return running == open_cases


async def test_postgres_killed_under_load(stand: Stand) -> None:
    async with engine(stand.dsn, stand.temporal.address, stand.folder) as here:
        people = Coordinators(here)
        async with asyncio.TaskGroup() as group:
            working = [group.create_task(people.work(str(n))) for n in range(3)]
            for _ in range(3):
                await asyncio.sleep(1.5)
                await stand.kill_postgres()
                await stand.postgres.start()
            await asyncio.sleep(1)
            people.stop = True
            await asyncio.wait(working)
        await eventually(lambda: _all_attended(here), within=60)
        await people.check()
        await eventually(lambda: _loops_are_the_open_cases(here))
        assert len(people.acknowledged) > 20


async def test_temporal_wiped_is_restored_with_the_same_obligations_at_the_same_times(stand: Stand) -> None:
    policy = quick(record=ladder(3600, 15))
    async with engine(stand.dsn, stand.temporal.address, stand.folder, policy=policy) as here:
        cases = [await here.open() for _ in range(12)]
        for case in cases:
            await here.send(case, command("RequestRecord", "labs"))
        await eventually(lambda: _all_attended(here))
        before = {case: (await here.case(case)).obligations for case in cases}
        await stand.wipe_temporal()
        assert not await own_engine(here.ledger, here.client)
        with pytest.raises(Refused) as refused:
            await here.restore()
        assert refused.value.reason is Reason.SUPERSEDED
        restored = await here.restore(take_over=True)
        assert restored.now + restored.later == len(cases)
        assert {case: (await here.case(case)).obligations for case in cases} == before
        await eventually(lambda: _loops_are_the_open_cases(here))
        for case in cases:  # the reminders fall due on the new engine
            await eventually(lambda one=case: _reminded(here, one), within=60)  # type: ignore[misc]
            assert len(here.hands.of(case, "remind")) == 1
            assert [f.event.late for f in await here.facts(case, "ObligationStepTaken")] == [False]


async def _reminded(here: Engine, case: str) -> bool:
    delivered = {f.event.effect for f in await here.facts(case, "EffectDelivered")}
    return any(e.kind == "remind" and e.id in delivered for e in (await here.case(case)).effects.values())


async def test_commands_are_taken_while_temporal_is_away_and_reminders_run_late_once(stand: Stand) -> None:
    policy = quick(record=ladder(3600, 4, 7, 10), late_after=2)
    async with engine(stand.dsn, stand.temporal.address, stand.folder, policy=policy) as here:
        case = await here.open()
        await here.send(case, command("RequestRecord", "labs"))
        await here.settled(case)
        await stand.kill_temporal()
        away = time.monotonic() + 15
        slowest = 0.0
        while time.monotonic() < away:
            began = time.monotonic()
            await here.send(case, command("AddNote", "note", "x"))
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.5)
        assert slowest < 2  # a command's own transaction notes what has fallen due; nobody is called meanwhile
        assert not here.hands.of(case, "remind")
        await stand.temporal.start()
        await eventually(lambda: _reminded(here, case), within=60)
        await asyncio.sleep(3)
        steps = await here.facts(case, "ObligationStepTaken", "ObligationStepSkipped")
        assert len(steps) == 3
        calls = here.hands.of(case, "remind")
        assert len({call.effect for call in calls}) == len(calls)


async def _said(capsys: pytest.CaptureFixture[str], words: str) -> bool:
    return words in capsys.readouterr().out


async def test_after_an_outage_nobody_noticed_the_newest_reminder_goes_out_alone(stand: Stand) -> None:
    """No command meanwhile: two reminders are skipped, the newest is late, and there is no burst."""
    policy = quick(record=ladder(3600, 4, 6, 8), late_after=2)
    async with engine(stand.dsn, stand.temporal.address, stand.folder, policy=policy) as here:
        case = await here.open()
        await here.send(case, command("RequestRecord", "labs"))
        await here.settled(case)
        await stand.kill_temporal()
        await asyncio.sleep(15)
        await stand.temporal.start()
        await eventually(lambda: _reminded(here, case), within=60)
        await asyncio.sleep(2)
        assert [f.event.step for f in await here.facts(case, "ObligationStepSkipped")] == [0, 1]
        assert [(f.event.step, f.event.late) for f in await here.facts(case, "ObligationStepTaken")] == [(2, True)]
        assert len(here.hands.of(case, "remind")) == 1


async def test_a_second_temporal_on_one_ledger_does_nothing_and_says_so(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    second = TemporalServer(stand.folder / "second", ui=False, config=SOON)
    first = engine(stand.dsn, stand.temporal.address, stand.folder, working=False)
    async with second, first as here, engine(stand.dsn, second.address, stand.folder, working=False) as other:
        assert not await own_engine(other.ledger, other.client)
        await other.start()
        case = await here.open()
        await eventually(lambda: _said(capsys, "another Temporal acts for this ledger"))
        assert [run async for run in other.client.list_workflows("")] == []
        assert not await here.attended(case)
        with pytest.raises(Refused) as refused:
            await other.restore()
        assert refused.value.reason is Reason.SUPERSEDED
        await here.start()
        await here.settled(case)
        await other.restore(take_over=True)  # now the first has to stand back
        await other.send(case, command("AddNote", "note", "x"))
        await here.client.get_workflow_handle(case).signal("nudge")
        assert await asyncio.wait_for(here.client.get_workflow_handle(case).result(), 60) == "superseded"
        await eventually(lambda: _loops_are_the_open_cases(other), within=60)
        await other.settled(case)
        runs = len(await here.runs(case))
        await other.send(case, command("AddNote", "note", "y"))
        await asyncio.sleep(6)
        assert len(await here.runs(case)) == runs  # the first one's courier rests


async def test_a_copy_of_the_ledger_under_another_name_has_no_hands(stand: Stand) -> None:
    async with engine(stand.dsn, stand.temporal.address, stand.folder, working=False) as here:
        case = await here.open()
        await here.send(case, command("RequestRecord", "labs"))
    admin = await asyncpg.connect(stand.postgres.dsn_of("postgres"))
    await admin.execute("create database copied template caravel")
    await admin.close()
    copied = engine(stand.postgres.dsn_of("copied"), stand.temporal.address, stand.folder, name="elsewhere")
    async with copied as copy:
        assert copy.ledger.read_only
        await asyncio.sleep(3)
        assert copy.hands.calls == []
        with pytest.raises(Refused) as refused:
            await copy.send(case, command("AddNote", "note", "x"))
        assert refused.value.reason is Reason.READ_ONLY
        turn = await Attending(copy.commands).attend(Attend(case, 99, 0))
        assert (turn.superseded, turn.ended, turn.effects) == (True, True, [])
        assert [run async for run in copy.client.list_workflows("ExecutionStatus = 'Running'")] == []
