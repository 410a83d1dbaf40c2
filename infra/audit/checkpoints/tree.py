"""The tree in the database: complete subtrees by (level, index), so that a root or proof costs O(log n) reads."""

from __future__ import annotations

from collections.abc import Sequence

from domain.proof.merkle import Frontier, Lookup, Node, Range, complete, consistency_ranges, inclusion_ranges, proven
from infra.audit.queries import NODES
from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded


class TreeIncomplete(Exception):
    """A subtree that was sealed is not there."""

    def __init__(self, node: Node) -> None:
        level, index = node
        super().__init__(f"tree_node has no level {level}, index {index}")
        self.node = node


async def nodes(reads: Reads, wanted: Sequence[Node]) -> Lookup:
    """Read these subtrees at once; the look-up raises TreeIncomplete for one that is not there."""
    rows = await guarded(reads.fetch(NODES, [n[0] for n in wanted], [n[1] for n in wanted]))
    found = {(row["level"], row["index"]): row["hash"] for row in rows}

    def lookup(node: Node) -> bytes:
        if node not in found:
            raise TreeIncomplete(node)
        return bytes(found[node])

    return lookup


async def frontier_at(reads: Reads, size: int) -> Frontier:
    """Return the tree of the first `size` events, ready to grow. Raises TreeIncomplete, ValueError."""
    peaks = complete((0, size))
    lookup = await nodes(reads, peaks)
    return Frontier(size, [lookup(node) for node in peaks])


async def inclusion(reads: Reads, position: int, size: int) -> list[bytes]:
    """Return the audit path of the event at a position in the tree of `size`. Raises ValueError, TreeIncomplete."""
    return await _proof(reads, inclusion_ranges(position - 1, size))


async def consistency(reads: Reads, old: int, new: int) -> list[bytes]:
    """Prove that the first `old` events are the beginning of the first `new`. Raises ValueError, TreeIncomplete."""
    return await _proof(reads, consistency_ranges(old, new))


async def _proof(reads: Reads, ranges: Sequence[Range]) -> list[bytes]:
    lookup = await nodes(reads, [node for leaves in ranges for node in complete(leaves)])
    return proven(ranges, lookup)
