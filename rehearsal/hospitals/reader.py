"""Fetches what simulated hospitals were sent addresses of, reads every byte, and says which digests they have."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx2

from rehearsal.hospitals.book import Book, UnreadDocument
from rehearsal.hospitals.speaker import Speaker

PAUSE = 2.0
FIRST_WAIT, TRIES = timedelta(seconds=1), 8
OK, NO_ANSWER, GONE = 200, 0, 410
FINAL = (403, 404, GONE)


@dataclass
class DossierReader:
    """Reads documents as they come due, and has the speaker name their digests once a dossier is complete."""

    book: Book
    http: httpx2.AsyncClient
    speaker: Speaker
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Wake the reader: something new may be there."""
        self._bell.set()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            self._bell.clear()
            due = self.book.unread(datetime.now(UTC))
            for one in due:
                await self.read(one)
            if not due:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), PAUSE)

    async def read(self, one: UnreadDocument) -> None:
        """Try once to fetch a document; what is refused for good is not asked for again."""
        now = datetime.now(UTC)
        try:
            status, digest, size = self._uploaded(one) or await self._fetch(one.url)
        except httpx2.HTTPError:
            status, digest, size = NO_ANSWER, "", 0
        tried = digest or status in FINAL or one.tries + 1 >= TRIES
        self.book.fetched(one, status, None if tried else now + FIRST_WAIT * 2**one.tries, digest, size)
        if self.book.confirm(one.effect, now):
            self.speaker.wake()

    def _uploaded(self, one: UnreadDocument) -> tuple[int, str, int] | None:
        """What was uploaded here before the request came that names it; None = it is somewhere else."""
        _, here, name = one.url.rpartition("/fhir/Binary/")
        kept = self.book.binary(name) if here else None
        return (OK, *kept) if kept else None

    async def _fetch(self, url: str) -> tuple[int, str, int]:
        """The status, and digest and size of the body where it came whole."""
        digest, size = sha256(), 0
        async with self.http.stream("GET", url) as answer:
            if answer.status_code != OK:
                return answer.status_code, "", 0
            async for part in answer.aiter_bytes():
                digest.update(part)
                size += len(part)
        return OK, digest.hexdigest(), size
