"""A worker process that can be told where to die."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from activities import perform
from activities.gateways import Channel, Request
from activities.perform import Delivered, Outward
from activities.ports import Append
from api.run.engine.worker import EVERY_EFFECT
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.fact import Fact
from tests.faults.far import Side, World
from tests.workflows.rig import Engine, engine
from workflows import journey

CHANNELS: Mapping[str, Channel] = {"pathology": "asks", "antigen": "dedupes", "imaging": "blind"}
"""By which document is asked for; everything else is mail."""
CALL, LEASE, LOOK = 1.0, 3.0, 5.0


class Crash:
    """SIGKILL once enough have come to the point; nobody who has come there goes on."""

    def __init__(self, at: str, count: int) -> None:
        self._at, self._left = at, count

    async def point(self, name: str) -> None:
        if name != self._at:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(60)


@dataclass
class Dying:
    """The hand of every kind: through the real Outward, to a far side of the document's channel."""

    world: World
    crash: Crash
    careless: bool = False

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        del now
        await self.crash.point("claimed")
        item = case.records.get(effect.about.split("/", maxsplit=1)[0])
        side = Side(self.world, CHANNELS.get(item.kind if item else "", "blind"))
        request = Request(effect.id, effect.kind, case.id, effect.about, effect.to, "")
        delivered = await Outward(side).deliver(request, repeat=0 if self.careless else repeat)
        await self.crash.point("called")
        return delivered


def hasten() -> None:
    """Seconds where there were half minutes, so that a killed worker is noticed soon."""
    perform.CALL, perform.LEASE = CALL, timedelta(seconds=LEASE)
    for name, row in journey.EFFECTS.items():
        journey.EFFECTS[name] = replace(row, call=timedelta(seconds=CALL))  # type: ignore[index]


def die_after_commit(here: Engine, crash: Crash) -> None:
    """Between the recorded outcome, or look, and whoever waits to hear of it."""
    release, committed = here.ledger.release, here.ledger.append

    async def released(effect: str, attempt: int) -> None:
        await crash.point("recorded")
        await release(effect, attempt)

    async def appended(append: Append) -> Sequence[Fact[Any]]:
        facts = await committed(append)
        if append.attention and append.attention.attended:
            await crash.point("attended")
        return facts

    here.ledger.release, here.ledger.append = released, appended  # type: ignore[method-assign]


@dataclass
class Given:
    """What a worker is told."""

    dsn: str
    temporal: str
    folder: Path
    crash: str = ""
    """claimed | called | recorded | attended: SIGKILL to itself once so many have come that far."""
    at: int = 1
    careless: bool = False
    """Switches off what protects: no attempt knows of the ones before it."""


def main(given: Given, works: Event) -> None:
    """Work until killed, and say when it works."""
    hasten()
    asyncio.run(working(given, works))


async def working(given: Given, works: Event) -> None:
    crash = Crash(given.crash, given.at)
    hands = Dying(World(given.folder / "world.db"), crash, careless=given.careless)
    async with engine(given.dsn, given.temporal, given.folder, working=False) as here:
        here.hands.table = lambda: dict.fromkeys(EVERY_EFFECT, hands)  # type: ignore[method-assign]
        die_after_commit(here, crash)
        await here.start()
        works.set()
        await asyncio.Event().wait()
