"""The sealer: one of all processes; extends the tree, signs, and sees to it that every sink has every checkpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog

from domain.proof.merkle import EMPTY
from infra.audit.checkpoints.checkpoint import Checkpoint, opened, signed
from infra.audit.checkpoints.extend import Extension, NotSealed, extension
from infra.audit.checkpoints.loss import accepted, beyond, told
from infra.audit.checkpoints.note import BadNote
from infra.audit.checkpoints.shipping import Shipping
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import Sink, SinkDiffers
from infra.audit.queries import SEAL, SEAL_DUE, SEALER_NOTES_LOSS, TELL_SEALING
from infra.leader import SEALER, leading
from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded

log = structlog.get_logger()

POLL, RETRY = 0.25, 1.0
AFTER_REFUSAL = 15.0
"""Seconds between two looks at a ledger that is not as it was sealed."""
PAGE = 5_000
"""Events in one checkpoint at most."""
SESSION = {"role": "caravel_sealer", "timezone": "UTC", "jit": "off", "application_name": "caravel sealer"}


@asynccontextmanager
async def sessions(dsn: str) -> AsyncIterator[Pool[asyncpg.Record]]:
    """Connections of the sealer's own role."""
    pool = await guarded(asyncpg.create_pool(dsn, min_size=1, max_size=4, ssl=False, server_settings=SESSION))
    async with pool:
        yield pool


@dataclass(frozen=True, slots=True)
class SealingLimits:
    """Say when open events are sealed: so many, or the oldest of them so many seconds old."""

    events: int = 1_000
    seconds: float = 60.0


class Sealer:
    """Appends never wait for it, and it needs no Temporal."""

    def __init__(self, dsn: str, keys: SigningKeys, sinks: Sequence[Sink], limits: SealingLimits) -> None:
        self._dsn = dsn
        self._keys = keys
        self._limits = limits
        self._shipping = [Shipping(sink) for sink in sinks]
        self._told: tuple[Any, ...] = ()
        self._fence = 0

    async def run(self) -> None:
        """Seal for ever; a lost database is waited for."""
        while True:
            try:
                await leading(self._dsn, SEALER, self._lead)
            except Exception as error:  # noqa: BLE001 - whatever it was, the sealer comes back
                log.warning("sealer interrupted", error=type(error).__name__)
                await asyncio.sleep(RETRY)

    async def _lead(self, fence: int) -> None:
        self._fence, self._told = fence, ()
        for shipping in self._shipping:
            shipping.again()
        async with sessions(self._dsn) as pool:
            while True:
                pause = await self.round(pool)
                await asyncio.sleep(pause)

    async def round(self, pool: Pool[asyncpg.Record]) -> float:
        """Look once, seal and ship what is due, and return the seconds until the next look."""
        refused, more = "", False
        try:
            for shipping in self._shipping:
                await shipping.compare(pool, self._keys)
            more = await self.seal(pool)
            await self.ship(pool)
        except (NotSealed, BadNote, SinkDiffers) as refusal:
            refused = str(refusal) or type(refusal).__name__
            await self._note_loss(pool)
        await self._tell(pool, refused or None)
        return AFTER_REFUSAL if refused else 0.0 if more else POLL

    async def _note_loss(self, pool: Pool[asyncpg.Record]) -> None:
        """Stop everybody from recording, where the log's own checkpoints outside go further than the ledger."""
        found = await beyond(pool, [one.sink for one in self._shipping], self._keys.origin, self._keys.known())
        if found.points:
            await guarded(pool.execute(SEALER_NOTES_LOSS, json.dumps(await told(pool, found)), self._fence))

    async def ship(self, pool: Pool[asyncpg.Record]) -> None:
        """To every sink at once. Raises SinkDiffers when all have been tried."""
        done = await asyncio.gather(*(one.ship(pool, self._keys) for one in self._shipping), return_exceptions=True)
        for failed in filter(None, done):
            raise failed

    async def seal(self, pool: Pool[asyncpg.Record]) -> bool:
        """Seal what is due; whether there may be more. Raises NotSealed, BadNote."""
        row = await guarded(pool.fetchrow(SEAL_DUE))
        assert row is not None
        size, head, age = row["size"], row["head"], row["age"]
        if head < size:
            raise NotSealed(f"{size} events were sealed, {head} are there")
        # An event of a clock that ran ahead has an age below 0; it waits no longer for that.
        due = head > size and (head - size >= self._limits.events or age is None or not 0 <= age < self._limits.seconds)
        if due:
            found = await self._extended(pool, size, self._signed_root(size, row["note"]))
            if found.size == size:
                return False
            await self._keep(pool, found)
        return bool(due)

    async def _extended(self, pool: Pool[asyncpg.Record], size: int, root: bytes) -> Extension:
        """Up to a size at which no lost checkpoint stands: a log says one thing about a size, for ever."""
        lost, limit = await accepted(pool), PAGE
        found = await extension(pool, size, root, limit)
        while found.size in lost and found.size > size:
            limit = found.size - size - 1
            found = await extension(pool, size, root, limit)
        return found

    def _signed_root(self, size: int, note: str | None) -> bytes:
        """Return the newest checkpoint's root, if it is ours: a log signs nothing on top of what it did not sign."""
        if note is None:
            return EMPTY
        newest = opened(note.encode(), self._keys.origin, self._keys.known())
        if newest.size != size:
            raise NotSealed(f"the checkpoint of size {size} says {newest.size}")
        return newest.root

    async def _keep(self, pool: Pool[asyncpg.Record], found: Extension) -> None:
        """In one statement, under the number of the lease: a sealer that hung seals nothing any more."""
        private = self._keys.current()
        note = signed(Checkpoint(self._keys.origin, found.size, found.root), private)
        nodes = [list(column) for column in zip(*found.nodes, strict=True)]
        await guarded(pool.execute(SEAL, self._fence, *nodes, found.size, found.root, note))

    async def _tell(self, pool: Pool[asyncpg.Record], refused: str | None) -> None:
        """Write down how it goes, for whoever looks at another process; only when something is new."""
        outside = max((shipping.last for shipping in self._shipping), default=0)
        news = (outside, refused, json.dumps([shipping.shown() for shipping in self._shipping]))
        if news == self._told:
            return
        if refused and (not self._told or self._told[1] != refused):
            log.error("nothing is signed any more", why=refused)
        await guarded(pool.execute(TELL_SEALING, *news, self._fence))
        self._told = news
