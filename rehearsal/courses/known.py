"""Finds the protocol a course was treated under: by its number, else by a product's own name and its target."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.catalogue.centre import RegisterCentre
from domain.catalogue.protocol import RegisterProtocol
from rehearsal.courses.published.courses import Course
from rehearsal.world import catalogue_data

SHORTEST_NAME = 4
NUMBER = re.compile(r"(NCT|ISRCTN|ChiCTR|CTR|EudraCT )[-0-9A-Za-z]+")
COMMON = re.compile(
    r"(donor|autologous|allogeneic|universal)?-?car-?(t|nk)|cd[0-9]+(-car-t)?|.*(sct|bmt|transplant(ation)?)",
    re.IGNORECASE,
)
"""Kinds of product, targets and procedures: many trials say them."""
TARGET = re.compile(r"(?<![A-Za-z0-9])(CD[0-9]+|BCMA|GPRC5D)(?![A-Za-z0-9])", re.IGNORECASE)
AGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(y|m|w|d)?", re.IGNORECASE)
PER_YEAR = {"y": 1.0, "m": 12.0, "w": 52.2, "d": 365.25}


@dataclass(frozen=True, slots=True)
class KnownProtocol:
    """A protocol of the catalogue. `names` are its numbers and what its product is called, `ages` in years."""

    stream: str
    command: RegisterProtocol
    names: tuple[str, ...]
    ages: tuple[float, float] = (0.0, 200.0)
    status: str = ""


@dataclass(frozen=True, slots=True)
class Catalogued:
    """Holds what the catalogue brings: its protocols, and its centres by stream."""

    protocols: Sequence[KnownProtocol] = ()
    centres: Mapping[str, RegisterCentre] = field(default_factory=dict)


def catalogued() -> Catalogued:
    """Return the catalogue that comes with Caravel."""
    rows = {row["stream"]: row for row in json.loads(catalogue_data.PROTOCOLS.read_text(encoding="utf-8"))["protocols"]}
    known = [
        KnownProtocol(
            stream, command, tuple(_names(rows[stream])), _ages(rows[stream]), str(rows[stream].get("status") or "")
        )
        for stream, command in catalogue_data.protocols().items()
    ]
    return Catalogued(known, catalogue_data.centres())


def own_protocol(course: Course, known: Sequence[KnownProtocol]) -> tuple[KnownProtocol, str] | None:
    """Find the protocol the publication names, and by which name; its ages and target must fit the patient."""
    more = [value for value in course.more.values() if isinstance(value, str)]
    told = " | ".join((course.publication, *course.sources, course.product, *more))
    fitting = [p for p in known if _may_have_been(course.age, p.ages) and _same_target(course.product, p)]
    for wanted in (_is_number, _is_product):
        for protocol in fitting:
            for name in filter(wanted, protocol.names):
                if _named_in(name, told):
                    return protocol, name
    return None


def years(age: str) -> float | None:
    """Return an age as sources write it, in years; None where it is no number."""
    found = AGE.match(age.strip())
    return float(found[1]) / PER_YEAR[(found[2] or "y").casefold()] if found else None


def _may_have_been(age: str, ages: tuple[float, float]) -> bool:
    known = years(age)
    return known is None or ages[0] <= known <= ages[1]


def _same_target(product: str, protocol: KnownProtocol) -> bool:
    aimed_at = {target.upper() for target in TARGET.findall(product)}
    return not aimed_at or not aimed_at.isdisjoint(target.upper() for target in protocol.command.targets)


def _ages(row: Mapping[str, Any]) -> tuple[float, float]:
    told = row.get("age")
    if not isinstance(told, Mapping) or told.get("unit") != "y":
        return 0.0, 200.0
    return float(told.get("min") or 0), float(told.get("max") or told.get("max_exclusive") or 200)


def _names(row: Mapping[str, Any]) -> Iterable[str]:
    yield from (name for name in (row.get("registry"), *(row.get("other_ids") or ())) if isinstance(name, str))
    product = str(row.get("product") or "")
    yield from (part.strip() for part in re.split(r"[()/,+]", product) if part.strip())


def _is_number(name: str) -> bool:
    return NUMBER.fullmatch(name) is not None


def _is_product(name: str) -> bool:
    """A name of its own, such as UCART19 or cema-cel; what merely describes a product names no trial."""
    telling = re.search(r"[0-9]|-", name) is not None and " " not in name and len(name) >= SHORTEST_NAME
    return telling and not _is_number(name) and COMMON.fullmatch(name) is None


def _named_in(name: str, text: str) -> bool:
    return re.search(rf"(?<![0-9A-Za-z-]){re.escape(name)}(?![0-9A-Za-z])", text, re.IGNORECASE) is not None
