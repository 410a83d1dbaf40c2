"""Checks one protocol at one centre for one patient: a row for each thing that speaks for it or against it.

What is not known is neither for nor against [criteria.matching].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Literal

from domain.criteria.criterion import Criterion
from domain.criteria.diseases import closest, disease_in, expected
from domain.criteria.observation import Observation

Result = Literal["yes", "no", "unknown", "no_matter"]
Name = Literal[
    "protocol", "centre", "international", "paediatric", "diagnosis", "antigen", "own_cells", "criteria",
    "urgency", "transplant", "language", "hospital_class", "approval",
]  # fmt: skip
Door = Literal["open", "shut", "not_known"]
PREFERRED: frozenset[Name] = frozenset({"urgency", "transplant", "language"})
"""What is only preferred: it orders, and excludes nothing."""
ADULT_MONTHS = 18 * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One protocol at one centre as the catalogue has it; None = it does not say.

    `wanted_class`: the class of hospital that the law of the protocol's route asks for, empty = none. `product_code`:
    what lots of it are called. `depletion_days`: by its variants, how many days before the infusion lymphodepletion
    begins, least and most. `approvals`: what the country's regulator said last of each indication, of a product that is
    come by as approved; None = nobody comes to it that way.
    """

    protocol: str
    centre: str
    product: str
    targets: tuple[str, ...]
    diseases: tuple[str, ...]
    criteria: tuple[Criterion, ...] = ()
    door: Door = "not_known"
    takes_patients: bool = True
    accepts_from_abroad: bool | None = None
    country: str = ""
    capabilities: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    wanted_class: str = ""
    hospital_class: str | None = None
    product_code: str = ""
    depletion_days: tuple[int, int] | None = None
    approvals: tuple[tuple[str, bool], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Holds what counts of a patient. `own_cells`: why the patient's own cells are no way; empty = nothing says so.

    `directed`: antigen → the newest day of a therapy directed against it, None = of an unknown day.
    """

    country: str
    language: str = ""
    disease: str = ""
    urgent: bool = False
    own_cells: tuple[str, ...] = ()
    directed: Mapping[str, date | None] = field(default_factory=dict)
    facts: Sequence[Observation] = ()
    read: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MatchCheck:
    """Says how one thing stands: `about` are the codes it is about, such as criteria not met or languages."""

    name: Name
    result: Result
    about: tuple[str, ...] = ()


Said = tuple[Result, tuple[str, ...]]


def _protocol(_: Patient, offer: Offer) -> Said:
    results: Mapping[Door, Result] = {"open": "yes", "shut": "no", "not_known": "unknown"}
    return results[offer.door], ()


def _centre(_: Patient, offer: Offer) -> Said:
    return _known(offer.takes_patients), ()


def _international(patient: Patient, offer: Offer) -> Said:
    if offer.country and offer.country == patient.country:
        return "no_matter", ()
    return _known(offer.accepts_from_abroad), ()


def _paediatric(patient: Patient, offer: Offer) -> Said:
    age = next((one for one in patient.facts if one.analyte == "age"), None)
    if "paediatric" in offer.capabilities:
        return "yes" if age is None or age.low is None or age.low < ADULT_MONTHS else "no_matter", ()
    if age is None or age.low is None or age.high is None:
        return "unknown", ("age",)
    if age.low >= ADULT_MONTHS:
        return "no_matter", ()
    return "no" if age.high < ADULT_MONTHS else "unknown", ("age",)


def _diagnosis(patient: Patient, offer: Offer) -> Said:
    """Whether the disease is one that the protocol names; what it names in words of no code leaves a no open."""
    asked = [_code(words) for words in offer.diseases]
    if not patient.disease:
        return "unknown", ("disease",)
    told = closest(patient.disease, [code for code in asked if code])
    if told is False and "" in asked:
        return "unknown", tuple(words for words, code in zip(offer.diseases, asked, strict=True) if not code)
    return _known(told), (patient.disease,)


@lru_cache(maxsize=8192)
def _code(words: str) -> str:
    """The disease that a protocol's words name, read once: protocols are asked for every case."""
    return disease_in(words)


def _antigen(patient: Patient, offer: Offer) -> Said:
    """Whether one of the antigens is carried; all of them not carried is a no. The table is a hint, and no finding."""
    told = {target: _carried(patient, target) for target in offer.targets}
    if not told:
        return "no_matter", ()
    if carried := tuple(target for target, one in told.items() if one == "yes"):
        return "yes", carried
    if set(told.values()) == {"no"}:
        return "no", tuple(told)
    hint = expected(patient.disease)
    left = [target for target, one in told.items() if one == "unknown"]
    return "unknown", tuple(f"{target}:expected" if target in hint else target for target in left)


def _carried(patient: Patient, target: str) -> Result:
    """By the newest day of each method; a test from before a therapy directed against it no longer counts."""
    facts = [f for f in patient.facts if f.target == target and f.analyte in ("antigen", "antigen_percentage")]
    if target in patient.directed:
        since = patient.directed[target]
        facts = [f for f in facts if since and f.day and f.day > since]
    newest: dict[tuple[str, str], list[Observation]] = {}
    for fact in sorted(facts, key=lambda one: one.day or date.min):
        group = newest.setdefault((fact.analyte, fact.method), [])
        if group and group[0].day != fact.day:
            group.clear()
        group.append(fact)
    said = {_says(fact) for group in newest.values() for fact in group}
    return said.pop() if len(said) == 1 else "unknown"


def _says(fact: Observation) -> Result:
    if fact.analyte == "antigen_percentage":
        return "no" if fact.high == 0 else "yes"
    return {"positive": "yes", "negative": "no"}.get(fact.code, "unknown")  # type: ignore[return-value] # of the three


def _own_cells(patient: Patient, offer: Offer) -> Said:
    """The patient's own cells are no way where they failed, were not made, or would come too late."""
    if offer.product == "not_said":
        return ("unknown" if patient.own_cells else "no_matter"), patient.own_cells
    if not patient.own_cells:
        return _harvest(patient, offer)
    return ("no" if offer.product == "autologous" else "yes"), patient.own_cells


def _harvest(patient: Patient, offer: Offer) -> Said:
    """Of a T-cell disease own cells may hold cells of the disease: a question [criteria.t-cell-harvest]."""
    asked = offer.product == "autologous" and bool(patient.disease) and closest(patient.disease, ["t_cell"]) is True
    return ("unknown", ("harvest",)) if asked else ("no_matter", ())


def _urgency(patient: Patient, offer: Offer) -> Said:
    """An urgent case waits for no manufacturing of its own."""
    if not patient.urgent or offer.product == "not_said":
        return ("unknown" if patient.urgent else "no_matter"), ()
    return ("no" if offer.product == "autologous" else "yes"), ()


def _transplant(patient: Patient, offer: Offer) -> Said:
    """Whether a transplant can follow at the same place, as after most products against T-cell disease."""
    wanted = closest(patient.disease, ["t_cell"]) if patient.disease else None
    return ("no_matter" if wanted is False else _known("transplant" in offer.capabilities)), ()


def _hospital_class(_: Patient, offer: Offer) -> Said:
    """The class of the hospital, where the law of the route asks for one [countries.cn-class]."""
    if not offer.wanted_class:
        return "no_matter", ()
    told = offer.hospital_class
    return _known(None if told is None else told == offer.wanted_class), (offer.wanted_class,)


def _approval(patient: Patient, offer: Offer) -> Said:
    """Whether the regulator approved it for the disease; words of no code leave it open [catalogue.approved]."""
    if offer.approvals is None:
        return "no_matter", ()
    granted = [words for words, in_force in offer.approvals if in_force]
    if not granted:
        return ("no", ("not_in_force",)) if offer.approvals else ("unknown", ("approval",))
    codes = [_code(words) for words in granted]
    told = closest(patient.disease, [code for code in codes if code]) if patient.disease else None
    return _known(None if told is False and "" in codes else told), tuple(granted)


def _language(patient: Patient, offer: Offer) -> Said:
    spoken = {one.split("-")[0] for one in offer.languages}
    language = patient.language.split("-")[0]
    return ("unknown" if not language or not spoken else _known(language in spoken)), ((language,) if language else ())


def _known(told: bool | None) -> Result:
    return "unknown" if told is None else "yes" if told else "no"


CHECKS: Mapping[Name, Callable[[Patient, Offer], Said]] = {
    "protocol": _protocol,
    "centre": _centre,
    "international": _international,
    "paediatric": _paediatric,
    "diagnosis": _diagnosis,
    "antigen": _antigen,
    "own_cells": _own_cells,
    "urgency": _urgency,
    "transplant": _transplant,
    "language": _language,
    "hospital_class": _hospital_class,
    "approval": _approval,
}


FIELDS: Mapping[Name, tuple[str, ...]] = {
    "protocol": ("door",),
    "centre": ("takes_patients",),
    "international": (
        "country",
        "accepts_from_abroad",
    ),
    "paediatric": ("capabilities",),
    "diagnosis": ("diseases",),
    "antigen": ("targets",),
    "own_cells": ("product",),
    "urgency": ("product",),
    "transplant": ("capabilities",),
    "language": ("languages",),
    "hospital_class": (
        "wanted_class",
        "hospital_class",
    ),
    "approval": ("approvals",),
}
"""What of an offer each check rests on: where that is alike, it is worked out once for a patient."""
RESTS_ON: Mapping[Name, Callable[[Offer], object]] = {name: attrgetter(*names) for name, names in FIELDS.items()}
ASKED: Callable[[Offer], object] = attrgetter(*sorted({name for names in FIELDS.values() for name in names}))
"""All of that: offers that are alike in it have the same checks but for their criteria."""
