"""Says what the engine keeps beside every phase: what is owed, asked for, corrected, decided and watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.case.effect import Effect
from domain.case.erasure import Erasure
from domain.case.obligation import Obligation

NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Decision:
    """Says what was decided, whom it concerns, and on which facts: id of the first telling → newest telling then."""

    kind: str
    about: str
    rests_on: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody broke the glass: `by` reads the case until `until`; `finding` is what a reviewer made of it."""

    by: str
    until: datetime
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A lot, protocol or centre as this case last noted it."""

    version: int
    state: Mapping[str, Any]
    fact: str


@dataclass(frozen=True)
class Bookkeeping:
    """Holds obligations, effects, corrections, decisions and sources by their ids."""

    undone: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Noted] = field(default_factory=dict)
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    correctable: Mapping[str, Any] = field(default_factory=dict)  # id → a fact as it stands that may be told again
    corrected: Mapping[str, str] = field(default_factory=dict)  # first telling → newest correction of it
    decisions: Mapping[str, Decision] = field(default_factory=dict)  # the newest of each kind about each thing
    reopened: Mapping[str, bool] = field(default_factory=dict)  # decision/correction → whether it was looked at again
    seen: Mapping[str, str] = field(default_factory=dict)  # event type → id of the newest such fact
    erasure: Erasure | None = None
    accesses: Mapping[str, Access] = field(default_factory=dict)

    @property
    def unfinished(self) -> bool:
        """Return whether an effect or an obligation is still open."""
        return any(e.pending for e in self.effects.values()) or any(
            o.state == "open" for o in self.obligations.values()
        )

    def noted(self, stream: str) -> Mapping[str, Any]:
        """Return what the case knows of a lot, protocol or centre."""
        known = self.sources.get(stream)
        return known.state if known else NONE

    def latest(self, kind: str, about: str) -> Obligation | None:
        """Return the newest obligation of that kind about that thing."""
        found = [o for o in self.obligations.values() if o.kind == kind and o.about == about]
        return found[-1] if found else None

    def missed(self, kind: str, about: str) -> bool:
        """Return whether the newest such obligation ended without being met."""
        newest = self.latest(kind, about)
        return newest is not None and newest.state == "missed"
