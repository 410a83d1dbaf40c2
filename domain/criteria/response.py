"""How a response is written by each published system, and what each category counts as [response.systems].

A category is the assessor's word; what is computed from inputs stands beside it and never replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from domain.criteria.diseases import broader

ResponseCode = Literal["CR", "PR", "SD", "PD"]
"""What every category is compared as; of a category that says nothing of the disease there is none."""
MRD_3, MRD_4, MRD_5 = Decimal("0.001"), Decimal("0.0001"), Decimal("0.00001")
NOT_EVALUABLE = "NE"


@dataclass(frozen=True, slots=True)
class ResponseSystem:
    """One published system: the diseases it was made for, its categories with what each counts as, and depth of MRD.

    `mrd` is the share of cells down to which residual disease is looked for, None = the system asks for none.
    """

    diseases: tuple[str, ...]
    categories: Mapping[str, ResponseCode | None]
    mrd: Decimal | None = None


def _rows(cr: str = "", pr: str = "", sd: str = "", pd: str = "") -> Mapping[str, ResponseCode | None]:
    """Put together the categories, each list in the order in which they are shown."""
    counted: tuple[tuple[ResponseCode, str], ...] = (("CR", cr), ("PR", pr), ("SD", sd), ("PD", pd))
    rows: dict[str, ResponseCode | None] = {name: code for code, names in counted for name in names.split()}
    return {**rows, NOT_EVALUABLE: None}


SYSTEMS: Mapping[str, ResponseSystem] = {
    "lugano": ResponseSystem(("nhl", "hodgkin"), _rows("CMR CR", "PMR PR", "NMR SD", "PMD PD")),
    "all": ResponseSystem(("all",), _rows("CR CRh CRi", "MLFS PR", "NR SD", "PD relapse"), MRD_4),
    "eln_aml": ResponseSystem(("aml", "bpdcn"), _rows("CR CRh CRi", "MLFS PR", "NR SD", "PD relapse"), MRD_3),
    "imwg": ResponseSystem(("myeloma",), _rows("sCR CR", "VGPR PR", "MR SD", "PD relapse"), MRD_5),
    "iwcll": ResponseSystem(("cll",), _rows("CR CRi", "nPR PR PR-L", "SD", "PD relapse"), MRD_4),
    "recist": ResponseSystem((), _rows("CR", "PR", "SD", "PD")),
    "rano": ResponseSystem((), _rows("CR", "PR", "MR SD", "PD")),
}
"""Code → system. Codes are stored, so none is ever renamed."""

ASSESSORS = ("investigator", "independent_committee")
EXAMINATIONS = ("pet_ct", "ct", "mri", "marrow", "blood_and_urine", "cerebrospinal_fluid", "biopsy", "clinical")
MRD_RESULTS = ("negative", "positive", "not_evaluable")
MRD_METHODS = ("flow", "ngs", "pcr")
UPTAKES = ("less", "unchanged", "more", "new_lesion")
"""Of what still lights up at 4 or 5: compared with before."""
DEAUVILLE = range(1, 6)
COMPLETE_TO, INDETERMINATE = 3, 4
_BY_UPTAKE: Mapping[str, str] = {"less": "PMR", "unchanged": "NMR", "more": "PMD", "new_lesion": "PMD"}


def folded(written: str) -> str:
    """Return a response as it is compared: in small letters, with blanks for signs between words."""
    return " ".join(re.sub(r"[-_/()+]+", " ", written.casefold()).split())


_IN_WORDS: Mapping[ResponseCode, tuple[str, ...]] = {
    "CR": ("mrd negative cr", "mrd cr", "complete response", "complete remission", "complete metabolic response",
           "完全缓解"),
    "PR": ("partial response", "partial remission", "partial metabolic response", "部分缓解"),
    "SD": ("stable disease", "no response", "疾病稳定"),
    "PD": ("progression", "progressive disease", "疾病进展", "复发"),
}  # fmt: skip
READ_AS: Mapping[str, ResponseCode] = {
    **{folded(word): code for code, words in _IN_WORDS.items() for word in words},
    **{folded(name): code for s in SYSTEMS.values() for name, code in s.categories.items() if code},
}
"""How hospitals write a response → what it counts as; what is in no row a person reads [redosing.responses]."""


def response_code(written: str) -> ResponseCode | None:
    """Return what a response counts as; None = nobody can say by its word."""
    return READ_AS.get(folded(written))


def systems_for(disease: str) -> Iterable[str]:
    """List the systems made for a disease, the nearest first; none where the disease is not known or has none."""
    return [code for code, system in SYSTEMS.items() if broader(disease) & set(system.diseases)]


def by_deauville(deauville: int | None, uptake: str) -> str:
    """Return the category of Lugano 2014 that a score of 1 to 5 and its change make; empty = they do not tell."""
    if deauville is None:
        return ""
    return "CMR" if deauville <= COMPLETE_TO else _BY_UPTAKE.get(uptake, "")


def deep_enough(system: str, sensitivity: Decimal | None) -> bool | None:
    """Tell whether a test that finds nothing shows that nothing is left; None = the system asks for none, or no depth.

    `sensitivity` is the smallest share of cells that the test finds, such as 0.0001.
    """
    known = SYSTEMS.get(system)
    asked = known.mrd if known else None
    return None if asked is None or sensitivity is None else sensitivity <= asked
