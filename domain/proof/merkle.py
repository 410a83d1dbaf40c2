"""Merkle tree over the ledger's leaves: RFC 6962 section 2.1 and RFC 9162 section 2.1, pure.

Everything takes *leaf hashes* (an event's hash is one); sizes count leaves, indexes begin with 0.
Whoever builds a proof with a wrong size or index gets ValueError; whoever checks one gets False, whatever is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

HASH = 32
EMPTY = sha256(b"").digest()
"""The root of no leaves."""

Node: TypeAlias = tuple[int, int]
"""A complete subtree: (level, index) covers the leaves index·2^level … (index + 1)·2^level - 1."""
Range: TypeAlias = tuple[int, int]
"""Leaves first … end - 1."""
Lookup: TypeAlias = Callable[[Node], bytes]


def leaf_hash(content: bytes) -> bytes:
    """Hash one leaf's input."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node of its two children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: its complete subtrees, largest first. Size and root cost O(log n)."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Go on from `size` leaves; `peaks` are the hashes of `complete((0, size))`. Raises ValueError."""
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(peaks)} peaks")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; answers with the subtrees it completed as (level, index, hash), the leaf first."""
        level, index, peaks = 0, self.size, self.peaks
        made = [(0, index, leaf)]
        while index & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            level, index = level + 1, index >> 1
            made.append((level, index, leaf))
        peaks.append(leaf)
        self.size += 1
        return made

    def root(self) -> bytes:
        """Return the tree's root now."""
        return joined(self.peaks)


def joined(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over complete subtrees that stand side by side, largest first."""
    if not hashes:
        return EMPTY
    found = hashes[-1]
    for one in reversed(hashes[:-1]):
        found = node_hash(one, found)
    return found


def complete(leaves: Range) -> list[Node]:
    """Return the complete subtrees a range is made of, largest first; `first` must be where the largest may begin."""
    first, end = leaves
    nodes = []
    while first < end:
        level = (end - first).bit_length() - 1
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """List which leaves each hash of the audit path stands for, from the leaf upward. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    found, first, end = [], 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        found.append((middle, end) if index < middle else (first, middle))
        first, end = (first, middle) if index < middle else (middle, end)
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """List the leaves each hash of the consistency proof stands for. Raises ValueError; also for an empty old tree."""
    if not 0 < old <= new:
        raise ValueError(f"nothing proves that {old} leaves became {new}")
    found, first, end, whole = [], 0, new, True
    while old < end:
        middle = first + _split(end - first)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((first, middle))
            first, whole = middle, False
    return [*([] if whole else [(first, end)]), *found[::-1]]


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def hash_of(leaves: Range, lookup: Lookup) -> bytes:
    """Return the hash over a range, from complete subtrees."""
    return joined([lookup(node) for node in complete(leaves)])


def root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over all these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Return whether `leaf` is number `index` of the tree of `size` leaves with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _hashes(leaf, expected, *path):
        return False
    sides = [begin < index for begin, _ in inclusion_ranges(index, size)]
    if len(sides) != len(path):
        return False
    for is_left, sibling in zip(sides, path, strict=True):
        leaf = node_hash(sibling, leaf) if is_left else node_hash(leaf, sibling)
    return leaf == expected


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether the tree of `old` leaves is the beginning of that of `new` (RFC 9162, 2.1.4.2).

    False from an empty tree: every tree begins with it, so a True would say nothing (ADR 0004).
    """
    if not 0 < old <= new or not _hashes(old_root, new_root, *proof):
        return False
    ranges = consistency_ranges(old, new)
    if len(ranges) != len(proof):
        return False
    return _both(old, old_root, list(zip(ranges, proof, strict=True))) == (old_root, new_root)


def _both(old: int, old_root: bytes, steps: Sequence[tuple[Range, bytes]]) -> tuple[bytes, bytes]:
    """Both roots, computed from one proof. What the old tree is made of comes first, or is the whole of it."""
    parts = iter(steps)
    first, second = (old_root, old_root) if not _begins_inside(steps, old) else (next(parts)[1],) * 2
    for (begin, _), sibling in parts:
        if begin >= old:
            second = node_hash(second, sibling)
        else:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
    return first, second


def _begins_inside(steps: Sequence[tuple[Range, bytes]], old: int) -> bool:
    return bool(steps) and steps[0][0][0] < old


def _hashes(*values: bytes) -> bool:
    return all(len(value) == HASH for value in values)


def proven(ranges: Sequence[Range], lookup: Lookup) -> list[bytes]:
    """Return the hashes of a proof."""
    return [hash_of(leaves, lookup) for leaves in ranges]
