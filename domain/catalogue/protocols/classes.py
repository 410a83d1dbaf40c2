"""Says what a class of products changes, as data: what is left out, may fail, is watched [classes.differ]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domain.core.planned_check import MonitoringCheck
from domain.criteria.comparison import MAKING_DAYS

ProductClass = Literal["autologous", "allogeneic", "car_nk", "in_vivo", "not_said"]
Failing = Literal["collection", "manufacture", "out_of_specification", "no_unit", "vector_short"]
"""What may fail before the cells are in."""
Watched = Literal[
    "crs", "icans", "cytopenia", "infection", "acute_gvhd", "rejection", "malignancy", "vector_immunity"
]  # fmt: skip
"""What is looked out for after the cells went in."""
Lasting = Literal["not_said", "longer", "shorter", "by_vector"]
"""How long what was given is expected to last, compared with the other classes; `by_vector`: it depends on that."""
LeftOut = Literal["unit", "thaw", "collection", "manufacture"]
"""Steps of the journey that a class does without."""

ALWAYS_WATCHED: tuple[Watched, ...] = ("crs", "icans", "cytopenia", "infection", "malignancy")
WEEKLY = (7, 14, 21, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByClass:
    """Says what one class changes. `units`: doses of it lie frozen, are held for a case and thawed at the bedside.

    `own_cells`: it is made of the patient's own cells, in `ready_days` from collection, least and most; None = not
    said. `checks` are looked at after an infusion beside those of everybody, on these days from it, where the protocol
    names none. `sources` are tags of docs/domain.
    """

    units: bool = True
    own_cells: bool = False
    ready_days: tuple[int, int] | None = None
    may_fail: tuple[Failing, ...] = ()
    watched: tuple[Watched, ...] = ALWAYS_WATCHED
    checks: tuple[tuple[MonitoringCheck, tuple[int, ...]], ...] = ()
    lasting: Lasting = "not_said"
    sources: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Return the steps the journey of such a product does without; of one nobody said, none is known to be."""
        if not self.sources:
            return ()
        without: tuple[LeftOut, ...] = () if self.own_cells else ("collection", "manufacture")
        return without if self.units else ("unit", "thaw", *without)


CLASSES: Mapping[str, ByClass] = {
    "autologous": ByClass(
        own_cells=True,
        ready_days=MAKING_DAYS,
        may_fail=("collection", "manufacture", "out_of_specification"),
        lasting="longer",
        sources=("doses.manufacturing-failed", "classes.differ"),
    ),
    "allogeneic": ByClass(
        may_fail=("no_unit",),
        watched=(*ALWAYS_WATCHED, "acute_gvhd", "rejection"),
        checks=(("gvhd_check", WEEKLY),),
        lasting="shorter",
        sources=("criteria.comparison-allogeneic", "redosing.why", "classes.differ"),
    ),
    "car_nk": ByClass(
        may_fail=("no_unit",),
        watched=(*ALWAYS_WATCHED, "acute_gvhd", "rejection"),
        checks=(("gvhd_check", WEEKLY),),
        lasting="shorter",
        sources=("criteria.comparison-nk", "classes.differ"),
    ),
    "in_vivo": ByClass(
        units=False,
        may_fail=("vector_short",),
        watched=(*ALWAYS_WATCHED, "vector_immunity"),
        lasting="by_vector",
        sources=("criteria.comparison-in-vivo", "classes.in-vivo", "classes.vectors"),
    ),
    "not_said": ByClass(watched=()),
}
"""Class → what it changes. Where the class is not said, a product is treated as frozen cells of one lot."""
