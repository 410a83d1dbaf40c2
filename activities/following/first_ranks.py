"""Follows changes of the catalogue: which open cases have other protocols and centres first since, told once for each.

A change is a range of positions. One worker takes it by a lease; who takes over from one that was killed gets the very
same range, and a case records a range once, so that neither a race nor a kill tells anything twice or leaves it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from activities.command_handler import CommandHandler, CommandRequest
from activities.ports import CatalogueChange, CatalogueSpan, Meta
from domain.catalogue import streams
from domain.core.errors import Refused
from domain.core.fact import ENGINE, Fact
from domain.criteria.matching import Prepared
from domain.stages.eligibility.matching import offers
from domain.stages.eligibility.ranking import NoteFirstRank, changed_first, seeking

PAGE, MOST = 500, 10_000
RENEW = 10.0
"""Seconds between two renewals of the lease, but for what one case takes."""
KINDS = ("protocol", "centre")
META = Meta(ENGINE, "operation")


Listing = Callable[[str, str, int], Awaitable[Sequence[tuple[str, int]]]]
"""Lists protocols or centres with their versions, after one of them by name."""


class Followed(Protocol):
    """Keeps how far changes were followed, and reads what they may concern; infra/reads/followed.py implements it."""

    async def begin(self, holder: str) -> CatalogueSpan | None:
        """Take what is to be followed; None = nothing, or another worker has it."""

    async def go_on(self, holder: str) -> bool:
        """Say that it is still being followed; False where another worker has taken over."""

    async def finish(self, upto: int) -> None:
        """Say that everything up to there was followed."""

    async def changes(self, after: int) -> Sequence[CatalogueChange]:
        """Return the events of protocols and centres after a position."""

    async def seekers(self, after: str, limit: int) -> Sequence[tuple[str, int]]:
        """Return cases at a stage before an acceptance, and the position each was opened at, after one by name."""

    async def entries(self, prefix: str, after: str, limit: int) -> Sequence[tuple[str, int]]:
        """Return protocols or centres with their versions, after one of them by name."""


async def entries(commands: CommandHandler, listing: Listing, prefix: str) -> dict[str, Any]:
    """Return every protocol or centre as it stands, by stream; what did not grow since is not read anew."""
    found: dict[str, Any] = {}
    after = ""
    while rows := await listing(prefix, after, PAGE):
        for stream, version in rows:
            found[stream] = await commands.entry_at(stream, version)
        after = rows[-1][0]
        if len(found) >= MOST:
            break
    return found


@dataclass(frozen=True, slots=True)
class ChangedSource:
    """A protocol or centre that changed: all its facts, and the position of each that is new."""

    facts: Sequence[Fact[Any]]
    new: Mapping[int, int]

    def at(self, stream: str, position: int) -> Any:  # noqa: ANN401 - a protocol or centre
        """Return how it stood at a position; None = it was not there."""
        upto = max((v for v, at in self.new.items() if at <= position), default=min(self.new) - 1)
        return streams.fold(stream, self.facts[:upto]) if upto else None


class Catalogue:
    """Holds the catalogue as it stood at positions of one range."""

    def __init__(
        self, known: Mapping[str, Mapping[str, Any]], changed: Mapping[str, ChangedSource], now: datetime
    ) -> None:
        self._known, self._changed, self._now = known, changed, now
        self._positions = sorted({at for one in changed.values() for at in one.new.values()})
        self._offers: dict[int, Prepared] = {}

    def at(self, position: int) -> Prepared:
        """Return what it offered at a position, as of this instant; the same object where nothing changed between."""
        newest = max((at for at in self._positions if at <= position), default=0)
        if newest not in self._offers:
            kinds = [self._as_of(kind, newest) for kind in KINDS]
            self._offers[newest] = Prepared(offers(kinds[0], kinds[1], self._now))
        return self._offers[newest]

    def _as_of(self, kind: str, position: int) -> Mapping[str, Any]:
        names = sorted({*self._known[kind], *(one for one in self._changed if one.startswith(f"{kind}-"))})
        states = {n: self._changed[n].at(n, position) if n in self._changed else self._known[kind][n] for n in names}
        return {name: state for name, state in states.items() if state is not None}


class FollowingCatalogue:
    """Follows the catalogue for the cases of a ledger; `holder` names this worker."""

    def __init__(self, commands: CommandHandler, followed: Followed, holder: str) -> None:
        self._commands, self._followed, self._holder = commands, followed, holder

    async def round(self) -> int:
        """Follow what changed since the last time; answers with how many cases it was told to."""
        span = await self._followed.begin(self._holder)
        if span is None:
            return 0
        known = {kind: await entries(self._commands, self._followed.entries, kind) for kind in KINDS}
        changes = await self._followed.changes(span.done)
        told = 0
        if any(one.position <= span.upto for one in changes):
            found = await self._follow(span, known, changes)
            if found is None:
                return 0
            told = found
        await self._followed.finish(span.upto)
        return told

    async def _follow(
        self, span: CatalogueSpan, known: Mapping[str, Mapping[str, Any]], changes: Iterable[CatalogueChange]
    ) -> int | None:
        """Go through every case; None where another worker has taken over."""
        told, catalogue, clock = 0, None, asyncio.get_running_loop().time
        changed = await self._read(changes)
        renewed = clock()
        async for name, opened in self._seekers():
            case, _, now = await self._commands.case(name)
            catalogue = catalogue or Catalogue(known, changed, now)
            before, later = catalogue.at(max(span.done, opened)), catalogue.at(span.upto)
            if before.offers != later.offers and seeking(case):
                found = await asyncio.to_thread(changed_first, case, before, later, now)
                if found is not None:
                    told += await self._tell(name, NoteFirstRank(tuple(found[0]), tuple(found[1]), span.upto))
            if clock() - renewed >= RENEW:
                if not await self._followed.go_on(self._holder):
                    return None
                renewed = clock()
        return told

    async def _seekers(self) -> AsyncIterator[tuple[str, int]]:
        after = ""
        while page := await self._followed.seekers(after, PAGE):
            for one in page:
                yield one
            after = page[-1][0]

    async def _read(self, changes: Iterable[CatalogueChange]) -> Mapping[str, ChangedSource]:
        new: dict[str, dict[int, int]] = {}
        for one in changes:
            new.setdefault(one.stream, {})[one.version] = one.position
        return {name: ChangedSource((await self._commands.entry(name)).facts, at) for name, at in new.items()}

    async def _tell(self, case: str, command: NoteFirstRank) -> bool:
        try:
            return bool((await self._commands.record(CommandRequest(case, META, command))).facts)
        except Refused:
            return False  # it went on meanwhile, and seeks no longer
