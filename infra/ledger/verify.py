"""Recomputes every hash from the rows, in Python, independently of the SQL that wrote them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

import asyncpg

from infra.ledger.commit import Pool
from infra.ledger.errors import guarded
from infra.ledger.hashing import START, event_hash
from infra.ledger.queries import AFTER, STREAM
from infra.ledger.stored import Stored, stored

PAGE = 2000
Kind = Literal["edited", "version_missing", "position_missing", "clock_went_back"]


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where history does not hold together."""

    position: int
    stream: str
    version: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the rows were checked; `broken` None = all of it holds. A cut-off end only a checkpoint can show."""

    events: int
    last_position: int
    broken: Break | None


async def verify_all(pool: "Pool[asyncpg.Record]") -> Verified:
    """Every stream and the positions of all."""
    return await _verify(_all(pool), whole=True)


async def verify_stream(pool: "Pool[asyncpg.Record]", stream: str) -> Verified:
    """One stream."""
    return await _verify(_one(pool, stream), whole=False)


async def _all(pool: "Pool[asyncpg.Record]") -> AsyncIterator[Stored]:
    after = 0
    while rows := await guarded(pool.fetch(AFTER, after, PAGE)):
        for row in rows:
            yield stored(row)
        after = rows[-1]["position"]


async def _one(pool: "Pool[asyncpg.Record]", stream: str) -> AsyncIterator[Stored]:
    for row in await guarded(pool.fetch(STREAM, stream, None)):
        yield stored(row)


async def _verify(rows: AsyncIterator[Stored], *, whole: bool) -> Verified:
    heads: dict[str, tuple[int, bytes]] = {}
    last: Stored | None = None
    events = 0
    async for row in rows:
        version, previous = heads.get(row.stream, (0, START))
        if kind := fault(row, last, version, previous, whole=whole):
            return Verified(events, last.position if last else 0, Break(row.position, row.stream, row.version, kind))
        heads[row.stream] = (row.version, row.hash)
        last = row
        events += 1
    return Verified(events, last.position if last else 0, None)


def fault(row: Stored, last: Stored | None, version: int, previous: bytes, *, whole: bool) -> Kind | None:
    """What is wrong with a row after `last`, whose stream stood at `version` with the hash `previous`."""
    if whole and row.position != (last.position if last else 0) + 1:
        return "position_missing"
    if row.version != version + 1:
        return "version_missing"
    if last and row.recorded_at < last.recorded_at:
        return "clock_went_back"
    return None if event_hash(previous, row) == row.hash else "edited"
