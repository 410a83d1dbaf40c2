"""erase_case: the keys first, then what stands beside the ledger; the tombstone is recorded with the delivery.

Whatever a crash leaves is finished by the next attempt: destroying twice is destroying once, and until the tombstone
stands the effect is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from activities.command_handler import CommandHandler, CommandRequest
from activities.gateways import GatewayRefused
from activities.perform import Delivered
from activities.ports import Keys, Meta
from domain.case.effect import Effect
from domain.case.erasure import Tombstone
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.core.personal import KeyClass
from domain.stages.anytime.erasing import RecordErasure, erased

EVERY = 5.0
"""Seconds within which every process lets go of what it had opened before a key was destroyed."""
LIST = "the key service's list of destroyed keys"
Forget = Callable[[str], None]
"""Lets go of everything a process holds opened of one stream."""


class Destroyed(Protocol):
    """Names what the key service destroyed; infra/keys.py implements it, which activities may not see."""

    def destroyed(self) -> Collection[tuple[str, KeyClass]]:
        """Streams and classes of every key that was destroyed, by whatever process."""


async def tell_again(
    commands: CommandHandler, stones: Iterable[tuple[str, Tombstone]], clear: Callable[[str], Awaitable[None]]
) -> Sequence[str]:
    """Record what a ledger that was put back to before an erasure does not say of it; answers with the cases.

    A case the ledger does not have is passed over. Safe to repeat.
    """
    told = []
    for case, stone in stones:
        if await _lacks(commands, case, stone):
            meta = Meta(ENGINE, "operation", key=f"erased/{stone.order}", provenance=LIST)
            await commands.record(CommandRequest(case, meta, RecordErasure(stone.order, stone)))
            await clear(case)
            told.append(case)
    return told


async def _lacks(commands: CommandHandler, case: str, stone: Tombstone) -> bool:
    try:
        known = (await commands.case(case))[0]
    except Refused as refused:
        if refused.reason is Reason.NOT_FOUND:
            return False
        raise
    return not set(stone.classes) <= erased(known)


class Erasing:
    """Destroys the keys a confirmed order names; `clear` takes away what is kept of a case beside the ledger.

    `before` takes away what only the keys can tell to be the case's own; where a crash comes between, it lapses.
    """

    def __init__(
        self,
        keys: Keys,
        clear: Callable[[str], Awaitable[None]],
        before: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._keys = keys
        self._clear = clear
        self._before = before

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises GatewayRefused(no_order) where nobody confirmed it."""
        del repeat
        order = case.erasure
        if order is None or order.order != effect.about or not order.confirmed_by:
            raise GatewayRefused("no_order")
        stone = Tombstone(order.order, order.classes, order.reason, order.by, order.confirmed_by, now)
        if self._before is not None:
            await self._before(case.id)
        for key_class in order.classes:
            await self._keys.destroy(case.id, key_class, stone)
        await self._clear(case.id)
        return Delivered(f"destroyed: {', '.join(order.classes)}", answer=RecordErasure(order.order))


async def keep_forgetting(keys: Destroyed, forget: Collection[Forget], every: float = EVERY) -> None:
    """Let go of each newly erased stream, twice: a load under way meanwhile may have remembered it once more."""
    known, new = frozenset(keys.destroyed()), frozenset[tuple[str, KeyClass]]()
    while True:
        await asyncio.sleep(every)
        now, before = frozenset(keys.destroyed()), new
        new, known = now - known, now
        for stream in {stream for stream, _ in new | before}:
            for let_go in forget:
                let_go(stream)
