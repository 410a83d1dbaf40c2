"""The chores of the night as activities: each is carried out with a heartbeat, and what it found is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from temporalio import activity

from activities.messages import nameless
from activities.ports import ChoreFinding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BEAT = 10.0
"""Seconds between two signs of life."""


Look = Callable[[], Awaitable[ChoreFinding]]
Begin = Callable[[str], Awaitable[int]]
Keep = Callable[[str, ChoreFinding, int], Awaitable[None]]


def chores(looks: Mapping[str, Look], begin: Begin, keep: Keep) -> list[Callable[[], Awaitable[bool]]]:
    """Make one activity for each chore, of its name; the activity returns whether all is well.

    What an attempt found is kept under its number: one that hung comes too late when Temporal has begun another.
    """
    return [_activity(name, look, begin, keep) for name, look in looks.items()]


def _activity(name: str, look: Look, begin: Begin, keep: Keep) -> Callable[[], Awaitable[bool]]:
    @activity.defn(name=name)
    async def carry_out() -> bool:
        try:
            fence = await begin(name)
            async with _alive():
                found = await look()
            await keep(name, found, fence)
        except Exception as error:  # noqa: BLE001 - its text may describe a person, and Temporal would keep it
            raise nameless(error) from None
        return found.fine

    return carry_out


@asynccontextmanager
async def _alive() -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
