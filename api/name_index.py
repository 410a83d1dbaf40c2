"""Finds patients by name in this process's memory: a search leaves no trace in addresses, logs or SQL."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from api.http.access import belonging_of
from api.http.masking import sees
from api.ports import Service
from domain.case.stage import Exit
from domain.core.errors import Refused
from domain.core.names import folded
from domain.roles import Actor
from domain.stages.intake.duplicates import Described, Ground, described, grounds

AT_ONCE, CHANGES = 200, 5000
MOST = 50


class CaseIndex(ABC):
    """Follows the ledger: what has changed since the last question is read before the next one."""

    def __init__(self) -> None:
        self._upto: int | None = None
        self._one_at_a_time = asyncio.Lock()

    @abstractmethod
    async def _read(self, service: Service, streams: Sequence[str]) -> None:
        """Take in these cases as they stand."""

    async def catch_up(self, service: Service) -> None:
        """Read what has changed; every case at first."""
        async with self._one_at_a_time:
            if self._upto is None:
                upto = await service.changes.head()
                await self._read(service, await service.worklist.streams())
                self._upto = upto
                return
            while changes := await service.changes.changes(self._upto, CHANGES):
                await self._read(service, sorted({stream for _, stream, _ in changes}))
                self._upto = changes[-1][0]


class NameIndex(CaseIndex):
    """Finds cases by words of the patient's name."""

    def __init__(self) -> None:
        super().__init__()
        self._words: dict[str, tuple[str, ...]] = {}

    async def find(self, service: Service, who: Actor, name: str) -> Sequence[Mapping[str, Any]]:
        """Return rows of the worklist whose patient's name has a word for each word asked; only those who may see."""
        asked = folded(name)
        if not asked:
            return []
        await self.catch_up(service)
        streams = [stream for stream, has in self._words.items() if _fits(asked, has)]
        rows = await service.worklist.rows(streams)
        seen = [row for row in rows if "identity" in sees(who, belonging_of(row))]
        return sorted(seen, key=lambda row: (not row["open"], row["number"]))[:MOST]

    def forget(self, stream: str) -> None:
        """Nobody of that case is found any more."""
        self._words.pop(stream, None)

    async def _read(self, service: Service, streams: Sequence[str]) -> None:
        for start in range(0, len(streams), AT_ONCE):
            for row in await service.worklist.rows(streams[start : start + AT_ONCE]):
                patient = (await service.worklist.detail(row["stream"], row["detail"]))["patient"]
                self._words[row["stream"]] = folded(patient) if isinstance(patient, str) else ()
            await asyncio.sleep(0)


class PersonIndex(CaseIndex):
    """Finds cases that are probably of one person. The first question reads every case, later ones what changed."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Described] = {}
        self._goes_on_as: dict[str, str] = {}

    async def same_person(self, service: Service, asked: Described) -> Mapping[str, Sequence[Ground]]:
        """Return the cases that may be of this patient, each with what speaks for it; voided ones are left out.

        What a merged case says of its patient speaks for the case that goes on in its place.
        """
        await self.catch_up(service)
        found: dict[str, list[Ground]] = {}
        for stream, known in self._known.items():
            if why := grounds(asked, known):
                told = found.setdefault(self._surviving(stream), [])
                told += [ground for ground in why if ground not in told]
        return found

    def _surviving(self, stream: str) -> str:
        while stream in self._goes_on_as:  # merges make no circles
            stream = self._goes_on_as[stream]
        return stream

    def forget(self, stream: str) -> None:
        """Nobody of that case is found any more."""
        self._known.pop(stream, None)
        self._goes_on_as.pop(stream, None)

    async def _read(self, service: Service, streams: Sequence[str]) -> None:
        for stream in (s for s in streams if s.startswith("case-")):
            self.forget(stream)
            try:
                case, _, _ = await service.commands.case(stream)
            except Refused:  # this program is older than the case: it says nothing of it anywhere
                continue
            if case.merged_into is not None:
                self._goes_on_as[stream] = case.merged_into.other
            if case.patient is not None and case.exit is not Exit.VOIDED:
                patient = case.patient
                self._known[stream] = described(patient.name, case.birth, patient.mail, patient.phone)


def _fits(asked: Sequence[str], has: Sequence[str]) -> bool:
    return all(any(word.startswith(one) for word in has) for one in asked)
