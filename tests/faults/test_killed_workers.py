"""A worker killed at every step of an effect and of a look: one outcome, no more calls than the channel allows."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.faults.conftest import Stand
from tests.faults.worker import CHANNELS
from tests.workflows.rig import Engine, command, engine, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]


async def asked_on_every_channel(here: Engine) -> str:
    """A case with one effect on every channel."""
    case = await here.open()
    for kind in CHANNELS:
        await here.send(case, command("RequestRecord", kind))
    return case


async def outcomes(here: Engine, case: str) -> dict[str, tuple[str, bool]]:
    """Channel → effect and whether it says that it may have arrived twice; every effect has one outcome."""
    state = await here.case(case)
    channel = {
        e.id: CHANNELS[state.records[e.about.split("/")[0]].kind] for e in state.effects.values() if "/" in e.about
    }
    facts = await here.facts(case, "EffectDelivered", "EffectRefused", "EffectUnknown")
    assert sorted(f.event.effect for f in facts) == sorted(channel)
    return {channel[f.event.effect]: (f.event.effect, f.event.possible_repeat) for f in facts}


async def _done(here: Engine, case: str) -> bool:
    return len(await here.facts(case, "EffectDelivered")) >= len(CHANNELS)


async def killed(stand: Stand, at: str, *, careless: bool = False) -> dict[str, tuple[int, bool]]:
    """Channel → how often the far side has it, and whether that is marked, after a worker died `at` that point."""
    async with engine(stand.dsn, stand.temporal.address, stand.folder, working=False) as here:
        dying = await stand.worker(at, len(CHANNELS))
        case = await asked_on_every_channel(here)
        assert await asyncio.wait_for(dying.wait(), 30) == -signal.SIGKILL
        await stand.worker(careless=careless)
        await eventually(lambda: _done(here, case), within=60)
        await asyncio.sleep(1)
        return {c: (stand.world.times(effect), said) for c, (effect, said) in (await outcomes(here, case)).items()}


async def test_between_claim_and_call(stand: Stand) -> None:
    """Nothing had gone out; who cannot know that says that it may arrive twice."""
    assert await killed(stand, "claimed") == {"asks": (1, False), "dedupes": (1, False), "blind": (1, True)}


async def test_between_call_and_record(stand: Stand) -> None:
    assert await killed(stand, "called") == {"asks": (1, False), "dedupes": (1, False), "blind": (2, True)}


async def test_between_record_and_acknowledgement(stand: Stand) -> None:
    assert await killed(stand, "recorded") == {"asks": (1, False), "dedupes": (1, False), "blind": (1, False)}


async def test_control_attempts_that_know_nothing_of_each_other_double(stand: Stand) -> None:
    found = await killed(stand, "called", careless=True)
    assert found == {"asks": (2, False), "dedupes": (1, False), "blind": (2, False)}


async def test_between_the_commit_of_a_look_and_its_answer(stand: Stand) -> None:
    """The second look finds everything done."""
    async with engine(stand.dsn, stand.temporal.address, stand.folder, working=False) as here:
        dying = await stand.worker("attended")
        case = await here.open()
        assert await asyncio.wait_for(dying.wait(), 30) == -signal.SIGKILL
        facts = [f.id for f in await here.facts(case)]
        await stand.worker()
        await eventually(lambda: _looks(here, case, 1), within=60)
        assert [f.id for f in await here.facts(case)] == facts
        owed = [f.event.kind for f in await here.facts(case, "ObligationOpened")]
        assert len(owed) == len(set(owed)) > 0


async def _looks(here: Engine, case: str, count: int) -> bool:
    """Whether a look was answered to the loop."""
    events = await here.history(case)
    return sum(e.HasField("activity_task_completed_event_attributes") for e in events) >= count


async def test_another_takes_over_the_couriers_round(stand: Stand) -> None:
    async with engine(stand.dsn, stand.temporal.address, stand.folder, working=False) as here:
        case = await here.open()
        await asyncio.sleep(1)
        assert not await here.attended(case)  # the control: without a courier nobody looks
        first = await stand.worker()
        await here.settled(case)
        await stand.worker()
        first.kill()
        await first.wait()
        case = await here.open()
        await eventually(lambda: here.attended(case), within=60)


async def test_two_workers_share_the_work_and_do_nothing_twice(stand: Stand) -> None:
    async with engine(stand.dsn, stand.temporal.address, stand.folder, working=False) as here:
        await stand.worker()
        await stand.worker()
        cases = await asyncio.gather(*(asked_on_every_channel(here) for _ in range(15)))
        for case in cases:
            await eventually(lambda one=case: _done(here, one), within=60)  # type: ignore[misc]
            found = await outcomes(here, case)
            assert {c: (stand.world.times(e), said) for c, (e, said) in found.items()} == dict.fromkeys(
                found, (1, False)
            )
