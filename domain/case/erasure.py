"""Says how the forgetting of a person stands in the case; stages/anytime/erasing.py says what leads there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ErasedClass = Literal["identity", "clinical"]
"""What can be forgotten; the `trace` class is kept by law."""
Ground = Literal["no_longer_needed", "consent_withdrawn", "objection", "unlawful", "legal_obligation"]
"""Regulation (EU) 2016/679 art. 17 (1) a to e."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Holds what the key service remembers of an erasure, for a ledger put back to before it; opaque ids and codes."""

    order: str
    classes: tuple[ErasedClass, ...]
    reason: Ground
    ordered_by: str
    confirmed_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """The newest order. It stands until confirmed, withdrawn or lapsed at `until`; `before` was erased earlier.

    `first` is the order with which the person's request came in: one that lapsed unanswered is only given anew.
    """

    order: str
    reason: Ground
    classes: tuple[ErasedClass, ...]
    stops: str
    by: str
    until: datetime
    before: frozenset[str] = frozenset()
    confirmed_by: str = ""
    withdrawn: bool = False
    done: bool = False
    first: str = ""

    @property
    def erased(self) -> frozenset[str]:
        """Return the classes whose keys are destroyed."""
        return self.before.union(self.classes if self.done else ())

    @property
    def going(self) -> frozenset[str]:
        """Return the classes that are erased, or confirmed to be."""
        return self.before.union(self.classes if self.confirmed_by else ())

    @property
    def unanswered(self) -> bool:
        """Return whether nobody has confirmed or withdrawn it, lapsed or not."""
        return not (self.confirmed_by or self.withdrawn or self.done)

    def stands(self, now: datetime) -> bool:
        """Return whether it still waits to be confirmed."""
        return self.unanswered and now < self.until

    def waits(self, now: datetime) -> bool:
        """Return whether something of it is still to come."""
        return self.stands(now) or bool(self.confirmed_by and not self.done)
