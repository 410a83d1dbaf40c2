"""Which leaves come next: recomputed from the columns, never taken from the stored hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from domain.proof.merkle import Frontier
from infra.audit.checkpoints.tree import Reads, TreeIncomplete, frontier_at
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.hashing import START, event_hash
from infra.ledger.encoding.stored import COLUMNS, Stored, stored

# `before`: the link as it was sealed, for an event whose predecessor is not among these rows.
OPEN = f"""
select {", ".join(f"e.{name.strip()}" for name in COLUMNS.split(","))}, sealed_before.hash as before
from event e
left join event b on b.stream = e.stream and b.version = e.version - 1 and b.position <= $1
left join tree_node sealed_before on sealed_before.level = 0 and sealed_before.index = b.position - 1
where e.position > $1 order by e.position limit $2
"""  # noqa: S608 - names from this program
LAST = f"select {COLUMNS} from event where position = $1"  # noqa: S608 - as above


class NotSealed(Exception):
    """What the rows say is not what was sealed or hashed: nothing is signed until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Extension:
    """The tree after these events, and the subtrees they completed as (level, index, hash)."""

    size: int
    root: bytes
    nodes: Sequence[tuple[int, int, bytes]]


async def extension(reads: Reads, size: int, root: bytes, limit: int) -> Extension:
    """The tree of `size` events with this signed root, and at most `limit` more. Raises NotSealed."""
    frontier = await _signed_frontier(reads, size, root)
    last = [stored(row) for row in await guarded(reads.fetch(LAST, size))]
    if len(last) != min(size, 1):
        raise NotSealed(f"position {size}: sealed and not there any more")
    heads: dict[str, tuple[int, bytes]] = {}
    nodes: list[tuple[int, int, bytes]] = []
    previous = last[0] if last else None
    for row in await guarded(reads.fetch(OPEN, size, limit)):
        event = stored(row)
        _check(event, previous, *heads.get(event.stream, _sealed_head(event, row)))
        heads[event.stream] = (event.version, event.hash)
        nodes += frontier.append(event.hash)
        previous = event
    return Extension(frontier.size, frontier.root(), nodes)


async def _signed_frontier(reads: Reads, size: int, root: bytes) -> Frontier:
    try:
        frontier = await frontier_at(reads, size)
    except TreeIncomplete as error:
        raise NotSealed(str(error)) from None
    if size and frontier.root() != root:
        raise NotSealed(f"size {size}: the tree is not the one that was signed")
    return frontier


def _sealed_head(event: Stored, row: asyncpg.Record) -> tuple[int, bytes]:
    return (event.version - 1, row["before"]) if row["before"] else (0, START)


def _check(event: Stored, last: Stored | None, version: int, previous: bytes) -> None:
    if wrong := _wrong(event, last, version, previous):
        raise NotSealed(f"position {event.position} ({event.stream}, version {event.version}): {wrong}")


def _wrong(event: Stored, last: Stored | None, version: int, previous: bytes) -> str:
    """What is wrong with an event after `last`, whose stream stood at `version` with the hash `previous`."""
    if event.position != (last.position if last else 0) + 1:
        return "position_missing"
    if event.version != version + 1:
        return "version_missing"
    if last and event.recorded_at < last.recorded_at:
        return "clock_went_back"
    return "" if event_hash(previous, event) == event.hash else "edited"
