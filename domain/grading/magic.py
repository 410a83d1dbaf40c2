"""Acute graft-versus-host disease by MAGIC: a stage for each organ, and the grade of all of them [safety.gvhd].

What is computed stands beside the clinician's grade and never replaces it. Lower-gut volumes are those of adults.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

UPPER_GUT: Mapping[str, int] = {"none": 0, "intermittent": 0, "persistent": 1}
"""Nausea, vomiting or loss of appetite → stage."""
_BILIRUBIN = ((Decimal(15), 4), (Decimal(6), 3), (Decimal(3), 2))
_STOOL = ((1500, 3), (999, 2), (499, 1))
_HALF, _QUARTER, _FIRST_BILIRUBIN = Decimal(50), Decimal(25), Decimal(2)


def skin(percent: Decimal, *, bullae: bool) -> int:
    """Return the stage of a rash over so many percent of the surface; `bullae`: all of it red, blisters or peeling."""
    if bullae:
        return 4
    if percent > _HALF:
        return 3
    return 2 if percent >= _QUARTER else int(percent > 0)


def liver(bilirubin: Decimal) -> int:
    """Return the stage by bilirubin in mg/dL."""
    if bilirubin < _FIRST_BILIRUBIN:
        return 0
    return next((stage for above, stage in _BILIRUBIN if bilirubin > above), 1)


def lower_gut(millilitres: Decimal, *, severe: bool) -> int:
    """Return the stage by stool in mL a day; `severe`: severe pain, with or without a still gut, or visible blood."""
    if severe:
        return 4
    return next((stage for above, stage in _STOOL if millilitres > above), 0)


_SKIN = (0, 1, 1, 2, 4)
_LIVER_OR_LOWER = (0, 2, 3, 3, 4)
"""Stage of the organ → grade of the whole; the upper gut has one stage, and it makes 2."""


def acute_gvhd(*, skin_stage: int, liver_stage: int, upper_stage: int, lower_stage: int) -> int:
    """Return the grade, 0 to 4, of the organs' stages [safety.gvhd]."""
    return max(_SKIN[skin_stage], _LIVER_OR_LOWER[liver_stage], upper_stage * 2, _LIVER_OR_LOWER[lower_stage])
