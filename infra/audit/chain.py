"""The rows of the ledger one after the other: each hash recomputed from its columns and held against its place.

Sealing, verifying the log, verifying one stream and judging a break all walk by this one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.hashing import START, header, leaf_hash, part_digests

FIRST = (0, START)
SINCE_2000 = 946_684_800_000_000

EventRow = Any
"""An asyncpg.Record with ROW_COLUMNS."""
Wrong = Literal["edited", "position_missing", "version_missing", "clock_went_back"]
Looked = Literal["chain", "places", "positions"]
"""What is looked at: every hash; versions; positions and the clock, which only the whole log has without a gap."""
LOG: frozenset[Looked] = frozenset({"chain", "places", "positions"})
STREAM: frozenset[Looked] = frozenset({"chain", "places"})


class ChainFault(NamedTuple):
    """The first row that is wrong, and how."""

    wrong: Wrong
    row: EventRow


def since_1970(sent: bytes) -> int:
    """Return microseconds, from what PostgreSQL sends of an instant."""
    return int.from_bytes(sent, "big", signed=True) + SINCE_2000


def leaf_of(previous: bytes, row: EventRow) -> bytes:
    """Return the hash from the columns; empty for what can never have been hashed (the end of all time)."""
    _, stream, version, event, kind, schema, earliest, latest, precision, recorded, data, sealed, meta, salts, _ = row
    first = None if earliest is None else since_1970(earliest)
    last = first if latest == earliest else None if latest is None else since_1970(latest)
    now = first if first is not None and recorded == earliest else since_1970(recorded)
    try:
        clear = header(stream, version, event, kind, schema, first, last, precision, now)
    except OverflowError:
        return b""
    return leaf_hash(previous, clear, part_digests(salts, data, sealed, meta))


class Chain:
    """Takes rows in order until the first that is wrong; `leaves` are the hashes of those before it."""

    def __init__(self, position: int = 0, last: bytes = b"", looked: frozenset[Looked] = LOG) -> None:
        self.leaves: list[bytes] = []
        self.fault: ChainFault | None = None
        self.first_at: int | None = None
        self._looked = looked
        self._position = position
        self._last = last
        self._heads: dict[str, tuple[int, bytes]] = {}

    @property
    def last_at(self) -> int | None:
        """Return the clock of the last row that held, or of the one before the first."""
        return since_1970(self._last) if self._last else None

    def goes_on(self, stream: str, version: int, link: bytes) -> None:
        """Set what a stream stands at before its first row here."""
        self._heads[stream] = (version, link)

    async def find_heads(self, reads: Reads, before: str, rows: Sequence[EventRow]) -> None:
        """Find what every stream new in these rows stands at, by a query of (streams, versions, position)."""
        wanted: dict[str, int] = {}
        for row in rows:
            wanted.setdefault(row[1], row[2] - 1)
        older = {name: version for name, version in wanted.items() if version > 0 and name not in self._heads}
        if older:
            given = list(older), list(older.values()), self._position
            self._heads |= {row[0]: (row[1], row[2]) for row in await guarded(reads.fetch(before, *given))}

    def take(self, rows: Sequence[EventRow]) -> None:
        """Check these rows, the next of the log; do nothing any more after a fault."""
        if self.fault or not rows:
            return
        heads, leaves, last = self._heads, self.leaves, self._last
        if not leaves:
            self.first_at = since_1970(rows[0][9])
        for position, row in enumerate(rows, self._position + len(leaves) + 1):
            version, previous = heads.get(row[1], FIRST)
            leaf = leaf_of(previous, row)
            if leaf != row[14] or row[0] != position or row[2] != version + 1 or row[9] != last:
                wrong = self._wrong(row, leaf, version, position, last)
                if wrong:
                    self.fault = ChainFault(wrong, row)
                    break
            heads[row[1]] = (row[2], row[14])
            leaves.append(leaf)
            last = row[9]
        self._last = last

    def _wrong(self, row: EventRow, leaf: bytes, version: int, position: int, last: bytes) -> Wrong | None:
        if "positions" in self._looked and row[0] != position:
            return "position_missing"
        if "places" in self._looked and row[2] != version + 1:
            return "version_missing"
        if "positions" in self._looked and last and since_1970(row[9]) < since_1970(last):
            return "clock_went_back"
        return "edited" if "chain" in self._looked and leaf != row[14] else None
