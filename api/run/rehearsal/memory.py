"""The rehearsal's ledger: PostgreSQL as everywhere; what this process wrote itself is not read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.ports import Append, Claim, Ledger, Loaded, Source
from domain.fact import Fact

NO_LEASE = timedelta(0)


class Remembering(Ledger):
    """Sound only while nobody else writes: a rehearsal has its ledger to itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._facts: dict[str, list[Fact[Any]]] = {}
        self._failed: dict[str, int] = {}
        self.appended = 0

    async def load(self, stream: str, *, after: int = 0, command: tuple[str, str] | None = None) -> Loaded:
        """As the ledger itself, with only the facts that are not known yet read from it."""
        known = self._facts.setdefault(stream, [])
        loaded = await self._ledger.load(stream, after=len(known), command=command)
        known += loaded.facts
        return replace(loaded, facts=known[after:])

    async def sources(self, streams: Sequence[str]) -> Sequence[Source]:
        """As the ledger itself."""
        return await self._ledger.sources(streams)

    async def last_version(self, stream: str) -> int:
        """As the ledger itself."""
        return await self._ledger.last_version(stream)

    async def append(self, append: Append) -> Sequence[Fact[Any]]:
        """As the ledger itself."""
        facts = await self._ledger.append(append)
        self._facts.setdefault(append.stream, []).extend(facts)
        self.appended += len(facts)
        return facts

    async def claim(self, case: str, effect: str, *, expected: int, epoch: int, lease: timedelta) -> Claim:
        """Nobody else is here, so it is granted at once; only an attempt that fails is written down (see `failed`)."""
        del case, expected, epoch
        before = self._failed.get(effect, 0)
        return Claim(effect, before + 1, datetime.max.replace(tzinfo=UTC) - lease, before)

    async def failed(self, case: str, effect: str, epoch: int) -> None:
        """An attempt ended without an outcome: whoever goes on after the rehearsal must know that it was made."""
        self._failed[effect] = self._failed.get(effect, 0) + 1
        version = len(self._facts[case])
        await self._ledger.claim(case, effect, expected=version, epoch=epoch, lease=NO_LEASE)

    async def release(self, effect: str, attempt: int) -> None:
        """The newest attempt has its outcome; earlier ones keep theirs unknown."""

    def facts(self, stream: str) -> Sequence[Fact[Any]]:
        """Everything recorded of a stream."""
        return self._facts.get(stream, ())
