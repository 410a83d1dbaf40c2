"""Infections by how they are treated, after CTCAE 5.0 [safety.infection].

What is computed stands beside the clinician's grade and never replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping

TREATMENTS: Mapping[str, int] = {"watched": 1, "oral": 2, "intravenous": 3, "invasive": 3}
"""How it is treated → grade."""


def infection(treatment: str, *, life_threatening: bool) -> int | None:
    """Return the grade, 1 to 4; None = nobody said how it is treated."""
    return 4 if life_threatening else TREATMENTS.get(treatment)
