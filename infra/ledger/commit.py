"""Group commit: while one transaction of this process commits, the appends that arrive gather for the next."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from infra.ledger.connections import Connection, Pool
from infra.ledger.encoding.batch import PreparedAppend, arguments
from infra.ledger.encoding.errors import FAILURES, translate
from infra.ledger.queries import APPEND

MOST = 64  # appends in one transaction
WHOLE = 40  # so many go at once
LINGER = 0.05  # seconds


Written = tuple[datetime | None, bytes | None]
"""When an append was recorded and the hash of its last event; None without events."""


@dataclass(eq=False, slots=True)
class _Waiting:
    prepared: PreparedAppend
    done: "asyncio.Future[Written]"


class GroupCommit:
    """Sends appends to the database; each is answered only when its transaction is durable."""

    def __init__(self, pool: "Pool[asyncpg.Record]", said: Callable[[], tuple[datetime, timedelta]]) -> None:
        self._pool = pool
        self._said = said
        self._queue: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._closing = False

    async def append(self, prepared: PreparedAppend) -> Written:
        """Append, and return what was written. Raises what `translate` makes of the database's refusal."""
        waiting = _Waiting(prepared, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._task is None or self._task.done():
            # A task of its own: a caller that gives up must not take the others' appends with it.
            self._task = asyncio.create_task(self._drain())
        elif self._idle and not self._idle.done():
            self._idle.set_result(None)
        return await waiting.done

    async def close(self) -> None:
        """Give the connection back; what waits is still sent."""
        self._closing = True
        if self._idle and not self._idle.done():
            self._idle.set_result(None)
        if self._task:
            await self._task

    async def _drain(self) -> None:
        while self._queue:
            try:
                async with self._pool.acquire() as connection:
                    while not connection.is_closed() and await self._more():
                        await self._next(connection)
            except FAILURES as error:
                self._fail(self._batch(), error)

    async def _more(self) -> bool:
        """Whether there is something to send; waits a moment for it, since taking a connection costs half an append."""
        if not self._queue and not self._closing:
            loop = asyncio.get_running_loop()
            self._idle = loop.create_future()
            timer = loop.call_later(LINGER, _end, self._idle)
            await self._idle
            timer.cancel()
        return bool(self._queue)

    async def _next(self, connection: "Connection[asyncpg.Record]") -> None:
        batch = self._batch()
        if failure := await self._commit(connection, batch):
            await self._one_by_one(connection, batch, failure)

    def _batch(self) -> list[_Waiting]:
        """The appends of the next transaction, one a stream.

        Of very many only half: callers answered by the one before prepare their next appends while this one commits.
        """
        many = len(self._queue)
        wanted = min(MOST, many if many <= WHOLE else many // 2)
        batch: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        while self._queue and len(batch) < wanted:
            waiting = self._queue.popleft()
            if waiting.prepared.stream in batch:
                later.append(waiting)
            else:
                batch[waiting.prepared.stream] = waiting
        self._queue.extendleft(reversed(later))
        return list(batch.values())

    async def _one_by_one(
        self, connection: "Connection[asyncpg.Record]", batch: Sequence[_Waiting], failure: BaseException
    ) -> None:
        """A batch fails as a whole: only a repeat tells whose fault it was. Nothing of it was recorded."""
        for waiting in batch:
            alone = failure if len(batch) == 1 or _lost(failure) else await self._commit(connection, [waiting])
            if alone:
                self._fail([waiting], alone)

    @staticmethod
    def _fail(batch: Sequence[_Waiting], failure: BaseException) -> None:
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(translate(failure))

    async def _commit(
        self, connection: "Connection[asyncpg.Record]", batch: Sequence[_Waiting]
    ) -> BaseException | None:
        """Commit all or nothing; answers with what went wrong."""
        try:
            given = arguments([waiting.prepared for waiting in batch])
            row = await connection.fetchrow(APPEND, *given, *self._said())
        except FAILURES as error:
            return error
        assert row is not None
        for waiting, *written in zip(batch, row["o_recorded"], row["o_hashes"], strict=True):
            if not waiting.done.done():
                waiting.done.set_result((written[0], written[1]))
        return None


def _lost(failure: BaseException) -> bool:
    """Whether the connection broke: then nobody knows what was recorded, and only the caller may try again."""
    if isinstance(failure, asyncpg.PostgresError):
        return isinstance(failure, asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError)
    return not isinstance(failure, ValueError)  # a value that could not even be sent


def _end(idle: "asyncio.Future[None]") -> None:
    if not idle.done():
        idle.set_result(None)
