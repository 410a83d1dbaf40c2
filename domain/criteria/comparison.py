"""Compares four kinds of products by six factors as evidence for people: no verdict, no rank [criteria.comparison].

Each cell says what is known of the kind, with its source, or that nothing is; what the catalogue has for this case; and
what in the case bears on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from domain.criteria.checks import Name, Patient, Result
from domain.criteria.matching import Match

Kind = Literal["autologous", "allogeneic", "car_nk", "in_vivo"]
Factor = Literal["diagnosis", "prior_therapy", "urgency", "cell_quality", "antigen", "availability"]
KINDS: Sequence[Kind] = get_args(Kind)
FACTORS: Sequence[Factor] = get_args(Factor)

KNOWN: Mapping[tuple[Factor, Kind], tuple[str, str]] = {
    ("diagnosis", "car_nk"): ("trials_nk", "criteria.comparison-nk"),
    ("diagnosis", "allogeneic"): ("trials_allogeneic", "criteria.comparison-allogeneic"),
    ("prior_therapy", "autologous"): ("making_fails_more", "doses.manufacturing-failed"),
    ("prior_therapy", "allogeneic"): ("where_own_are_no_way", "criteria.comparison-allogeneic"),
    ("urgency", "autologous"): ("weeks_to_make", "doses.manufacturing-failed"),
    ("urgency", "allogeneic"): ("from_freezer", "criteria.comparison-allogeneic"),
    ("urgency", "car_nk"): ("made_in_advance", "criteria.comparison-nk"),
    ("urgency", "in_vivo"): ("nothing_made", "criteria.comparison-in-vivo"),
    ("cell_quality", "autologous"): ("own_cells_count", "doses.manufacturing-failed"),
    ("cell_quality", "allogeneic"): ("own_cells_no_matter", "criteria.comparison-allogeneic"),
    ("cell_quality", "car_nk"): ("own_cells_no_matter", "criteria.comparison-nk"),
}
"""(factor, kind) → what is known, as a code that has words, and the tag of its source; nothing here = not known."""

MAKING_DAYS = (14, 28)
"""Least and most days in which a product of the patient's own cells is made [doses.manufacturing-failed]."""

CHECKED: Mapping[Factor, Name] = {
    "diagnosis": "diagnosis",
    "prior_therapy": "own_cells",
    "antigen": "antigen",
    "availability": "protocol",
}
"""The check of each way of the catalogue that a factor is counted by; the others rest on the case alone."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One factor for one kind: `known` is a code, empty = not known; `ways` counts results of the catalogue's ways."""

    kind: Kind
    known: str
    source: str
    ways: Mapping[Result, int]


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One factor: `bears` is what in the case bears on it, as codes and values; empty = nothing is recorded."""

    factor: Factor
    bears: tuple[str, ...]
    cells: tuple[Cell, ...]


def compare(patient: Patient, found: Sequence[Match]) -> Sequence[FactorRow]:
    """Return the six factors in their order, each with a cell for each kind in its order."""
    return [
        FactorRow(factor, BEARS[factor](patient), tuple(_cell(factor, kind, found) for kind in KINDS))
        for factor in FACTORS
    ]


def _cell(factor: Factor, kind: Kind, found: Sequence[Match]) -> Cell:
    known, source = KNOWN.get((factor, kind), ("", ""))
    check = CHECKED.get(factor)
    ways = [c.result for m in found if m.offer.product == kind for c in m.checks if c.name == check]
    return Cell(kind, known, source, Counter(ways))


def _antigens(patient: Patient) -> tuple[str, ...]:
    """Each antigen that was looked for, with what was found."""
    told = [f for f in patient.facts if f.analyte in ("antigen", "antigen_percentage") and f.target]
    return tuple(dict.fromkeys(f"{f.target} {f.code or f.high}".strip() for f in told))


def _therapies(patient: Patient) -> tuple[str, ...]:
    return (*patient.own_cells, *(f"directed:{antigen}" for antigen in patient.directed))


BEARS: Mapping[Factor, Callable[[Patient], tuple[str, ...]]] = {
    "diagnosis": lambda p: (p.disease,) if p.disease else (),
    "prior_therapy": _therapies,
    "urgency": lambda p: ("urgent",) if p.urgent else (),
    "cell_quality": lambda p: tuple(
        one for one in p.own_cells if one in ("manufacture_failed", "autologous_not_feasible")
    ),
    "antigen": _antigens,
    "availability": lambda p: (p.country,) if p.country else (),
}
"""What of a case each factor rests on."""
