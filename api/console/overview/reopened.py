"""Shows each decision that is open again: what was decided, what it rested on then and what stands now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from api.console.actions import Act
from api.console.text.fact_text import FactText, FactWriter
from domain.case.state import Case
from domain.core.about import About
from domain.core.fact import Fact
from domain.journey import TAKES
from domain.stages.anytime.reconsidering import DecisionReopened, open_again

DECIDED_BY: Mapping[str, Collection[str]] = {
    kind: frozenset(row.command.__name__ for row in TAKES.values() if kind in {e.__name__ for e in row.records})
    for kind in {e.__name__ for row in TAKES.values() for e in row.records}
}
"""Event type → the commands that record one: a decision is taken anew by what took it."""


@dataclass(frozen=True, slots=True)
class ChangedGround:
    """One ground of a decision, as it was when that was taken and as it stands; `before` is None where it was lost."""

    before: FactText | None
    after: FactText


@dataclass(frozen=True, slots=True)
class Reopened:
    """One decision; `again` are the links by which it is taken anew, where that can be done now."""

    decision: str
    decided: FactText
    changes: Sequence[ChangedGround]
    again: Sequence[Act]


def reopened(case: Case, facts: Sequence[Fact[Any]], speaker: FactWriter, acts: Sequence[Act]) -> Sequence[Reopened]:
    """List the decisions that wait to be looked at again, in the order they were reopened in."""
    known = {fact.id: fact for fact in facts}
    keys = sorted(open_again(case), key=lambda key: known[About.of(key).round].version)
    grouped = groupby(sorted(keys, key=lambda key: About.of(key).id), key=lambda key: About.of(key).id)
    return [_one(decision, list(of), known, speaker, acts) for decision, of in grouped if decision in known]


def _one(
    decision: str, keys: Sequence[str], known: Mapping[str, Fact[Any]], speaker: FactWriter, acts: Sequence[Act]
) -> Reopened:
    taken = known[decision]
    newest = {About.of(key).round for key in keys}
    told = [f.event for f in known.values() if isinstance(f.event, DecisionReopened) and f.event.decision == decision]
    rests_on = speaker.case.decisions[decision].rests_on
    changes = [
        ChangedGround(
            speaker.fact(before) if (before := known.get(rests_on.get(event.fact) or event.fact)) else None,
            speaker.fact(known[event.correction]),
        )
        for event in told
        if event.correction in newest
    ]
    again = [act for act in acts if act.name in DECIDED_BY.get(taken.event.type, ())]
    return Reopened(decision, speaker.fact(taken), changes, again)
