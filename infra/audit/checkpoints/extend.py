"""Finds which leaves come next: recomputed from the columns, never taken from the stored hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.proof.merkle import Frontier
from infra.audit.chain import Chain, ChainFault
from infra.audit.checkpoints.tree import TreeIncomplete, frontier_at
from infra.audit.queries import OPEN_ROWS, RECORDED_AT, SEALED_HEADS
from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded


class NotSealed(Exception):
    """The rows are not what was sealed or hashed: nothing is signed until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Extension:
    """The tree after these events, and the subtrees they completed as (level, index, hash)."""

    size: int
    root: bytes
    nodes: Sequence[tuple[int, int, bytes]]


async def extension(reads: Reads, size: int, root: bytes, limit: int) -> Extension:
    """Return the tree of `size` events with this signed root, and at most `limit` more. Raises NotSealed."""
    frontier = await _signed_frontier(reads, size, root)
    last = await guarded(reads.fetch(RECORDED_AT, size))
    if len(last) != min(size, 1):
        raise NotSealed(f"position {size}: sealed and not there any more")
    chain = Chain(size, last[0]["recorded"] if last else b"")
    rows = await guarded(reads.fetch(OPEN_ROWS, size, limit))
    await chain.find_heads(reads, SEALED_HEADS, rows)
    chain.take(rows)
    if chain.fault:
        raise NotSealed(_says(chain.fault))
    nodes = [node for leaf in chain.leaves for node in frontier.append(leaf)]
    return Extension(frontier.size, frontier.root(), nodes)


async def _signed_frontier(reads: Reads, size: int, root: bytes) -> Frontier:
    try:
        frontier = await frontier_at(reads, size)
    except TreeIncomplete as error:
        raise NotSealed(str(error)) from None
    if size and frontier.root() != root:
        raise NotSealed(f"size {size}: the tree is not the one that was signed")
    return frontier


def _says(fault: ChainFault) -> str:
    row = fault.row
    return f"position {row['position']} ({row['stream']}, version {row['version']}): {fault.wrong}"
