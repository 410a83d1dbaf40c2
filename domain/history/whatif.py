"""Computes what would have followed under another policy or other rules, from the same facts people told.

Nothing is asked of the world: commands and outcomes count as they were recorded. What follows by itself is computed at
the instants at which the case was looked at, and gets the ids of what was recorded in its place, so that later facts
still find what they are about. With nothing changed the fork is the recorded history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from itertools import count, groupby
from typing import Any

from domain.case.state import Case
from domain.case.table import Rule
from domain.core.copying import replace
from domain.core.fact import Draft, Event, Fact
from domain.core.policy import Policy
from domain.engine.advance import advance, as_fact
from domain.engine.evolve import follow
from domain.history.replay import Facts, automatic, computed_for, fresh_name, name_within
from domain.journey import RULES

SAME: Mapping[str, tuple[str, ...]] = {
    "ObligationOpened": ("kind", "about"),
    "EffectRequested": ("kind", "about"),
    "ObligationRedated": ("obligation", "reason"),
    "ObligationStepTaken": ("obligation", "step"),
    "ObligationMissed": ("obligation",),
}
"""The fields by which two events are the same one; of all others, every field."""
MARK = "fork-"
"""Begins every name that a rule gives anew."""


@dataclass(frozen=True, slots=True)
class ChangedOutcome:
    """An automatic event that is another in the fork; `before` None = only there, `after` None = not there."""

    before: Fact[Any] | None
    after: Fact[Any] | None


def fork(facts: Facts, policy: Policy, rules: Sequence[Rule] = RULES) -> Facts:
    """Return the history of one case as it would stand."""
    one = _Fork(facts, policy, rules)
    for _, turn in groupby(facts, key=lambda fact: fact.at):  # a look and the command it met are one
        one.turn(list(turn))
    return one.facts


def changed(facts: Facts, other: Facts) -> Sequence[ChangedOutcome]:
    """Return every outcome that differs: what was decided, owed, when it was due, asked for, and the stages entered."""
    there = {fact.id: fact for fact in other}
    here = {fact.id for fact in facts}
    pairs = [ChangedOutcome(fact, there.get(fact.id)) for fact in facts] + [
        ChangedOutcome(None, f) for f in other if f.id not in here
    ]
    return [pair for pair in pairs if not _alike(pair.before, pair.after)]


def _alike(before: Fact[Any] | None, after: Fact[Any] | None) -> bool:
    return before is not None and after is not None and _outcome(before) == _outcome(after)


def _outcome(fact: Fact[Any]) -> tuple[Any, datetime]:
    """What and when, without the policy's hash: the same instants under another policy are the same outcome."""
    event = fact.event
    return replace(event, policy="") if event.type == "ObligationOpened" else event, fact.at


class _Fork:
    """The fork so far: its case, its facts, and what was recorded and is not taken yet."""

    def __init__(self, recorded: Facts, policy: Policy, rules: Sequence[Rule]) -> None:
        self.facts: list[Fact[Any]] = []
        self._case = Case()
        self._policy = policy
        self._rules = rules
        self._free: defaultdict[str, list[tuple[tuple[Any, ...], Fact[Any]]]] = defaultdict(list)
        for fact in recorded:
            if automatic(fact):
                self._free[fact.event.type].append((_key(fact.event), fact))
        self._names: dict[str, str] = {}
        self._numbers = count(1)

    def turn(self, turn: Facts) -> None:
        """One append: what time brought, what was told, and what followed."""
        now = computed_for(turn)
        told = settled = False
        for fact in turn:
            first = fact.why is None and not told
            if not settled and (automatic(fact) or first):
                self._advance(now, fact.at)
                settled = True
            if not automatic(fact):
                told |= fact.why is None
                self._add([replace(fact, version=self._case.version + 1)])
                settled = False
        if not settled:
            self._advance(now, turn[0].at)

    def _advance(self, now: datetime, at: datetime) -> None:
        for draft in advance(self._case, now, self._id, self._policy, self._rules):
            self._add([self._fact(draft, at)])

    def _id(self) -> str:
        return fresh_name(MARK, next(self._numbers))

    def _fact(self, draft: Draft[Event], at: datetime) -> Fact[Any]:
        """The draft as a fact, under the names of what was recorded in its place."""
        meant = _renamed(draft, self._names)
        known = self._recorded(meant.event)
        if known is not None:
            self._names |= {draft.id: known.id, **_named(draft.event, known.event)}
            meant = _renamed(draft, self._names)
        fact = as_fact(meant, self._case.version + 1, at)
        return replace(fact, actor=known.actor, provenance=known.provenance) if known else fact

    def _recorded(self, event: Event) -> Fact[Any] | None:
        """Take the first that says the same and is not taken yet."""
        key, free = _key(event), self._free[event.type]
        place = next((n for n, (there, _) in enumerate(free) if there == key), None)
        return None if place is None else free.pop(place)[1]

    def _add(self, new: Facts) -> None:
        self._case = follow(self._case, self.facts, new)
        self.facts += new


def _key(event: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any event
    names = SAME.get(event.type) or [f.name for f in fields(event)]
    return tuple(getattr(event, name) for name in names)


def _named(new: Any, known: Any) -> dict[str, str]:  # noqa: ANN401 - two events of one type
    """What the event gives a name of its own."""
    name = {"ObligationOpened": "obligation", "EffectRequested": "effect"}.get(new.type)
    return {getattr(new, name): getattr(known, name)} if name else {}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of an event
    """The same with every name of the fork replaced that stands for a recorded one."""
    if isinstance(value, str):
        return _text(value, names)
    if isinstance(value, tuple):
        return tuple(_renamed(one, names) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: getattr(value, f.name) for f in fields(value)}
        other = {name: _renamed(part, names) for name, part in parts.items()}
        return replace(value, **{n: part for n, part in other.items() if part is not parts[n]})
    return value


def _text(text: str, names: Mapping[str, str]) -> str:
    name = name_within(text, MARK)
    return text.replace(name, names[name]) if name in names else text


def with_versions(rules: Iterable[Rule], wanted: Mapping[str, int]) -> Sequence[Rule]:
    """Return the rules with these versions in place of their newest. Raises LookupError, naming what there is not."""
    every = list(rules)
    for name, version in wanted.items():
        there = sorted(rule.version for rule in every if rule.name == name)
        if version not in there:
            raise LookupError(f"no rule {name} version {version}; there is {there or 'no such rule'}")
    newest = {rule.name: rule for rule in sorted(every, key=lambda rule: rule.version)}
    chosen = {name: next(r for r in every if (r.name, r.version) == (name, v)) for name, v in wanted.items()}
    return [chosen.get(rule.name, rule) for rule in every if newest[rule.name] is rule]
