"""Horizontal bars drawn here as SVG; the numbers stand in a table beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROW, WIDTH, LABEL, END = 26, 640, 150, 130


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row: two bars over each other, the shorter one darker."""

    words: str
    says: str
    y: int
    short: float
    long: float


@dataclass(frozen=True, slots=True)
class Bars:
    """The whole picture."""

    rows: Sequence[DrawnRow]
    width: int
    height: int


def bars(given: Sequence[tuple[str, Sequence[float], str]]) -> Bars:
    """Draw (words, [part, whole], what is said at the end); lengths in proportion to the largest."""
    most = max((whole for _, (_, whole), _ in given), default=0) or 1
    room = WIDTH - LABEL - END
    rows = [
        DrawnRow(words, says, n * ROW, round(part / most * room, 1), round(whole / most * room, 1))
        for n, (words, (part, whole), says) in enumerate(given)
    ]
    return Bars(rows, WIDTH, max(len(rows), 1) * ROW)
