"""Tells which disease of ours a condition names, by its words and codes; most conditions name none [criteria.ips]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.criteria.diseases import DISEASES, broader, disease_in

OF_SNOMED: Mapping[str, str] = {"277571004": "b_all", "109989006": "myeloma"}
"""SNOMED CT code → disease, as far as public sources show it."""


def of_icd10(code: str) -> str:
    """Return the disease that an ICD-10 code names, as exactly as the code does; empty = none that is known here."""
    plain = code.strip().upper()
    rows = [(row.icd10, name) for name, row in DISEASES.items() if row.icd10 and plain.startswith(row.icd10)]
    longest = max((len(icd10) for icd10, _ in rows), default=0)
    named = [name for icd10, name in rows if len(icd10) == longest]
    widest = [name for name in named if all(name in broader(other) for other in named)]
    return widest[0] if len(widest) == 1 else ""


def disease_named(words: str, icd10: Iterable[str] = (), snomed: Iterable[str] = ()) -> str:
    """Return the disease that words and codes name together, the most exact one; empty where they contradict."""
    told = {disease_in(words), *map(of_icd10, icd10), *(OF_SNOMED.get(one, "") for one in snomed)} - {""}
    exact = [code for code in told if not any(code in broader(other) and code != other for other in told)]
    return exact[0] if len(exact) == 1 else ""
