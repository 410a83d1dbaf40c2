"""Trees small enough to be held, for tests to look up."""

from collections.abc import Iterator, Sequence

from domain.proof.merkle import Frontier, Node


def subtrees(leaves: Sequence[bytes]) -> Iterator[tuple[Node, bytes]]:
    """Yield every complete subtree."""
    frontier = Frontier()
    for leaf in leaves:
        for level, index, found in frontier.append(leaf):
            yield (level, index), found
