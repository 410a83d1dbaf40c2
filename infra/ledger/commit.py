"""Group commit: while one transaction of this process commits, the appends that arrive gather for the next."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from infra.ledger.errors import FAILURES, translate
from infra.ledger.queries import APPEND

MOST = 64  # appends in one transaction
Pool = asyncpg.Pool  # quoted where it is parametrised: at run time the class takes no parameter


@dataclass(eq=False, slots=True)
class _Waiting:
    arguments: Sequence[Any]
    done: "asyncio.Future[asyncpg.Record]"


class GroupCommit:
    """Sends appends to the database; each is answered only when its transaction is durable."""

    def __init__(self, pool: "Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._queue: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def append(self, arguments: Sequence[Any]) -> asyncpg.Record:
        """The row of APPEND; raises what `translate` makes of the database's refusal."""
        waiting = _Waiting(arguments, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._task is None or self._task.done():
            # A task of its own: a caller that gives up must not take the others' appends with it.
            self._task = asyncio.create_task(self._drain())
        return await waiting.done

    async def _drain(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(MOST, len(self._queue)))]
            if failure := await self._commit(batch):
                await self._one_by_one(batch, failure)

    async def _one_by_one(self, batch: Sequence[_Waiting], failure: BaseException) -> None:
        """A batch fails as a whole: only a repeat tells whose fault it was. Nothing of it was recorded."""
        for waiting in batch:
            alone = failure if len(batch) == 1 or _lost(failure) else await self._commit([waiting])
            if alone and not waiting.done.done():
                waiting.done.set_exception(translate(alone))

    async def _commit(self, batch: Sequence[_Waiting]) -> BaseException | None:
        """Commit all or nothing; answers with what went wrong."""
        try:
            async with self._pool.acquire() as connection:
                rows = await connection.fetchmany(APPEND, [waiting.arguments for waiting in batch])
        except FAILURES as error:
            return error
        for waiting, row in zip(batch, rows, strict=True):
            if not waiting.done.done():
                waiting.done.set_result(row)
        return None


def _lost(failure: BaseException) -> bool:
    """Whether the connection broke: then nobody knows what was recorded, and only the caller may try again."""
    if isinstance(failure, asyncpg.PostgresError):
        return isinstance(failure, asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError)
    return not isinstance(failure, ValueError)  # a value that could not even be sent
