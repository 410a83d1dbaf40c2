"""Records who saw which case, before the answer leaves."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from activities.ports import Append, Ledger, Meta, VersionConflict
from domain.catalogue.looks import PREFIX, CasesSeen
from domain.core.errors import Reason, Refused
from domain.core.fact import Draft, Ids
from domain.core.personal import KeyClass

ATTEMPTS = 12


class Looks:
    """Appends to the reader's own stream, so that looks never keep a case's own history waiting."""

    def __init__(self, ledger: Ledger, ids: Ids) -> None:
        self._ledger = ledger
        self._ids = ids
        self._last: dict[str, int] = {}
        self._turn: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def record(self, meta: Meta, what: str, cases: Iterable[str], opened: Iterable[KeyClass]) -> None:
        """Durable on return. Raises Refused(READ_ONLY, CONFLICT): then nothing may be shown."""
        seen = CasesSeen(what, tuple(cases), tuple(sorted(opened)))
        stream = PREFIX + meta.actor
        async with self._turn[stream]:
            for _ in range(ATTEMPTS):
                if await self._appended(stream, seen, meta):
                    return
        raise Refused(Reason.CONFLICT, "the look could not be recorded; try again")

    async def _appended(self, stream: str, seen: CasesSeen, meta: Meta) -> bool:
        if stream not in self._last:
            self._last[stream] = await self._ledger.last_version(stream)
        try:
            await self._ledger.append(Append(stream, self._last[stream], [Draft(seen, self._ids())], meta))
        except VersionConflict:
            del self._last[stream]  # the same person looks through another process too
            return False
        except BaseException:
            del self._last[stream]  # nobody knows what was recorded
            raise
        self._last[stream] += 1
        return True
