"""Diseases as codes of our own, with what people write for them, ICD-10 where WHO has a code, and expected antigens.

Each lies within broader ones: what is asked of lymphomas is asked of every kind of them [criteria.diseases].
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Disease:
    """One row. `names`: what is written for it; `within`: the broader ones; `antigens`: what its cells mostly carry."""

    names: tuple[str, ...]
    within: tuple[str, ...] = ()
    icd10: str = ""
    antigens: tuple[str, ...] = ()


DISEASES: Mapping[str, Disease] = {
    "haematological": Disease(("haematological malignancy", "hematologic malignancy", "haematological malignancies")),
    "b_cell": Disease(("b-cell malignancy", "b-cell malignancies"), ("haematological",), "", ("CD19",)),
    "t_cell": Disease(("t-cell malignancy", "t-cell malignancies"), ("haematological",), "", ("CD7", "CD5")),
    "leukaemia": Disease(("leukaemia", "leukemia"), ("haematological",)),
    "nhl": Disease(("nhl", "non-hodgkin lymphoma", "lymphoma"), ("haematological",), "C85.9"),
    "all": Disease(("all", "acute lymphoblastic leukaemia", "acute lymphoblastic leukemia"), ("leukaemia",), "C91.0"),
    "b_all": Disease(
        ("b-all", "b all", "b-cell all", "b-cell acute lymphoblastic leukaemia", "b-cell acute lymphoblastic leukemia"),
        ("all", "b_cell"), "C91.0", ("CD19", "CD22"),
    ),
    "t_all": Disease(
        ("t-all", "t all", "t-cell all", "t-cell acute lymphoblastic leukaemia", "t-cell acute lymphoblastic leukemia"),
        ("all", "t_cell"), "C91.0", ("CD7", "CD5"),
    ),
    "aml": Disease(
        ("aml", "acute myeloid leukaemia", "acute myeloid leukemia"), ("leukaemia",), "C92.0", ("CD33", "CD123")
    ),
    "bpdcn": Disease(
        ("bpdcn", "blastic plasmacytoid dendritic cell neoplasm"), ("haematological",), "C86.4", ("CD123",)
    ),
    "b_nhl": Disease(("b-nhl", "b-cell lymphoma", "b-cell nhl"), ("nhl", "b_cell"), "", ("CD19", "CD20", "CD22")),
    "lbcl": Disease(("lbcl", "large b-cell lymphoma"), ("b_nhl",), "C83.3", ("CD19", "CD20")),
    "dlbcl": Disease(("dlbcl", "diffuse large b-cell lymphoma"), ("lbcl",), "C83.3", ("CD19", "CD20")),
    "hgbcl": Disease(("hgbcl", "high-grade b-cell lymphoma"), ("lbcl",), "", ("CD19", "CD20")),
    "pmbcl": Disease(("pmbcl", "primary mediastinal b-cell lymphoma"), ("lbcl",), "C85.2", ("CD19", "CD20")),
    "tfl": Disease(
        ("tfl", "transformed follicular lymphoma", "transformed indolent nhl"), ("lbcl",), "", ("CD19", "CD20")
    ),
    "fl": Disease(("fl", "follicular lymphoma"), ("b_nhl",), "C82", ("CD19", "CD20")),
    "mcl": Disease(("mcl", "mantle cell lymphoma"), ("b_nhl",), "C83.1", ("CD19", "CD20")),
    "burkitt": Disease(("burkitt lymphoma",), ("b_nhl",), "C83.7", ("CD19", "CD20")),
    "cll": Disease(
        ("cll", "sll", "chronic lymphocytic leukaemia", "chronic lymphocytic leukemia"), ("b_cell", "leukaemia"),
        "C91.1", ("CD19", "CD20"),
    ),
    "hodgkin": Disease(("hodgkin", "hodgkin lymphoma"), ("haematological",), "C81", ("CD30",)),
    "t_nhl": Disease(("t-cell lymphoma", "t-lymphoma"), ("nhl", "t_cell"), "", ("CD7", "CD5")),
    "t_lbl": Disease(("t-lbl", "t lymphoblastic lymphoma", "t-cell lymphoblastic lymphoma"), ("t_nhl",), "C83.5",
                     ("CD7", "CD5")),
    "ptcl": Disease(("ptcl", "ptcl-nos", "peripheral t-cell lymphoma"), ("t_nhl",), "C84.4", ("CD5",)),
    "nk_t": Disease(("nk/t", "nk/t-cell lymphoma", "enktl"), ("t_nhl",), "C86.0", ("CD7",)),
    "myeloma": Disease(("multiple myeloma", "myeloma"), ("haematological",), "C90.0", ("BCMA", "GPRC5D")),
    "autoimmune": Disease(("autoimmune disease", "autoimmune diseases")),
    "sle": Disease(("sle", "systemic lupus erythematosus", "lupus"), ("autoimmune",), "M32", ("CD19",)),
    "ssc": Disease(("systemic sclerosis", "diffuse cutaneous systemic sclerosis"), ("autoimmune",), "M34", ("CD19",)),
    "imnm": Disease(
        ("imnm", "immune-mediated necrotising myopathy", "immune-mediated necrotizing myopathy"), ("autoimmune",), "",
        ("CD19",),
    ),
}  # fmt: skip
"""Code → what it is. Codes are stored, so none is ever renamed."""
ALL_OF = re.compile(r"\ball\b")
"""The word "all", which is not the disease."""
NOT_BEFORE = re.compile(r"\b(?:no|not|without|excluding|except)\b[^,;.]*$")


@cache
def broader(code: str) -> frozenset[str]:
    """Return a disease and everything it lies within."""
    row = DISEASES.get(code)
    return frozenset({code}.union(*(broader(one) for one in row.within))) if row else frozenset()


def within(code: str, asked: str) -> bool | None:
    """Tell whether a disease is one of those asked for; None = it is known less exactly than it is asked."""
    if asked in broader(code):
        return True
    return None if code in broader(asked) else False


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\s\u2010-\u2015_-]+", " ", folded).strip()


@cache
def _written() -> Sequence[tuple[str, str]]:
    """Every name with its code, the longest first."""
    names = [(_plain(name), code) for code, row in DISEASES.items() for name in row.names]
    return sorted(names, key=lambda one: -len(one[0]))


def disease_in(text: str) -> str:
    """Return the disease that words name; empty where they name none, or several that are not one within another.

    What stands after "not" is not named: "AML (not M3)".
    """
    left, found = _plain(ALL_OF.sub(",", text)), set[str]()
    for name, code in _written():
        place = re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", left) if name in left else None
        if place and not NOT_BEFORE.search(left[: place.start()]):
            found.add(code)
            left = left[: place.start()] + "," * len(name) + left[place.end() :]
    exact = [code for code in found if not any(code in broader(other) and code != other for other in found)]
    return exact[0] if len(exact) == 1 else ""


def expected(code: str) -> frozenset[str]:
    """Return the antigens that cells of a disease mostly carry: a hint what to test for, never a finding."""
    row = DISEASES.get(code)
    own = set(row.antigens) if row else set[str]()
    return frozenset(own.union(*(expected(one) for one in row.within)) if row else own)


def closest(code: str, asked: Iterable[str]) -> bool | None:
    """Tell whether a disease is among several that are asked for; None = that is not known."""
    told = [within(code, one) for one in asked]
    return True if True in told else None if None in told else False
