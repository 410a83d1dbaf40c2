"""The kinds of adverse events that call somebody: their names, and from which grade on [safety.thresholds].

A hospital writes a name in its own words; a name that is in no row is of the kind "other".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

OTHER = "other"
LIFE_THREATENING = 4
REPORT_LIFE_THREATENING, REPORT_OTHERS = timedelta(days=7), timedelta(days=15)
"""How soon an authority hears of an unexpected reaction after somebody became aware [safety.reporting]."""


@dataclass(frozen=True, slots=True)
class AdverseEventKind:
    """One row: its names, and the grade from which on those who must know are called.

    `lasts`: it may go on for months, and is looked at after discharge until a person closes it [safety.late].
    """

    names: tuple[str, ...]
    alerts_at: int
    lasts: bool = False


KINDS: Mapping[str, AdverseEventKind] = {
    "crs": AdverseEventKind(("crs", "cytokine release syndrome", "细胞因子释放综合征"), 2),
    "icans": AdverseEventKind(
        (
            "icans",
            "immune effector cell associated neurotoxicity syndrome",
            "neurotoxicity",
            "cres",
            "免疫效应细胞相关神经毒性综合征",
        ),
        2,
    ),
    "acute_gvhd": AdverseEventKind(
        (
            "agvhd",
            "acute gvhd",
            "gvhd",
            "graft versus host disease",
            "acute graft versus host disease",
            "移植物抗宿主病",
        ),
        2,
        lasts=True,
    ),
    "chronic_gvhd": AdverseEventKind(("cgvhd", "chronic gvhd", "chronic graft versus host disease"), 2, lasts=True),
    "hlh": AdverseEventKind(
        (
            "hlh",
            "iec hs",
            "hemophagocytic lymphohistiocytosis",
            "haemophagocytic lymphohistiocytosis",
            "macrophage activation syndrome",
            "噬血细胞综合征",
        ),
        2,
    ),
    "cytopenia": AdverseEventKind(
        (
            "cytopenia",
            "cytopenias",
            "prolonged cytopenia",
            "pancytopenia",
            "neutropenia",
            "thrombocytopenia",
            "anemia",
            "anaemia",
            "lymphopenia",
            "leukopenia",
            "icaht",
            "hematologic toxicity",
            "haematological toxicity",
            "血细胞减少",
        ),
        4,
        lasts=True,
    ),
    "infection": AdverseEventKind(("infection", "sepsis", "pneumonia", "感染"), 3),
    OTHER: AdverseEventKind((), 3),
}
NAMED = frozenset({OTHER, "infection"})
"""Kinds of which a patient can have several at once."""
_KIND_OF = {name: code for code, row in KINDS.items() for name in row.names}


def folded(name: str) -> str:
    """Return a name as it is compared: in small letters, with blanks for hyphens."""
    return " ".join(re.sub(r"[-_/]+", " ", name.casefold()).split())


def kind_of(name: str) -> str:
    """Return the kind that goes by this name, written in whatever case and with whatever hyphens; else "other"."""
    return _KIND_OF.get(folded(name), OTHER)


def episode_of(kind: str, name: str) -> str:
    """Return what tells one episode from another: the kind; of infections and what has no kind, the name too."""
    return f"{kind} {folded(name)}".strip() if kind in NAMED else kind


def alerts(kind: str, grade: int) -> bool:
    """Return whether that grade of that kind calls those who must know."""
    return grade >= KINDS[kind].alerts_at


def report_within(grade: int) -> timedelta:
    """Return how long there is to report it, if the clinician finds it unexpected."""
    return REPORT_LIFE_THREATENING if grade >= LIFE_THREATENING else REPORT_OTHERS
