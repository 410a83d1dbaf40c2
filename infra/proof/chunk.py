"""One piece of the ledger, checked by itself: rows, links, and its part of the tree. Many can be checked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import Any

import asyncpg

from domain.merkle import complete
from infra.ledger.errors import guarded
from infra.ledger.hashing import FORMAT, SALT, START, text
from infra.proof.found import Break, Check, Kind

LEVEL = 13
CHUNK = 1 << LEVEL
"""Events; a complete subtree, so that chunks join without being read again."""
SINCE_2000 = 946_684_800_000_000
SESSION = {"role": "caravel_auditor", "timezone": "UTC", "jit": "off", "default_transaction_read_only": "on"}

ROWS = """
select position, stream, version, id, type, schema_version, occurred_earliest, occurred_latest, precision, recorded_at,
       data, sealed, meta, salts, hash
from event where position > $1 and position <= $2 order by position
"""
BEFORE = """
select e.stream, e.version, e.hash from unnest($1::text[], $2::integer[]) as wanted (stream, version)
join event e on (e.stream, e.version) = (wanted.stream, wanted.version) and e.position <= $3
"""
DIGEST = """
select sha256(coalesce(string_agg(t.hash, ''::bytea order by t.level, t.index), ''::bytea))
from generate_series(0, $3::integer) as l join tree_node t
on t.level = l and t.index >= ($1::bigint >> l) and t.index < ($2::bigint >> l)
"""
LEAVES = "select index, hash from tree_node where level = 0 and index >= $1 and index < $2"

_int = Struct(">q").pack
_HEAD = b"\x00"
_FORMAT = _int(FORMAT)
_ABSENT = b"\x00" + _int(0)
_THIRD = 2 * SALT

Row = Any
"""An asyncpg.Record whose instants are tuples of microseconds since 2000 (see `session`)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Which events, how far the tree was sealed, and the sizes of checkpoints that end among them."""

    index: int
    sealed: int
    sizes: tuple[int, ...]
    checks: frozenset[Check]

    @property
    def first(self) -> int:
        """Position before its first."""
        return self.index << LEVEL


@dataclass(slots=True)
class Checked:
    """What a chunk is made of. `broken`: its first fault among rows; `differs`: first leaf the stored tree has not."""

    events: int = 0
    first_at: int | None = None
    last_at: int | None = None
    peaks: list[bytes] = field(default_factory=list)
    at: dict[int, list[bytes]] = field(default_factory=dict)
    broken: Break | None = None
    differs: int | None = None
    tree_differs: bool = False


async def session(dsn: str, *, exact: bool = True) -> asyncpg.Connection[asyncpg.Record]:
    """A read-only session of an auditor; `exact`: instants stay the integers that are hashed."""
    connection = await guarded(asyncpg.connect(dsn, ssl=False, server_settings=SESSION))
    if exact:
        await connection.set_type_codec(
            "timestamptz", schema="pg_catalog", encoder=lambda value: value, decoder=lambda value: value, format="tuple"
        )
    return connection


@lru_cache(1024)
def _text(value: str) -> bytes:
    """Of words that come again and again."""
    return text(value)


def leaf_of(previous: bytes, row: Row) -> bytes:
    """The bytes of docs/ledger-format.md straight from the columns."""
    _, stream, version, event, kind, schema, earliest, latest, precision, recorded, data, sealed, meta, salts, _ = row
    stream, event = stream.encode(), event.encode()
    parts = (
        _HEAD, previous, _FORMAT, _int(len(stream)), stream, _int(version), _int(len(event)), event,
        _text(kind), _int(schema),
        _ABSENT if earliest is None else b"\x01" + _int(earliest[0] + SINCE_2000),
        _ABSENT if latest is None else b"\x01" + _int(latest[0] + SINCE_2000),
        _text(precision), _int(recorded[0] + SINCE_2000),
        sha256(salts[:SALT] + data.encode()).digest(), sha256(salts[SALT:_THIRD] + sealed.encode()).digest(),
        sha256(salts[_THIRD:] + meta.encode()).digest(),
    )  # fmt: skip
    return sha256(b"".join(parts)).digest()


async def check_chunk(connection: asyncpg.Connection[asyncpg.Record], chunk: Chunk) -> Checked:
    """Check the rows, then the part of the tree over them."""
    rows = await guarded(connection.fetch(ROWS, chunk.first, chunk.first + CHUNK))
    heads = await _heads(connection, rows, chunk.first)
    found = Checked(first_at=rows[0][9][0] if rows else None)
    leaves: list[bytes] = []
    for row in rows:
        version, previous = heads.get(row[1], (0, START))
        leaf = leaf_of(previous, row)
        kind = _wrong(row, leaf, version, chunk.first + len(leaves) + 1, found.last_at, chunk.checks)
        if kind:
            found.broken = Break(kind, row[0], row[1], row[2])
            break
        heads[row[1]] = (row[2], row[14])
        leaves.append(leaf)
        found.last_at = row[9][0]
    levels = _levels(leaves)
    found.events, found.peaks = len(leaves), _peaks(levels, len(leaves))
    reached = (size for size in chunk.sizes if size - chunk.first <= len(leaves))
    found.at = {size: _peaks(levels, size - chunk.first) for size in reached}
    if "tree" in chunk.checks:
        await _compare(connection, chunk, found, levels)
    return found


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Every complete subtree, level by level; faster than growing the tree leaf by leaf."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(b"\x01" + a + b).digest() for a, b in zip(below[::2], below[1::2], strict=False)])
    return levels


def _peaks(levels: list[list[bytes]], size: int) -> list[bytes]:
    return [levels[level][index] for level, index in complete((0, size))]


def _wrong(
    row: Row, leaf: bytes, version: int, position: int, last: int | None, checks: frozenset[Check]
) -> Kind | None:
    if "places" in checks:
        if row[0] != position:
            return "deleted"
        if row[2] != version + 1:
            return "deleted"
        if last is not None and row[9][0] < last:
            return "reordered"
    return "edited" if "chain" in checks and leaf != row[14] else None


async def _heads(
    connection: asyncpg.Connection[asyncpg.Record], rows: Sequence[Row], first: int
) -> dict[str, tuple[int, bytes]]:
    """The version and hash before the first row of each stream."""
    wanted: dict[str, int] = {}
    for row in rows:
        wanted.setdefault(row[1], row[2] - 1)
    older = {stream: version for stream, version in wanted.items() if version > 0}
    found = await guarded(connection.fetch(BEFORE, list(older), list(older.values()), first)) if older else []
    return {row[0]: (row[1], row[2]) for row in found}


async def _compare(
    connection: asyncpg.Connection[asyncpg.Record], chunk: Chunk, found: Checked, levels: list[list[bytes]]
) -> None:
    """The stored subtrees over this chunk by one digest; only where it differs are they read."""
    end = min(chunk.first + CHUNK, chunk.sealed)
    if end <= chunk.first:
        return
    ours = b"".join(b"".join(nodes[: (end - chunk.first) >> level]) for level, nodes in enumerate(levels))
    if sha256(ours).digest() == await guarded(connection.fetchval(DIGEST, chunk.first, end, LEVEL)):
        return
    rows = await guarded(connection.fetch(LEAVES, chunk.first, end))
    theirs = {row["index"] - chunk.first: row["hash"] for row in rows}
    reach = (min(end, found.broken.position - 1) if found.broken else end) - chunk.first
    here = next((i for i in range(reach) if i >= len(levels[0]) or levels[0][i] != theirs.get(i)), None)
    found.differs = None if here is None else chunk.first + here
    found.tree_differs = found.differs is None and found.broken is None
