"""Holds what a rule or a person decided (Draft) and what the ledger kept of it (Fact)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from domain.core.when import When

E = TypeVar("E", covariant=True)


class Event(Protocol):
    """An event of any stage or stream, as the ledger names it."""

    @property
    def type(self) -> str: ...


class Command(Protocol):
    """A command of any stage or stream, as whoever sends it names it."""

    @property
    def type(self) -> str: ...


Ids = Callable[[], str]
"""Makes a fresh random id; an argument everywhere, so that a rehearsal can repeat itself."""
ENGINE = "engine"
"""The actor of what nobody told: what the engine records of its own calls, and of time."""


@dataclass(frozen=True, slots=True)
class Why:
    """Tells why an automatic event was recorded: the rule, and the facts it rests on."""

    rule: str
    rule_version: int
    policy: str
    computed_for: datetime
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft(Generic[E]):
    """An event about to be recorded. `occurred` None = at the instant of recording; `corrects` names a fact's id."""

    event: E
    id: str
    occurred: When | None = None
    why: Why | None = None
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class Dated(Generic[E]):
    """An event with a time of its own, where one command tells of things that happened at several times."""

    event: E
    occurred: When


@dataclass(frozen=True, slots=True)
class Fact(Generic[E]):
    """A recorded event as the fold sees it; `at` is the ledger's clock, `version` counts from 1 in its stream."""

    event: E
    id: str
    version: int
    at: datetime
    occurred: When
    actor: str
    why: Why | None = None
    corrects: str | None = None
    provenance: str = field(default="")

    @property
    def told(self) -> bool:
        """Return whether a person or a hospital said it, not a rule or the engine."""
        return self.why is None and not self.actor.startswith(ENGINE)
