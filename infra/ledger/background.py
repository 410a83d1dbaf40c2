"""Appends sent in the background, in order, many in one transaction: only for who has the ledger to himself.

A rehearsal gives the instants, so it knows what will be recorded before it is; nobody was told anything meanwhile.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from infra.ledger.connections import Pool
from infra.ledger.encoding.batch import NO_VIEWS, PreparedAppend, ViewTexts, arguments
from infra.ledger.encoding.errors import guarded
from infra.ledger.queries import APPEND

MOST = 64  # appends in one transaction
BACKLOG = 8 * MOST
AS_IT_WAS = ""
"""A case's detail that stands in the table as it should."""


class BackgroundAppends:
    """Appends in the background. What fails is raised by whoever comes next; nothing is sent after it."""

    def __init__(self, pool: "Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._queue: list[PreparedAppend] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, prepared: PreparedAppend) -> None:
        """Take it along; waits only while too many are on their way."""
        if self._task and self._task.done():
            await self._task
        self._queue.append(prepared)
        if len(self._queue) >= MOST:
            self._send()
        await (self.settled() if len(self._queue) > BACKLOG else asyncio.sleep(0))

    async def settled(self) -> None:
        """Return when everything is recorded. Raises what the database refused."""
        self._send()
        assert self._task is not None
        await self._task

    def _send(self) -> None:
        if self._task is None or (self._task.done() and not self._task.exception()):
            self._task = asyncio.create_task(self._drain())

    async def close(self) -> None:
        """Let what is on its way arrive; a failure nobody asked for is nobody's."""
        if self._task:
            await asyncio.wait([self._task])
            self._task.exception()

    async def _drain(self) -> None:
        while self._queue:
            batch = self._queue[: _together(self._queue[:MOST])]
            del self._queue[: len(batch)]
            await guarded(self._pool.fetchrow(APPEND, *arguments(newest_views(batch)), None, None))


def _together(queue: Sequence[PreparedAppend]) -> int:
    """How many go into one transaction: a look must not share one with what called before it, it would not count."""
    called = False
    for n, one in enumerate(queue):
        if called and one.looks:
            return n
        called = called or one.calls
    return len(queue)


def newest_views(batch: Sequence[PreparedAppend]) -> Sequence[PreparedAppend]:
    """Return the same appends, each stream's read models only with its last one: a row is written only once."""
    newest: dict[str, ViewTexts] = {}
    for one in batch:
        known = newest.get(one.stream)
        newest[one.stream] = _over(known, one.views) if known else one.views
    last = {one.stream: n for n, one in enumerate(batch)}
    return [
        replace(one, views=newest[one.stream] if last[one.stream] == n else NO_VIEWS) for n, one in enumerate(batch)
    ]


def _over(old: ViewTexts, new: ViewTexts) -> ViewTexts:
    """What stands after both; what the newer one leaves as it was is the older one's."""
    owing = old if new.obligation_ids is None else new
    asking = old if new.effect_ids is None else new
    return ViewTexts(
        cases=_case(old.cases, new.cases),
        obligations=owing.obligations,
        obligation_ids=owing.obligation_ids,
        effects=asking.effects,
        effect_ids=asking.effect_ids,
        watched=old.watched if new.watched is None else new.watched,
        sources=new.sources or old.sources,
    )


def _case(old: str, new: str) -> str:
    """The newer row of the two, with the older one's detail where that is as it was; either may be missing."""
    if not (old and new):
        return new or old
    row = json.loads(new)
    return new if row["detail"] != AS_IT_WAS else json.dumps({**row, "detail": json.loads(old)["detail"]})
