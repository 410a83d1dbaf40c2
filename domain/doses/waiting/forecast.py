"""Puts the units of each product beside those who wait for one: what is there, what is coming, and how many are short.

It counts [doses.forecast]; how long a unit that is coming takes nobody has said, and none is promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.doses import codes

COMING = ("registered", "quarantined")
"""A lot in these states may still be released; of one that was rejected or recalled nothing comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSupply:
    """Counts the units of one product, and the cases that are `waiting` for one.

    Units are `free` now for whoever asks, `held` for a time, or `coming` in lots that are not released yet; they
    `expire` too soon for anybody who asks now, or are `bound` to one patient.
    """

    product: str
    free: int
    coming: int
    held: int
    expire: int
    bound: int
    waiting: int

    @property
    def short(self) -> int:
        """Return how many who wait get no unit of those that are free."""
        return max(0, self.waiting - self.free)

    @property
    def short_later(self) -> int:
        """Return how many get none of those that are coming either, should every lot be released."""
        return max(0, self.waiting - self.free - self.coming)


def supply(
    lots: Iterable[Mapping[str, Any]], waiting: Mapping[str, int], now: datetime, lasts: datetime
) -> Sequence[ProductSupply]:
    """Return what stands of each product, the most wanting first; `lots` are read models.

    A lot serves who asks now where it expires after `lasts`. `waiting` counts cases by the code of the product, however
    it is written.
    """
    counted: dict[str, Counter[str]] = {}
    for lot in lots:
        counted.setdefault(codes.folded(lot["product"]), Counter()).update(_units(lot, now, lasts))
    for product, cases in waiting.items():
        counted.setdefault(codes.folded(product), Counter())["waiting"] += cases
    names = ("free", "coming", "held", "expire", "bound", "waiting")
    found = [ProductSupply(product=name, **{of: count[of] for of in names}) for name, count in counted.items()]
    return sorted(found, key=lambda one: (-one.short_later, -one.short, one.product))


def _units(lot: Mapping[str, Any], now: datetime, lasts: datetime) -> Counter[str]:
    """A hold that has run out gave its unit back; a hold is shown whatever the lot is by now, unless it is over."""
    held = sum(until > now for until in lot["held_until"])
    there = lot["free_units"] + len(lot["held_until"]) - held
    if lot["state"] not in ("released", *COMING) or lot["expires"] is None or lot["expires"] <= now:
        return Counter()
    if lot.get("bound"):
        return Counter(bound=there, held=held)
    if lot["expires"] <= lasts:
        return Counter(expire=there, held=held)
    return Counter(held=held, **{"free" if lot["state"] == "released" else "coming": there})
