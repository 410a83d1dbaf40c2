"""Says what was done at the first place where the rows and the sealed tree part."""

from __future__ import annotations

import asyncpg

from infra.audit.chain import COLUMNS, Chain, Row, leaf_of
from infra.audit.verification.found import Break, Kind
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.hashing import START

ROW = f"select {COLUMNS} from event where"  # noqa: S608 - a constant
AT = f"{ROW} position = $1"
STREAM = f"{ROW} stream = $1 and version >= $2 order by version"
AFTER = "select exists (select from event where position > $1)"
LINK = "select hash from event where stream = $1 and version = $2"
LEAF = "select hash from tree_node where level = 0 and index = $1"
SEALED_ELSEWHERE = "select exists (select from tree_node where level = 0 and hash = any($1::bytea[]) and index <> $2)"
STANDS_ELSEWHERE = "select exists (select from event where hash = $1 and position <> $2)"
LATER = "select exists (select from event where stream = $1 and version = $2 and position > $3)"

Connection = asyncpg.Connection


async def classify(connection: Connection[asyncpg.Record], position: int, fault: Kind | None) -> Break:
    """`fault`: what the rows alone say. A place nobody sealed can only be judged by its rows."""
    row = await guarded(connection.fetchrow(AT, position))
    if row is None:
        gone = not await guarded(connection.fetchval(AFTER, position))
        return Break("tail_cut" if gone else "deleted", position)
    sealed = await guarded(connection.fetchval(LEAF, position - 1))
    kind = await (_by_rows(connection, row, fault) if sealed is None else _by_tree(connection, row, sealed))
    return Break(kind, position, row["stream"], row["version"])


async def _by_rows(connection: Connection[asyncpg.Record], row: Row, fault: Kind | None) -> Kind:
    version = row["version"] - 1
    if fault == "deleted" and version and await guarded(
        connection.fetchval(LATER, row["stream"], version, row["position"])
    ):  # fmt: skip
        return "reordered"
    return fault or "recomputed"


async def _by_tree(connection: Connection[asyncpg.Record], row: Row, sealed: bytes) -> Kind:
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


async def _leaf(connection: Connection[asyncpg.Record], row: Row) -> bytes:
    link = await guarded(connection.fetchval(LINK, row["stream"], row["version"] - 1))
    return leaf_of(link or START, row)


async def _chain_holds(connection: Connection[asyncpg.Record], row: Row) -> bool:
    """Return whether the stream agrees with itself from here on."""
    chain = Chain(looked=frozenset({"chain"}))
    link = await guarded(connection.fetchval(LINK, row["stream"], row["version"] - 1))
    chain.goes_on(row["stream"], row["version"] - 1, link or START)
    chain.take(await guarded(connection.fetch(STREAM, row["stream"], row["version"])))
    return chain.fault is None
