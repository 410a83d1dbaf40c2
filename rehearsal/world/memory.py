"""The rehearsal's ledger: PostgreSQL as everywhere; what this process wrote itself is not waited for or read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.ports import Append, Claim, Ledger, Loaded, Remembered, WatchedSource
from domain.core.fact import Fact
from infra.ledger.encoding.rows import source_text
from infra.ledger.ledger import PgLedger

NO_LEASE = timedelta(0)
HEARS_ALL = 2**31 - 1
"""As `woken`: no call of a watched stream is missed where the caller is oneself."""


@dataclass(slots=True)
class RememberedStream:
    """A stream as it stands, its read model where others watch it, and what it watches."""

    facts: list[Fact[Any]]
    first: Loaded
    source: WatchedSource | None = None
    watched: list[str] = field(default_factory=list)


class Remembering(Ledger):
    """Sound only while nobody else writes: a rehearsal has its ledger to itself. An append elsewhere is a conflict."""

    def __init__(self, ledger: PgLedger) -> None:
        self._ledger = ledger
        self._known: dict[str, RememberedStream] = {}
        self._commands: dict[tuple[str, str], Remembered] = {}
        self._failed: dict[str, int] = {}
        self.appended = 0

    async def load(self, stream: str, *, after: int = 0, command: tuple[str, str] | None = None) -> Loaded:
        """Load as the ledger itself does, which is asked only for streams that were there before."""
        known = self._known.get(stream) or await self._first(stream)
        return replace(
            known.first,
            facts=known.facts[after:],
            remembered=self._commands.get(command) if command else None,
            sources=await self.sources(known.watched),
        )

    async def _first(self, stream: str) -> RememberedStream:
        loaded = await self._ledger.load(stream)
        self._known[stream] = RememberedStream(list(loaded.facts), replace(loaded, woken=HEARS_ALL))
        return self._known[stream]

    async def sources(self, streams: Sequence[str]) -> Sequence[WatchedSource]:
        """Read sources as the ledger itself does."""
        return [known.source for name in streams if (known := self._known.get(name)) and known.source]

    async def streams(self, prefix: str) -> Sequence[str]:
        """Return what this process wrote: a rehearsal begins with an empty ledger."""
        return sorted(name for name, known in self._known.items() if known.source and name.startswith(prefix))

    async def last_version(self, stream: str) -> int:
        """Return the last version as the ledger itself does."""
        return len((await self.load(stream)).facts)

    async def append(self, append: Append) -> Sequence[Fact[Any]]:
        """Facts as they will be recorded; `settled` is when they are."""
        known = self._known.get(append.stream) or await self._first(append.stream)
        facts = await self._ledger.append_in_background(append)
        known.facts += facts
        if append.views.source is not None:
            version = append.expected + len(facts)
            known.source = WatchedSource(append.stream, version, json.loads(source_text(append.views.source)))
        if append.views.watch is not None:
            known.watched = sorted(append.views.watch)
        if key := append.command:
            last = append.expected + len(facts)
            self._commands[key.actor, key.key] = Remembered(key.body, append.stream, append.expected + 1, last)
        self.appended += len(facts)
        return facts

    async def settled(self) -> None:
        """Return when everything is in the ledger. Raises what was refused."""
        await self._ledger.settled()

    async def claim(self, case: str, effect: str, *, expected: int, epoch: int, lease: timedelta) -> Claim:
        """Nobody else is here, so it is granted at once; only an attempt that fails is written down (see `failed`)."""
        del case, expected, epoch
        before = self._failed.get(effect, 0)
        return Claim(effect, before + 1, datetime.max.replace(tzinfo=UTC) - lease, before)

    async def failed(self, case: str, effect: str, epoch: int) -> None:
        """An attempt ended without an outcome: whoever goes on after the rehearsal must know that it was made."""
        self._failed[effect] = self._failed.get(effect, 0) + 1
        await self.settled()
        version = len(self._known[case].facts)
        await self._ledger.claim(case, effect, expected=version, epoch=epoch, lease=NO_LEASE)

    async def release(self, effect: str, attempt: int) -> None:
        """The newest attempt has its outcome; earlier ones keep theirs unknown."""

    def watched(self, stream: str) -> Sequence[str]:
        """List what a stream watches."""
        known = self._known.get(stream)
        return known.watched if known else ()

    def facts(self, stream: str) -> Sequence[Fact[Any]]:
        """Return everything recorded of a stream."""
        known = self._known.get(stream)
        return known.facts if known else ()
