"""Says what was done at the first place where the rows and the sealed tree part."""

from __future__ import annotations

import asyncpg

from infra.audit.chain import Chain, EventRow, leaf_of
from infra.audit.queries import (
    ANY_AFTER,
    LEAF_AT,
    LINK_OF,
    ROW_AT,
    SEALED_ELSEWHERE,
    STANDS_ELSEWHERE,
    STANDS_LATER,
    STREAM_FROM,
)
from infra.audit.verification.found import Break, Kind
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.hashing import START

Connection = asyncpg.Connection


async def classify(connection: Connection[asyncpg.Record], position: int, fault: Kind | None) -> Break:
    """`fault`: what the rows alone say. A place nobody sealed can only be judged by its rows."""
    row = await guarded(connection.fetchrow(ROW_AT, position))
    if row is None:
        gone = not await guarded(connection.fetchval(ANY_AFTER, position))
        return Break("tail_cut" if gone else "deleted", position)
    sealed = await guarded(connection.fetchval(LEAF_AT, position - 1))
    kind = await (_by_rows(connection, row, fault) if sealed is None else _by_tree(connection, row, sealed))
    return Break(kind, position, row["stream"], row["version"])


async def _by_rows(connection: Connection[asyncpg.Record], row: EventRow, fault: Kind | None) -> Kind:
    version = row["version"] - 1
    if fault == "deleted" and version and await guarded(
        connection.fetchval(STANDS_LATER, row["stream"], version, row["position"])
    ):  # fmt: skip
        return "reordered"
    return fault or "recomputed"


async def _by_tree(connection: Connection[asyncpg.Record], row: EventRow, sealed: bytes) -> Kind:
    if row["hash"] == sealed:
        return "edited"
    ours = [await _leaf(connection, row), row["hash"]]
    moved = await guarded(connection.fetchval(SEALED_ELSEWHERE, ours, row["position"] - 1))
    stands = await guarded(connection.fetchval(STANDS_ELSEWHERE, sealed, row["position"]))
    table: dict[tuple[bool, bool], Kind] = {
        (True, True): "reordered",
        (True, False): "deleted",
        (False, True): "inserted",
    }
    return table.get((moved, stands)) or ("recomputed" if await _chain_holds(connection, row) else "edited")


async def _leaf(connection: Connection[asyncpg.Record], row: EventRow) -> bytes:
    link = await guarded(connection.fetchval(LINK_OF, row["stream"], row["version"] - 1))
    return leaf_of(link or START, row)


async def _chain_holds(connection: Connection[asyncpg.Record], row: EventRow) -> bool:
    """Return whether the stream agrees with itself from here on."""
    chain = Chain(looked=frozenset({"chain"}))
    link = await guarded(connection.fetchval(LINK_OF, row["stream"], row["version"] - 1))
    chain.goes_on(row["stream"], row["version"] - 1, link or START)
    chain.take(await guarded(connection.fetch(STREAM_FROM, row["stream"], row["version"])))
    return chain.fault is None
