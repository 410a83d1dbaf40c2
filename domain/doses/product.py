"""A product as quality assurance knows it: what a lot of it is tested for before release [doses.release-tests].

One stream for each product, named by its code, so that a lot finds it and nobody registers one twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from math import isfinite
from typing import Any, Literal

from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.roles import Action
from domain.doses import codes
from domain.law import clinical_holds
from domain.law.clinical_holds import ClinicalHold


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One test of a specification: a number from `least` to `most` in `unit`, or the word that is `expected`.

    `late`: its result may come after the release, as sterility does; out of specification it stops the lot then.
    """

    test: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    expected: str = ""
    late: bool = False

    def holds(self, value: float | None, word: str) -> bool:
        """Return whether a result lies within."""
        if self.expected:
            return codes.same(word, self.expected)
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def limit_of(row: Mapping[str, Any]) -> Limit:
    """Read a limit back from the JSON of a read model."""
    return Limit(**row)


@dataclass(frozen=True, slots=True)
class RegisterProduct:
    """A product exists; `code` is what its lots and protocols call it."""

    code: str
    name: str = ""
    type: Literal["RegisterProduct"] = "RegisterProduct"


@dataclass(frozen=True, slots=True)
class SpecifyTests:
    """State what every lot is tested for, as `source` says; the whole list each time.

    Results are judged by the list that holds when they are recorded; what was out of specification then stays so.
    """

    tests: tuple[Limit, ...]
    source: str
    type: Literal["SpecifyTests"] = "SpecifyTests"


Command = RegisterProduct | SpecifyTests | clinical_holds.Command
BY = {RegisterProduct: Action.REGISTER_LOT, SpecifyTests: Action.RELEASE_LOT, **clinical_holds.BY}
"""Whoever releases lots says what they are tested for."""


@dataclass(frozen=True, slots=True)
class ProductRegistered:
    """A product exists."""

    code: str
    name: str
    type: Literal["ProductRegistered"] = "ProductRegistered"


@dataclass(frozen=True, slots=True)
class SpecificationStated:
    """Every lot is tested for this before it is released."""

    tests: tuple[Limit, ...]
    source: str
    type: Literal["SpecificationStated"] = "SpecificationStated"


Event = ProductRegistered | SpecificationStated | clinical_holds.Event


@dataclass(frozen=True, slots=True)
class Product:
    """One product as folded from its facts."""

    version: int = 0
    code: str = ""
    name: str = ""
    tests: tuple[Limit, ...] = ()
    source: str = ""
    holds: tuple[ClinicalHold, ...] = ()


initial = Product()


def stream_of(code: str) -> str:
    """Return the stream of a product, the same however its code is written."""
    return f"product-{sha256(codes.folded(code).encode()).hexdigest()[:32]}"


def decide(product: Product, command: Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """Decide a command on a product: return the events it brings about. Raises Refused."""
    if isinstance(command, RegisterProduct):
        require(not product.code, Reason.ALREADY, "a product of this code is registered", "code")
        require(codes.folded(command.code), Reason.INVALID, "a product has a code", "code")
        return [ProductRegistered(command.code, command.name)]
    require(product.code, Reason.NOT_FOUND, "no such product; register it first (RegisterProduct)")
    if isinstance(command, SpecifyTests):
        return [_specified(command)]
    return [clinical_holds.decide(product.holds, command, now)]


def _specified(c: SpecifyTests) -> SpecificationStated:
    require(c.source.strip(), Reason.INVALID, "say which document the specification is from", "source")
    names = [codes.folded(one.test) for one in c.tests]
    require(names and all(names), Reason.INVALID, "a specification has at least one test, each with a name", "tests")
    twice = next((one.test for n, one in enumerate(c.tests) if names[n] in names[:n]), None)
    require(twice is None, Reason.INVALID, f"this test stands twice: {twice}", "tests")
    for one in c.tests:
        _require_limit(one)
    return SpecificationStated(c.tests, c.source)


def _require_limit(one: Limit) -> None:
    bounds = [bound for bound in (one.least, one.most) if bound is not None]
    either = bool(bounds) != bool(one.expected)
    require(either, Reason.INVALID, f"{one.test}: give least, most or both, or the expected word", "tests")
    require(all(isfinite(bound) for bound in bounds), Reason.INVALID, f"{one.test}: a limit is a number", "tests")
    require(bounds == sorted(bounds), Reason.INVALID, f"{one.test}: least is not above most", "tests")
    require(not bounds or one.unit, Reason.INVALID, f"{one.test}: a number has a unit, 1 where it has none", "tests")


def evolve(product: Product, fact: Fact[Event]) -> Product:
    """Fold one fact of a product."""
    event = fact.event
    match event:
        case ProductRegistered():
            after = replace(product, code=event.code, name=event.name)
        case SpecificationStated():
            after = replace(product, tests=event.tests, source=event.source)
        case _:
            after = replace(product, holds=clinical_holds.evolve(product.holds, event))
    return replace(after, version=fact.version)


def read_model(product: Product) -> Mapping[str, Any]:
    """Return what its lots are judged by, and the clinical holds that stand: lots and cases stand still by them."""
    judged = {"code": product.code, "name": product.name, "tests": product.tests, "source": product.source}
    return {**judged, **clinical_holds.noted_of(product.holds)}
