"""Reads the dose levels of a trial's file: from the fewest to the most cells it names, of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.criteria.dosing import CellDose

PER_KG = "/kg"


def cell_doses(levels: object) -> tuple[CellDose, ...]:
    """Return the cells of one infusion over all levels; nothing where a level is no number of cells of that kind.

    The kind, for a kilogram or for everybody, is that of the first level.
    """
    rows = [row for row in levels if isinstance(row, Mapping)] if isinstance(levels, list) else []
    if not rows:
        return ()
    unit = str(rows[0].get("unit", ""))
    per_kg = unit.endswith(PER_KG)
    alike = [row for row in rows if str(row.get("unit", "")).endswith(PER_KG) == per_kg]
    told = [cells for row in alike for cells in _numbers(row.get("value"))]
    if not told or not all(told):
        return ()
    counted = unit.split(",", maxsplit=1)[0].removesuffix(PER_KG).removesuffix(" flat").strip()
    return (CellDose(least=min(told), most=max(told), per_kg=per_kg, counted=counted),)


def _numbers(value: Any) -> Iterable[int]:  # noqa: ANN401 - JSON: number, list, text or nothing
    """Yield whole cells; 0 for what is none, as a range whose text breaks off."""
    for one in value if isinstance(value, list) else str(value).split("-"):
        try:
            yield int(float(one))
        except ValueError:
            yield 0
