"""Names of patients in this process's memory, so that a search by name leaves no trace in addresses, logs or SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from api.http.access import belonging_of
from api.http.masking import sees
from api.ports import Service
from domain.core.names import folded
from domain.roles import Actor

AT_ONCE, CHANGES = 200, 5000
MOST = 50


class NameIndex:
    """Follows the ledger: what has changed since the last search is read before the next one."""

    def __init__(self) -> None:
        self._words: dict[str, tuple[str, ...]] = {}
        self._upto: int | None = None
        self._one_at_a_time = asyncio.Lock()

    async def find(self, service: Service, who: Actor, name: str) -> Sequence[Mapping[str, Any]]:
        """Worklist rows of cases whose patient's name has a word for each word asked for; only those who may see."""
        asked = folded(name)
        if not asked:
            return []
        async with self._one_at_a_time:
            await self._catch_up(service)
        streams = [stream for stream, has in self._words.items() if _fits(asked, has)]
        rows = await service.worklist.rows(streams)
        seen = [row for row in rows if "identity" in sees(who, belonging_of(row))]
        return sorted(seen, key=lambda row: (not row["open"], row["number"]))[:MOST]

    def forget(self, stream: str) -> None:
        """Nobody of that case is found any more."""
        self._words.pop(stream, None)

    async def _catch_up(self, service: Service) -> None:
        if self._upto is None:
            self._upto = await service.changes.head()
            await self._read(service, await service.worklist.streams())
            return
        while changes := await service.changes.changes(self._upto, CHANGES):
            await self._read(service, sorted({stream for _, stream, _ in changes}))
            self._upto = changes[-1][0]

    async def _read(self, service: Service, streams: Sequence[str]) -> None:
        for start in range(0, len(streams), AT_ONCE):
            for row in await service.worklist.rows(streams[start : start + AT_ONCE]):
                patient = (await service.worklist.detail(row["stream"], row["detail"]))["patient"]
                self._words[row["stream"]] = folded(patient) if isinstance(patient, str) else ()
            await asyncio.sleep(0)


def _fits(asked: Sequence[str], has: Sequence[str]) -> bool:
    return all(any(word.startswith(one) for word in has) for one in asked)
