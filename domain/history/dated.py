"""The second clock: which dated facts hold at an instant, as far as was known. Never a fold, and no rule runs again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.core.fact import Fact
from domain.core.when import When

Standing = Literal["true", "uncertain", "superseded"]
EXPLAINS = "FactCorrected"
"""Says why a fact was told again; nothing of its own happened."""


@dataclass(frozen=True, slots=True)
class DatedFact:
    """A fact as it stands at an instant; `by` is the newer telling that superseded it."""

    fact: Fact[Any]
    standing: Standing
    by: str = ""


def known(facts: Iterable[Fact[Any]], at: datetime) -> Sequence[Fact[Any]]:
    """Return what was recorded up to that instant: the first clock."""
    return [fact for fact in facts if fact.at <= at]


def as_of(facts: Sequence[Fact[Any]], at: datetime) -> Sequence[DatedFact]:
    """List facts people told that had happened, or may have, at that instant; both tellings where one was wrong."""
    dated = [fact for fact in facts if fact.told and fact.event.type != EXPLAINS]
    newest = {fact.corrects: fact for fact in dated if fact.corrects}
    return [one for fact in dated if (one := _standing(fact, newest.get(fact.corrects or fact.id), at))]


def _standing(fact: Fact[Any], newest: Fact[Any] | None, at: datetime) -> DatedFact | None:
    if newest is None or newest is fact:
        certain = happened(fact.occurred, at)
        return None if certain is None else DatedFact(fact, "true" if certain else "uncertain")
    begun = happened(fact.occurred, at) is not None or happened(newest.occurred, at) is not None
    return DatedFact(fact, "superseded", newest.id) if begun else None


def happened(occurred: When, at: datetime) -> bool | None:
    """True: surely by then. False: perhaps. None: certainly not yet."""
    if occurred.earliest is not None and occurred.earliest > at:
        return None
    return occurred.latest is not None and occurred.latest <= at


def standing(facts: Sequence[Fact[Any]]) -> Sequence[Fact[Any]]:
    """Return what people told and nobody has told otherwise since, in the order it was recorded."""
    dated = [fact for fact in facts if fact.told and fact.event.type != EXPLAINS]
    newest = {fact.corrects: fact for fact in dated if fact.corrects}
    return [fact for fact in dated if newest.get(fact.corrects or fact.id, fact) is fact]
