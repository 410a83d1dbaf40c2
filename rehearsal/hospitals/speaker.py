"""Says what simulated hospitals have to say: signed callbacks, tried again for hours, noted in the book every time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import httpx2

from infra.hospitals.callbacks import sign
from infra.hospitals.recall_tasks import task_of
from rehearsal.hospitals.book import Book, DueAnswer
from rehearsal.hospitals.keys import HospitalKeys

AT_ONCE = 8
LONGEST_NAP = 2.0
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=0.5), timedelta(minutes=5)
GIVES_UP_AFTER, ASKED_AGAIN_FOR = timedelta(hours=12), timedelta(days=7)
"""How long silence is answered with another try, and how long an answer that came too early is said again."""
REPEATS_AFTER = timedelta(seconds=0.2)
OK, REDIRECT, REQUEST_ERROR, SERVER_ERROR = 200, 300, 400, 500
LATER = (408, 425, 429)
NO_ANSWER = 0


@dataclass
class Speaker:
    """`api` is the base address callbacks go to."""

    book: Book
    keys: HospitalKeys
    api: str
    http: httpx2.AsyncClient
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Wake the speaker: something new may be due."""
        self._bell.set()

    async def run(self) -> None:
        """Speak until cancelled."""
        while True:
            self._bell.clear()
            due = self.book.due(datetime.now(UTC), AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for one in due:
                    group.create_task(self.say(one))
            if not due:
                await self._nap()

    async def _nap(self) -> None:
        soon = self.book.next_due()
        wait = (soon - datetime.now(UTC)).total_seconds() if soon else LONGEST_NAP
        try:
            async with asyncio.timeout(min(max(wait, 0.01), LONGEST_NAP)):
                await self._bell.wait()
        except TimeoutError:
            return

    async def say(self, due: DueAnswer) -> None:
        """Try once to say it."""
        status, told = await self._post(due)
        now = datetime.now(UTC)
        done = REQUEST_ERROR > status >= OK
        self.book.delivered(due, status, now, again(due, status, now, told), done=done)

    async def _post(self, due: DueAnswer) -> tuple[int, timedelta | None]:
        url = f"{self.api.rstrip('/')}/hospitals/{quote(due.centre, safe='')}/callbacks"
        task = task_of(due.callback, due.case, due.command, in_reply_to=due.effect, about=due.about)
        body = json.dumps(task).encode()
        key = self.keys.private(due.centre)
        headers = sign("POST", urlsplit(url).path, body, key, due.centre, datetime.now(UTC))
        try:
            async with asyncio.timeout(30):
                answer = await self.http.post(url, content=body, headers=headers)
        except (httpx2.HTTPError, TimeoutError):
            return NO_ANSWER, None
        seconds = answer.headers.get("Retry-After", "")
        return answer.status_code, timedelta(seconds=int(seconds)) if seconds.isdecimal() else None


def again(due: DueAnswer, status: int, now: datetime, told: timedelta | None = None) -> datetime | None:
    """Return when to try or to repeat; None = the answer is finished. `told` is the receiver's own Retry-After."""
    if OK <= status < REDIRECT:
        return now + REPEATS_AFTER if due.sent + 1 < due.copies else None
    passing = status == NO_ANSWER or status >= SERVER_ERROR or status in LATER
    began = datetime.fromtimestamp(due.first_try, UTC) if due.first_try else now
    if not (passing or told) or now - began > (ASKED_AGAIN_FOR if told else GIVES_UP_AFTER):
        return None
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * float(1 << min(due.tries, 20)))
    return now + max(wait, told or wait)
