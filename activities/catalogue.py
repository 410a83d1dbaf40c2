"""The door to lots, protocols, centres and persons: as the cases' one, without clock, effects or obligations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.attempts import recorded_once, require_same
from activities.ports import Append, CommandKey, Ledger, Loaded, Meta, Views
from domain.catalogue.streams import Command, State, decide, fold, read_model
from domain.core.errors import Reason, require
from domain.core.fact import Draft, Fact, Ids
from domain.core.when import When
from domain.stages.anytime.watching import differs

OPENING = ("RegisterLot", "RegisterProtocol", "RegisterCentre", "RegisterPerson")


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream of the catalogue after a command, the facts it brought, and whether it had been recorded before."""

    stream: str
    state: State
    facts: Sequence[Fact[Any]]
    now: datetime
    repeated: bool = False


class Catalogue:
    """Records commands on what cases depend on; what cases note of a stream wakes every one that watches it."""

    def __init__(self, ledger: Ledger, ids: Ids, clock: Callable[[], datetime] | None = None) -> None:
        self.ledger = ledger
        self.ids = ids
        self._clock = clock  # only a rehearsal has one; elsewhere the database's clock counts

    async def record(
        self, stream: str, command: Command, meta: Meta, key: CommandKey | None = None, if_version: int | None = None
    ) -> Entry:
        """Record a command. `if_version` refuses a page that others have overtaken (If-Match). Raises Refused."""
        remembered = (key.actor, key.key) if key else None
        return await recorded_once(
            lambda: self.ledger.load(stream, command=remembered),
            lambda loaded: self._again(command, key, loaded),
            lambda loaded: self._once(command, meta, key, if_version, loaded),
        )

    async def entry(self, stream: str) -> Entry:
        """Return a stream as it stands with all its facts. Raises Refused(NOT_FOUND)."""
        loaded = await self.ledger.load(stream)
        require(loaded.facts, Reason.NOT_FOUND, "no such lot, protocol, centre or person")
        return Entry(stream, fold(stream, loaded.facts), loaded.facts, self._now(loaded))

    def _now(self, loaded: Loaded) -> datetime:
        return self._clock() if self._clock else loaded.now

    async def _again(self, command: Command, key: CommandKey | None, loaded: Loaded) -> Entry:
        first = require_same(key, loaded, opening=command.type in OPENING)
        facts = (await self.ledger.load(first.stream)).facts if first.stream != loaded.stream else loaded.facts
        upto = [f for f in facts if f.version <= max(first.last, first.first - 1)]
        written = [f for f in upto if f.version >= first.first]
        return Entry(first.stream, fold(first.stream, upto), written, self._now(loaded), repeated=True)

    async def _once(
        self, command: Command, meta: Meta, key: CommandKey | None, if_version: int | None, loaded: Loaded
    ) -> Entry:
        now = self._now(loaded)
        state = fold(loaded.stream, loaded.facts)
        require(if_version in (None, state.version), Reason.STALE, "facts changed since this page was read")
        drafts = decide(loaded.stream, state, command, now, self.ids)
        if not drafts and key is None:
            return Entry(loaded.stream, state, (), now)
        new = [_as_fact(draft, len(loaded.facts) + n, now) for n, draft in enumerate(drafts, 1)]
        after = fold(loaded.stream, [*loaded.facts, *new])
        source = read_model(loaded.stream, after)
        calls = not loaded.facts or differs(loaded.stream, read_model(loaded.stream, state), source)
        at = now if self._clock else None
        append = Append(loaded.stream, len(loaded.facts), drafts, meta, Views(source=source), key, at=at, calls=calls)
        return Entry(loaded.stream, after, await self.ledger.append(append), now)


def _as_fact(draft: Draft[Any], version: int, now: datetime) -> Fact[Any]:
    return Fact(draft.event, draft.id, version, now, draft.occurred or When.at(now), "")
