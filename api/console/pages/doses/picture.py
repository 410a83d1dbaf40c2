"""Draws a genealogy: one band for each kind from donors down to lots, a line from each to what was made of it.

It is laid out for the narrowest screen and only grows; beyond a few rows a band says how many more there are. The list
beside it names everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.doses.kinds import KINDS

WIDTH, MARGIN = 360, 4
"""Units of the picture: as wide as the narrowest screen has pixels to show."""
ACROSS, ROWS = 3, 3
"""So many stand in a row, and so many rows a band has at most."""
BOX, HEIGHT, GAP, LABEL = 108, 36, 14, 22
LONGEST = 14
Layers = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Box:
    """Stands for one material or lot; `more` counts those that a band has no room for, and then has no `id`."""

    id: str
    x: int
    y: int
    words: str = ""
    here: bool = False
    stopped: bool = False
    units: int = 0
    patients: int = 0
    more: int = 0


@dataclass(frozen=True, slots=True)
class Stroke:
    """Leads from what something was made of to it. `written`: it only names the code, nobody linked it."""

    x1: int
    y1: int
    x2: int
    y2: int
    written: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """Holds everything of one kind; its name stands centred at `x`, `y`."""

    kind: str
    x: int
    y: int
    boxes: Sequence[Box]


@dataclass(frozen=True, slots=True)
class Picture:
    """Holds the drawing and its height, in units of which it is `WIDTH` wide."""

    bands: Sequence[Band]
    lines: Sequence[Stroke]
    height: int
    width: int = WIDTH


def picture(answer: Mapping[str, Any], layers: Layers) -> Picture | None:
    """Draw the answer of a trace; None where there is nothing of it."""
    units = Counter(one["lot"] for one in answer["units"])
    patients = Counter(lot for one in answer["patients"] for lot in {unit["lot"] for unit in one["units"]})
    bands, where, y = list[Band](), dict[str, Box](), MARGIN
    for abreast in _rows(layers):
        begins = _columns([len(ones) for _, ones in abreast])
        for (kind, ones), column in zip(abreast, begins, strict=True):
            boxes = _boxes(ones, column, y + LABEL, answer["of"], units, patients)
            middle = (boxes[0].x + min(boxes[-1].x if len(boxes) <= ACROSS else WIDTH - BOX, WIDTH - BOX) + BOX) // 2
            bands.append(Band(kind, middle, y + LABEL - 8, boxes))
            where |= {box.id: box for box in boxes if box.id}
            where |= {one["id"]: boxes[-1] for one in ones if one["id"] not in where}
        y = max(box.y for band in bands for box in band.boxes) + HEIGHT + GAP
    edges = {(child, parent, False) for child, parent in (*answer["made_of"], *answer["made_into"])}
    edges |= {(child, start, True) for child in answer["only_written"] for start in answer["of"] if start != child}
    known = (edge for edge in sorted(edges) if edge[0] in where and edge[1] in where)
    lines = dict.fromkeys(_line(where[parent], where[child], written=written) for child, parent, written in known)
    return Picture(bands, list(lines), y) if bands else None


def _depth(kind: str) -> int:
    """How many kinds may stand above one: what something is made of is always drawn above it."""
    return max((1 + _depth(one) for one in KINDS[kind].made_of), default=0)


def _rows(layers: Layers) -> Sequence[Layers]:
    """Kinds of one depth stand side by side where they have room, cells left and vectors right; else one by one."""
    found = list[Layers]()
    for depth in sorted({_depth(kind) for kind, _ in layers}):
        same = [layer for layer in layers if _depth(layer[0]) == depth]
        fits = sum(len(ones) for _, ones in same) <= ACROSS
        found += [same] if fits else [[layer] for layer in same]
    return found


def _columns(counts: Sequence[int]) -> Sequence[int]:
    """Where each of the kinds of a row begins: the first at the left, the others at the right; one alone in between."""
    if len(counts) == 1:
        return [1 if counts[0] == 1 else 0]
    return [0, *(ACROSS - sum(counts[n:]) for n in range(1, len(counts)))]


def _boxes(
    ones: Sequence[Mapping[str, Any]],
    column: int,
    top: int,
    of: Sequence[str],
    units: Counter[str],
    patients: Counter[str],
) -> Sequence[Box]:
    """One box each in rows; what is asked for comes first, and the last stands for all that has no room."""
    room, first = ACROSS * ROWS, sorted(ones, key=lambda one: one["id"] not in of)
    shown = first if len(first) <= room else first[: room - 1]
    boxes = [
        Box(one["id"], *_place(column + n, top), cut(str(one["code"] or "")), one["id"] in of,
            one.get("state") == "recalled", units[one["id"]], patients[one["id"]])
        for n, one in enumerate(shown)
    ]  # fmt: skip
    more = len(first) - len(shown)
    return [*boxes, Box("", *_place(column + len(shown), top), more=more)] if more else boxes


def _place(number: int, top: int) -> tuple[int, int]:
    step = (WIDTH - 2 * MARGIN - BOX) // (ACROSS - 1)
    return MARGIN + number % ACROSS * step, top + number // ACROSS * (HEIGHT + GAP)


def _line(above: Box, below: Box, *, written: bool) -> Stroke:
    return Stroke(above.x + BOX // 2, above.y + HEIGHT, below.x + BOX // 2, below.y, written)


def cut(code: str) -> str:
    """Return a code that fits its box: its beginning and its end, where ids and numbers differ."""
    return code if len(code) <= LONGEST else f"{code[:5]}…{code[-(LONGEST - 6) :]}"
