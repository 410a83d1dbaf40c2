"""One piece of the ledger, checked by itself: rows, links, and its part of the tree. Many can be checked at once."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import Any

import asyncpg

from domain.proof.merkle import complete
from infra.audit.verification.found import Break, Check, Kind
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.hashing import FORMAT, SALT, START, text

LEVEL = 13
CHUNK = 1 << LEVEL
"""Events; a complete subtree, so that chunks join without being read again."""
PAGE = 1 << 10
"""Events that are read at a time."""
FIRST = (0, START)
SINCE_2000 = 946_684_800_000_000
SESSION = {"role": "caravel_auditor", "timezone": "UTC", "jit": "off", "default_transaction_read_only": "on"}

COLUMNS = """
position, stream, version, id, type, schema_version, timestamptz_send(occurred_earliest) as earliest,
timestamptz_send(occurred_latest) as latest, precision, timestamptz_send(recorded_at) as recorded,
convert_to(data, 'UTF8') as data, convert_to(sealed, 'UTF8') as sealed, convert_to(meta, 'UTF8') as meta, salts, hash
"""
"""As bytes, the way they are hashed: a driver that makes text and instants of them costs as much as hashing."""
ROWS = f"select {COLUMNS} from event where position > $1 and position <= $2 order by position"  # noqa: S608 - a constant
BEFORE = """
select e.stream, e.version, e.hash from unnest($1::text[], $2::integer[]) as wanted (stream, version)
join event e on (e.stream, e.version) = (wanted.stream, wanted.version) and e.position <= $3
"""
# Level by level, each in the order of the index, so that nothing is sorted.
DIGEST = """
select sha256(coalesce(string_agg(nodes, ''::bytea order by level), ''::bytea)) from (
    select level, (
        select string_agg(hash, ''::bytea order by index) from tree_node t
        where t.level = l.level and index >= ($1::bigint >> l.level) and index < ($2::bigint >> l.level)
    ) as nodes from generate_series(0, $3::integer) as l (level)
) levels
"""
LEAVES = "select index, hash from tree_node where level = 0 and index >= $1 and index < $2"

_int = Struct(">q").pack
_two = Struct(">qq").pack
_FORMAT = _int(FORMAT)
_ABSENT = b"\x00" + _int(0)
_INSTANT = text("instant")
_then = Struct(f">BqBq{len(_INSTANT)}sq").pack
_THIRD = 2 * SALT

Row = Any
"""An asyncpg.Record with COLUMNS."""


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


async def session(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    """A read-only session of an auditor."""
    return await guarded(asyncpg.connect(dsn, ssl=False, server_settings=SESSION))


@lru_cache(1024)
def _shape(kind: str, schema: int) -> bytes:
    """Of words that come again and again."""
    return text(kind) + _int(schema)


@lru_cache(1024)
def _stream(name: str) -> bytes:
    return b"".join((_FORMAT, text(name)))


def since_1970(sent: bytes) -> int:
    """Microseconds, from what PostgreSQL sends of an instant."""
    return int.from_bytes(sent, "big", signed=True) + SINCE_2000


def _dates(earliest: bytes | None, latest: bytes | None, precision: str, recorded: bytes) -> bytes:
    now = since_1970(recorded)
    if earliest == latest == recorded and precision == "instant":
        return _then(1, now, 1, now, _INSTANT, now)
    first = _ABSENT if earliest is None else b"\x01" + _int(since_1970(earliest))
    last = _ABSENT if latest is None else b"\x01" + _int(since_1970(latest))
    return b"".join((first, last, text(precision), _int(now)))


def leaf_of(previous: bytes, row: Row) -> bytes:
    """The bytes of docs/ledger-format.md straight from the columns; empty for what can never have been hashed."""
    _, stream, version, event, kind, schema, earliest, latest, precision, recorded, data, sealed, meta, salts, _ = row
    event = event.encode()
    try:
        header = _dates(earliest, latest, precision, recorded)
    except struct.error:  # the end of all time
        return b""
    parts = (
        b"\x00", previous, _stream(stream), _two(version, len(event)), event, _shape(kind, schema), header,
        sha256(salts[:SALT] + data).digest(), sha256(salts[SALT:_THIRD] + sealed).digest(),
        sha256(salts[_THIRD:] + meta).digest(),
    )  # fmt: skip
    return sha256(b"".join(parts)).digest()


async def check_chunk(connection: asyncpg.Connection[asyncpg.Record], chunk: Chunk) -> Checked:
    """Check the rows, then the part of the tree over them. The database reads ahead while this process hashes."""
    walk = _Walk(chunk)
    asked: list[tuple[Any, ...]] = [(ROWS, at, at + PAGE) for at in range(chunk.first, chunk.first + CHUNK, PAGE)]
    pages, end = len(asked), min(chunk.first + CHUNK, chunk.sealed)
    tree = "tree" in chunk.checks and end > chunk.first
    asked += [(DIGEST, chunk.first, end, LEVEL)] if tree else []
    rows: Sequence[Row] = ()
    ahead = _ask(connection, asked[0])
    for number, following in enumerate([*asked[1:], ()]):
        rows = await ahead
        if number < pages:
            await walk.find_heads(connection, rows)
        if following:
            ahead = _ask(connection, following)
            await asyncio.sleep(0)  # so that it is sent
        if number < pages:
            walk.take(rows)
    stored = rows[0][0] if tree else b""
    found, levels = walk.found, _levels(walk.leaves)
    found.events, found.peaks = len(walk.leaves), _peaks(levels, len(walk.leaves))
    reached = (size for size in chunk.sizes if size - chunk.first <= found.events)
    found.at = {size: _peaks(levels, size - chunk.first) for size in reached}
    if tree:
        await _compare(connection, chunk, found, levels, stored)
    return found


def _ask(connection: asyncpg.Connection[asyncpg.Record], asked: tuple[Any, ...]) -> asyncio.Future[list[Row]]:
    return asyncio.ensure_future(guarded(connection.fetch(*asked)))


class _Walk:
    """The rows of a chunk, one after the other, until the first that is wrong."""

    def __init__(self, chunk: Chunk) -> None:
        self.found = Checked()
        self.leaves: list[bytes] = []
        self._chunk = chunk
        self._heads: dict[str, tuple[int, bytes]] = {}
        self._last = b""

    async def find_heads(self, connection: asyncpg.Connection[asyncpg.Record], rows: Sequence[Row]) -> None:
        """The version and hash before the first row of each stream that is new here."""
        wanted: dict[str, int] = {}
        for row in rows:
            wanted.setdefault(row[1], row[2] - 1)
        older = {name: version for name, version in wanted.items() if version > 0 and name not in self._heads}
        if older:
            names, versions = list(older), list(older.values())
            found = await guarded(connection.fetch(BEFORE, names, versions, self._chunk.first))
            self._heads |= {row[0]: (row[1], row[2]) for row in found}

    def take(self, rows: Sequence[Row]) -> None:
        """Check them; nothing any more after a break."""
        if self.found.broken or not rows:
            return
        heads, leaves, last = self._heads, self.leaves, self._last
        if not leaves:
            self.found.first_at = since_1970(rows[0][9])
        for position, row in enumerate(rows, self._chunk.first + len(leaves) + 1):
            version, previous = heads.get(row[1], FIRST)
            leaf = leaf_of(previous, row)
            if leaf != row[14] or row[0] != position or row[2] != version + 1 or row[9] != last:
                kind = _wrong(row, leaf, version, position, last, self._chunk.checks)
                if kind:
                    self.found.broken = Break(kind, row[0], row[1], row[2])
                    break
            heads[row[1]] = (row[2], row[14])
            leaves.append(leaf)
            last = row[9]
        self._last = last
        self.found.last_at = since_1970(last) if last else None


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Every complete subtree, level by level; faster than growing the tree leaf by leaf."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(b"\x01" + a + b).digest() for a, b in zip(below[::2], below[1::2], strict=False)])
    return levels


def _peaks(levels: list[list[bytes]], size: int) -> list[bytes]:
    return [levels[level][index] for level, index in complete((0, size))]


def _wrong(row: Row, leaf: bytes, version: int, position: int, last: bytes, checks: frozenset[Check]) -> Kind | None:
    if "places" in checks:
        if row[0] != position:
            return "deleted"
        if row[2] != version + 1:
            return "deleted"
        if last and since_1970(row[9]) < since_1970(last):
            return "reordered"
    return "edited" if "chain" in checks and leaf != row[14] else None


async def _compare(
    connection: asyncpg.Connection[asyncpg.Record], chunk: Chunk, found: Checked, levels: list[list[bytes]],
    stored: bytes,
) -> None:  # fmt: skip
    """The stored subtrees over this chunk by one digest; only where it differs are they read."""
    end = min(chunk.first + CHUNK, chunk.sealed)
    ours = b"".join(b"".join(nodes[: (end - chunk.first) >> level]) for level, nodes in enumerate(levels))
    if sha256(ours).digest() == stored:
        return
    rows = await guarded(connection.fetch(LEAVES, chunk.first, end))
    theirs = {row["index"] - chunk.first: row["hash"] for row in rows}
    reach = (min(end, found.broken.position - 1) if found.broken else end) - chunk.first
    here = next((i for i in range(reach) if i >= len(levels[0]) or levels[0][i] != theirs.get(i)), None)
    found.differs = None if here is None else chunk.first + here
    found.tree_differs = found.differs is None and found.broken is None
