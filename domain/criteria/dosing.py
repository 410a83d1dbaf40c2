"""The cells of one infusion as a protocol writes them, as data [dose.written]: it is compared, never advised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Any

from domain.core.errors import Reason, Refused, require
from domain.criteria.observation import number

MOST_CELLS, MOST_KG, OLDEST_WEIGHT = 10**13, 300, 365
"""Nobody gives more cells at once; no patient weighs more kilograms; no protocol takes an older weight, in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDose:
    """Says from `least` to `most` cells of one infusion, for a kilogram of the patient where it is `per_kg`.

    `counted` is what is counted, as the protocol calls it. `cap` is the most for a patient of any weight, 0 = none.
    `tolerance` is in percent. It is for a weight above `above_kg` and up to `up_to_kg`, 0 = no bound. `weight_days`:
    how old the weight may be, 0 = the protocol does not say.
    """

    least: int
    most: int
    per_kg: bool = False
    counted: str = ""
    cap: int = 0
    tolerance: int = 0
    above_kg: int = 0
    up_to_kg: int = 0
    weight_days: int = 0

    @property
    def by_weight(self) -> bool:
        """Return whether the patient's weight matters for it."""
        return self.per_kg or bool(self.above_kg or self.up_to_kg)

    def holds_at(self, kg: Decimal | None) -> bool:
        """Return whether it is for a patient of this weight; None = not known, which only one for everybody is for."""
        if kg is None:
            return not self.by_weight
        return kg > self.above_kg and (not self.up_to_kg or kg <= self.up_to_kg)

    def between(self, kg: Decimal | None) -> tuple[int, int]:
        """Return the fewest and the most cells for a patient of this weight, in whole cells.

        Raises Refused where it is for a kilogram and the weight is not known.
        """
        if self.per_kg and kg is None:
            raise Refused(Reason.MISSING, "the weight is not known", "weight")
        times = kg if self.per_kg and kg is not None else Decimal(1)
        low, high = self.least * times, self.most * times
        low, high = (min(one, Decimal(self.cap)) if self.cap else one for one in (low, high))
        low, high = low * (100 - self.tolerance) / 100, high * (100 + self.tolerance) / 100
        return _whole(low), _whole(min(high, Decimal(self.cap)) if self.cap else high)


def _whole(cells: Decimal) -> int:
    return int(cells.to_integral_value(ROUND_HALF_EVEN))


def cell_dose_of(row: Mapping[str, Any]) -> CellDose:
    """Read a dose back from the JSON of a read model."""
    return CellDose(**row)


def cells_of(text: str, field: str = "cells") -> int:
    """Return the number of cells a text says. Raises Refused where it says none that is given."""
    said = number(text)
    whole = said is not None and said == said.to_integral_value() and 0 < said <= MOST_CELLS
    if said is None or not whole:
        words = "write how many cells in all, with no unit: 160000000 or 1.6e8"
        raise Refused(Reason.INVALID, words, field)
    return int(said)


def require_dosable(doses: Sequence[CellDose]) -> None:
    """Refuse what nobody could be given, and two doses for one weight. Raises Refused."""
    for one in doses:
        _holds(0 < one.least <= one.most <= MOST_CELLS, f"least and most: cells from 1 to {MOST_CELLS}, least first")
        _holds(one.cap == 0 or (one.per_kg and 0 < one.cap <= MOST_CELLS), "cap goes with per_kg, at least one cell")
        _holds(0 <= one.tolerance < 100, "tolerance is a percentage from 0 to 99")  # noqa: PLR2004 - a percentage
        bound = 0 <= one.above_kg < (one.up_to_kg or MOST_KG) <= MOST_KG
        _holds(bound, f"above_kg lies below up_to_kg, both from 0 to {MOST_KG} kg")
        old = one.weight_days == 0 or (one.by_weight and 0 < one.weight_days <= OLDEST_WEIGHT)
        _holds(old, f"weight_days is for a dose by weight, from 1 to {OLDEST_WEIGHT}")
    apart = all(a.up_to_kg and a.up_to_kg <= b.above_kg for a, b in pairwise(sorted(doses, key=lambda d: d.above_kg)))
    _holds(apart, "two of them are for one weight; give each its above_kg and up_to_kg")


def _holds(holds: object, words: str) -> None:
    require(holds, Reason.INVALID, words, "doses")
