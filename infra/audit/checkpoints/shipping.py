"""Brings every checkpoint and every key announcement to one sink, in order, whatever it missed while it was away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog

from infra.audit.checkpoints.extend import NotSealed
from infra.audit.checkpoints.loss import accepted
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import FAILURES, KEY, Sink, checkpoint_name, key_name, sizes
from infra.audit.queries import NOTE_OF, NOTES_AFTER
from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded

log = structlog.get_logger()

PATIENCE = 20.0
"""Seconds for one object."""
RETRY = 10.0
OLDER = "an older copy of them was put back; `caravel audit rotate-key` makes the next one"


class Shipping:
    """Knows what one sink has, as far as can be told. A sink that is away holds up no other and is tried again."""

    def __init__(self, sink: Sink) -> None:
        self.last = 0
        self.sink = sink
        self._there: set[str] | None = None
        self._keys = 0
        self._failing: tuple[str, str] | None = None
        self._not_before = 0.0

    def shown(self) -> dict[str, Any]:
        """Return it as JSON for status and metrics."""
        since, error = self._failing or (None, None)
        return {"name": self.sink.name, "size": self.last, "failing_since": since, "error": error}

    def again(self) -> None:
        """Compare anew: the database may be another one by now."""
        self._there = None
        self.last = 0

    async def compare(self, reads: Reads, keys: SigningKeys) -> None:
        """Once: whether what it holds is of this ledger. Raises NotSealed."""
        if self._there is None:
            await self._tried(self._compare(reads, keys))

    async def ship(self, reads: Reads, keys: SigningKeys) -> None:
        """Send what is missing. Raises SinkDiffers: what stands there is not of this ledger."""
        if self._there is not None:
            await self._tried(self._ship(reads, keys))

    async def _tried(self, work: Coroutine[Any, Any, None]) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            work.close()
            return
        try:
            await work
            self._failing = None
        except FAILURES as error:
            self._not_before = now + RETRY
            if self._failing is None:
                log.warning("checkpoints wait for a sink", sink=self.sink.name, error=type(error).__name__)
                self._failing = (datetime.now(UTC).isoformat(), type(error).__name__)

    async def _ship(self, reads: Reads, keys: SigningKeys) -> None:
        for number, note in keys.announcements():
            if number > self._keys:
                await self._put(key_name(number), note)
                self._keys = number
        while rows := await guarded(reads.fetch(NOTES_AFTER, self.last)):
            for row in rows:
                await self._put(checkpoint_name(row["size"]), row["note"])
                self.last = row["size"]

    async def _compare(self, reads: Reads, keys: SigningKeys) -> None:
        """Its newest checkpoint and key must be ours; the others are compared by `caravel audit verify`."""
        there = await asyncio.wait_for(self.sink.names(), PATIENCE)
        lost = await accepted(reads)
        if found := [size for size in sizes(there) if size not in lost]:
            newest = await asyncio.wait_for(self.sink.get(checkpoint_name(found[-1])), PATIENCE)
            ours = await guarded(reads.fetch(NOTE_OF, found[-1]))
            if [row["note"].encode() for row in ours] != [newest]:
                raise NotSealed(f"{self.sink.name} holds a checkpoint of size {found[-1]} that this ledger has not")
        newest_key = max((name for name in there if name.startswith(KEY)), default="")
        if newest_key > max((key_name(number) for number, _ in keys.announcements()), default=newest_key):
            raise NotSealed(f"{self.sink.name} holds {newest_key}, which is not among the signing keys here: {OLDER}")
        self._there = there

    async def _put(self, name: str, note: str) -> None:
        assert self._there is not None
        if name not in self._there:
            await asyncio.wait_for(self.sink.create(name, note.encode()), PATIENCE)
