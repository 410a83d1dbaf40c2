"""One piece of the ledger, checked by itself: rows, links, and its part of the tree. Many can be checked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import asyncpg

from domain.proof.merkle import complete
from infra.audit.chain import LOG, Chain, ChainFault, EventRow, Looked, Wrong
from infra.audit.queries import CHUNK_ROWS, HEADS, LEAVES, TREE_DIGEST
from infra.audit.verification.found import Break, Check, Kind
from infra.ledger.encoding.errors import guarded

KINDS: Mapping[Wrong, Kind] = {
    "edited": "edited",
    "position_missing": "deleted",
    "version_missing": "deleted",
    "clock_went_back": "reordered",
}
LEVEL = 13
CHUNK = 1 << LEVEL
"""Events; a complete subtree, so that chunks join without being read again."""
PAGE = 1 << 10
"""Events that are read at a time."""
SESSION = {"role": "caravel_auditor", "timezone": "UTC", "jit": "off", "default_transaction_read_only": "on"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Names which events, how far the tree was sealed, and the sizes of checkpoints that end among them."""

    index: int
    sealed: int
    sizes: tuple[int, ...]
    checks: frozenset[Check]

    @property
    def first(self) -> int:
        """Return the position before its first event."""
        return self.index << LEVEL


@dataclass(slots=True)
class Checked:
    """Tells how a chunk fared. `broken`: first fault among rows; `differs`: first leaf the stored tree has not."""

    events: int = 0
    first_at: int | None = None
    last_at: int | None = None
    peaks: list[bytes] = field(default_factory=list)
    at: dict[int, list[bytes]] = field(default_factory=dict)
    broken: Break | None = None
    differs: int | None = None
    tree_differs: bool = False


async def session(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    """Return a read-only session of an auditor."""
    return await guarded(asyncpg.connect(dsn, ssl=False, server_settings=SESSION))


async def check_chunk(connection: asyncpg.Connection[asyncpg.Record], chunk: Chunk) -> Checked:
    """Check the rows, then the part of the tree over them. The database reads ahead while this process hashes."""
    chain = Chain(chunk.first, looked=_looked(chunk.checks))
    asked: list[tuple[Any, ...]] = [(CHUNK_ROWS, at, at + PAGE) for at in range(chunk.first, chunk.first + CHUNK, PAGE)]
    pages, end = len(asked), min(chunk.first + CHUNK, chunk.sealed)
    tree = "tree" in chunk.checks and end > chunk.first
    asked += [(TREE_DIGEST, chunk.first, end, LEVEL)] if tree else []
    rows: Sequence[EventRow] = ()
    ahead = _ask(connection, asked[0])
    for number, following in enumerate([*asked[1:], ()]):
        rows = await ahead
        if number < pages:
            await chain.find_heads(connection, HEADS, rows)
        if following:
            ahead = _ask(connection, following)
            await asyncio.sleep(0)  # so that it is sent
        if number < pages:
            chain.take(rows)
    stored = rows[0][0] if tree else b""
    found, levels = Checked(len(chain.leaves), chain.first_at, chain.last_at), _levels(chain.leaves)
    found.broken = _break(chain.fault) if chain.fault else None
    found.peaks = _peaks(levels, found.events)
    reached = (size for size in chunk.sizes if size - chunk.first <= found.events)
    found.at = {size: _peaks(levels, size - chunk.first) for size in reached}
    if tree:
        await _compare(connection, chunk, found, levels, stored)
    return found


def _ask(connection: asyncpg.Connection[asyncpg.Record], asked: tuple[Any, ...]) -> asyncio.Future[list[EventRow]]:
    return asyncio.ensure_future(guarded(connection.fetch(*asked)))


def _break(fault: ChainFault) -> Break:
    row = fault.row
    return Break(KINDS[fault.wrong], row["position"], row["stream"], row["version"])


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Every complete subtree, level by level; faster than growing the tree leaf by leaf."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(b"\x01" + a + b).digest() for a, b in zip(below[::2], below[1::2], strict=False)])
    return levels


def _peaks(levels: list[list[bytes]], size: int) -> list[bytes]:
    return [levels[level][index] for level, index in complete((0, size))]


def _looked(checks: frozenset[Check]) -> frozenset[Looked]:
    return frozenset(one for one in LOG if ("chain" if one == "chain" else "places") in checks)


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
