"""The stage funnel as bars of an SVG drawn here: open cases per stage, the late ones darker, each bar a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, GAP = 100, 44, 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage."""

    words: str
    count: int
    late: int
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """One bar as it is drawn: `x` from the start, `top` and `late_top` from above."""

    bar: Bar
    x: int
    top: float
    height: float
    late_top: float
    late_height: float


def funnel(bars: Sequence[Bar]) -> Sequence[DrawnBar]:
    """Heights in proportion to the fullest stage; one case is never invisible."""
    most = max((bar.count for bar in bars), default=0) or 1
    return [_drawn(n, bar, most) for n, bar in enumerate(bars)]


def _drawn(n: int, bar: Bar, most: int) -> DrawnBar:
    height = max(round(bar.count / most * HEIGHT, 1), 2.0) if bar.count else 0.0
    late = round(height * bar.late / bar.count, 1) if bar.count else 0.0
    return DrawnBar(bar, n * (WIDTH + GAP), HEIGHT - height, height, HEIGHT - late, late)
