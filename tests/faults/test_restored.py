"""Temporal wiped under load and restored while commands go on: obligations, due times and effects are as they were."""

from __future__ import annotations

import asyncio

import pytest

from api.run.engine.drift import compare
from tests.faults.conftest import Stand
from tests.faults.test_killed_servers import Coordinators, _all_attended, _loops_are_the_open_cases
from tests.faults.test_killed_workers import asked_on_every_channel, outcomes
from tests.faults.worker import CHANNELS
from tests.workflows.rig import Engine, engine, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]
CASES = 6


async def _books_agree(here: Engine, stand: Stand, case: str) -> None:
    """Every effect has one outcome and is in the world's book once; mail at most twice, and then it is marked."""
    for channel, (effect, marked) in (await outcomes(here, case)).items():
        times = stand.world.times(effect)
        assert times == 1 or (times == 2 and channel == "blind" and marked), (channel, times, marked)


async def test_restored_while_commands_go_on(stand: Stand) -> None:
    """What somebody was about to do when Temporal was wiped is done at once, though its case had been looked at."""
    async with engine(stand.dsn, stand.temporal.address, stand.folder, working=False) as here:
        await stand.worker()
        early = [await asked_on_every_channel(here) for _ in range(CASES)]
        await eventually(lambda: _all_attended(here), within=60)
        book = stand.world.all()
        late = [await asked_on_every_channel(here) for _ in range(CASES)]  # what they ask for is under way
        owed = {case: (await here.case(case)).obligations for case in early + late}
        people = Coordinators(here)
        working = [asyncio.create_task(people.work(str(n))) for n in range(2)]
        await stand.wipe_temporal()
        before = len(people.acknowledged)
        restored = await here.restore(take_over=True)
        assert restored.now + restored.later >= len(owed)
        await asyncio.sleep(2)
        people.stop = True
        await asyncio.wait(working)
        assert len(people.acknowledged) > before > 0  # taken while Temporal was away, and after
        await eventually(lambda: _all_attended(here), within=60)
        await eventually(lambda: _loops_are_the_open_cases(here))
        assert {case: (await here.case(case)).obligations for case in owed} == owed
        await people.check()
        for case in owed:
            await _books_agree(here, stand, case)
        assert set(book) <= set(stand.world.all())
        assert {stand.world.times(effect) for effect, *_ in book} == {1}  # what had arrived does not go out again
        assert len(book) == CASES * len(CHANNELS)
        assert (await compare(here.ledger, here.client, pause=1)).drifts == []
