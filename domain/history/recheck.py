"""Checks automatic events against their rules: each rule once more on the case as it stood, at its instant.

The case is folded forward from what was recorded, so that one event that differs does not make all later ones differ.
Ids are chance: whatever a rule names anew may have the name that was recorded, as long as it has it everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from itertools import count, takewhile
from typing import Any

from domain.case.state import Case
from domain.case.table import Rule
from domain.core.fact import Draft, Fact, Why
from domain.core.personal import NO_KEY, unread
from domain.core.policy import Policy
from domain.core.when import When
from domain.engine.advance import ALWAYS, TABLES, follows
from domain.engine.evolve import fold, follow
from domain.history.replay import NOTED, Facts, computed_for, fresh_name, name_within, turns
from domain.journey import EARLIER, RULES
from domain.stages.anytime.watching import noted

MARK = "again-"
"""Begins every name that a rule gives anew."""


@dataclass(frozen=True, slots=True)
class Known:
    """Holds what to check with: a policy by hash, a source's read model at a version, rules; None = not here."""

    policy: Callable[[str], Policy | None]
    source: Callable[[str, int], Mapping[str, Any] | None]
    rules: Sequence[Rule] = RULES


@dataclass(frozen=True, slots=True)
class Differs:
    """An automatic event that is not what its rule gives; `field` says where, as a path into the event."""

    version: int
    rule: str
    field: str


@dataclass(slots=True)
class Rechecked:
    """Counts the events that were the same and why others could not be checked; names the first that differs."""

    same: int = 0
    unchecked: Counter[str] = field(default_factory=Counter)
    differs: Differs | None = None


Excuse = Callable[[int], str]


def recheck(stream: str, facts: Facts, known: Known, after: int = 0, excuse: Excuse = lambda _: "") -> Rechecked:
    """Check every automatic event of one case above version `after`, up to the first that differs.

    `excuse` says why the event of a version may be another today, empty = it may not: then it counts as unchecked.
    """
    walk = _Walk(stream, known, after, excuse)
    for turn in turns(facts):
        walk.turn(turn)
        if walk.found.differs:
            break
    return walk.found


class _Walk:
    """The case so far, as it was recorded."""

    def __init__(self, stream: str, known: Known, after: int, excuse: Excuse) -> None:
        self.found = Rechecked()
        self._empty = self._case = Case(id=stream)
        self._facts: list[Fact[Any]] = []
        self._known = known
        self._after = after
        self._excuse = excuse
        self._left: Sequence[Draft[Any]] = ()  # what the table before said and nobody recorded
        self._rules = {(rule.name, rule.version): rule for rule in (*EARLIER, *known.rules, *ALWAYS)}

    def turn(self, turn: Facts) -> None:
        """One append, first as the door saw it while it was made, then as it was recorded."""
        now = computed_for(turn)
        checked = turn[-1].version > self._after
        case = self._check([_as_seen(fact, now) for fact in turn], turn) if checked else None
        self._case = case if case and now == turn[0].at else self._follow(self._case, self._facts, turn)
        self._facts += turn

    def _check(self, seen: Facts, turn: Facts) -> Case:
        case, done = self._case, 0
        while done < len(seen) and not self.found.differs:
            fact = turn[done]
            number = 1 if fact.why is None else self._block(case, fact.why, turn[done:])
            case = self._follow(case, [*self._facts, *seen[:done]], seen[done : done + number])
            done += number
        return case

    def _follow(self, case: Case, history: Facts, new: Facts) -> Case:
        if any(fact.corrects for fact in new):
            return fold([*history, *new], self._empty)
        return follow(case, history, new)

    def _block(self, case: Case, why: Why, rest: Facts) -> int:
        """Check what one rule brought at once; answers how many events that was."""
        if rest[0].version <= self._after:
            return 1
        if why.rule == NOTED:
            self._noted(why, rest[0])
            return 1
        rule, policy = self._rules.get((why.rule, why.rule_version)), self._known.policy(why.policy)
        if rule is None or policy is None:
            gone = f"rule {why.rule} {why.rule_version}" if rule is None else f"policy {why.policy[:12]}"
            self.found.unchecked[f"{gone} is not known here"] += 1
            return 1
        numbers = count(1)
        drafts = follows(rule, case, why.computed_for, lambda: fresh_name(MARK, next(numbers)), policy)
        block = list(takewhile(lambda fact: fact.why is not None and _alike(fact.why, why), rest))
        return self._compared(rule, drafts, block)

    def _compared(self, rule: Rule, drafts: Sequence[Draft[Any]], block: Facts) -> int:
        """A rule's events are all there are; to a table rows may have been added, whose events nobody recorded."""
        names: dict[str, str] = {}
        matched, left, exact = 0, list[Draft[Any]](), rule.name not in TABLES
        for draft in drafts:
            if matched < len(block) and not _difference(draft, block[matched], names):
                matched += 1
            else:
                left.append(draft)
                if exact:
                    break
        candidates, self._left = [*left, *self._left], left
        if matched and not (exact and left):
            self.found.same += matched
            return matched
        if matched == len(block):
            self.found.same += matched - 1
            self._differs(block[-1], "one more follows")
            return matched
        self.found.same += matched
        self._differs(block[matched], _nearest(candidates, block[matched]))
        return matched + 1

    def _noted(self, why: Why, fact: Fact[Any]) -> None:
        """What was written down of another history, against that history."""
        event = fact.event
        stream, version = getattr(event, "stream", ""), getattr(event, "source_version", 0)
        state = self._known.source(stream, version)
        if state is None:
            self.found.unchecked["the history it notes is not here"] += 1
            return
        draft = Draft(noted(stream, version, state), fact.id, None, why)
        unknown = unread(draft.event)
        wrong = "" if unknown else _difference(draft, fact, {})
        if unknown:
            why_not = "is sealed with a key that is not here" if unknown is NO_KEY else "was erased"
            self.found.unchecked[f"what it notes {why_not}"] += 1
        elif wrong:
            self._differs(fact, wrong)
        else:
            self.found.same += 1

    def _differs(self, fact: Fact[Any], where: str) -> None:
        assert fact.why is not None
        if excused := self._excuse(fact.version):
            self.found.unchecked[excused] += 1
            return
        self.found.differs = Differs(fact.version, f"{fact.why.rule} {fact.why.rule_version}", where)


def _as_seen(fact: Fact[Any], now: datetime) -> Fact[Any]:
    """As it stood in the turn that made it: of the instant of loading, not yet of that of recording."""
    if fact.at == now:
        return fact
    occurred = When.at(now) if fact.occurred == When.at(fact.at) else fact.occurred
    return Fact(fact.event, fact.id, fact.version, now, occurred, fact.actor, fact.why, fact.corrects, fact.provenance)


def _alike(one: Why, other: Why) -> bool:
    return (one.rule, one.rule_version, one.policy, one.computed_for) == (
        other.rule, other.rule_version, other.policy, other.computed_for)  # fmt: skip


def _nearest(drafts: Sequence[Draft[Any]], fact: Fact[Any]) -> str:
    """Where the event parts from the likeliest of what follows."""
    alike = [_difference(draft, fact, {}) for draft in drafts if draft.event.type == fact.event.type]
    return max(alike, key=_order(fact), default="its rule does not bring it")


def _order(fact: Fact[Any]) -> Callable[[str], int]:
    """Of two candidates the one is likelier that is the same for longer."""
    names = [one.name for one in fields(fact.event)] + ["rests_on", "corrects", "occurred"]
    return lambda path: names.index(path.partition(".")[0].partition("[")[0])


def _difference(draft: Draft[Any], fact: Fact[Any], names: dict[str, str]) -> str:
    """Empty when they are the same; `names` grows by what the draft names anew, only then."""
    tried = dict(names)
    why = fact.why
    assert why is not None
    assert draft.why is not None
    wrong = (
        _parts(draft.event, fact.event, "", tried)
        or _parts(draft.why.rests_on, why.rests_on, "rests_on", tried)
        or ("corrects" if draft.corrects != fact.corrects else "")
        or ("occurred" if (draft.occurred or When.at(fact.at)) != fact.occurred else "")
    )
    if not wrong:
        names |= {**tried, draft.id: fact.id}
    return wrong


def _parts(new: Any, old: Any, at: str, names: dict[str, str]) -> str:  # noqa: ANN401 - any part of an event
    """The path to the first part that differs."""
    if type(new) is type(old) and new == old:
        return ""
    if isinstance(new, str) and MARK in new:
        return "" if isinstance(old, str) and _named(new, old, names) else at
    if type(new) is not type(old):
        return at or "type"
    if is_dataclass(new):
        inner = ((getattr(new, f.name), getattr(old, f.name), f"{at}.{f.name}".lstrip(".")) for f in fields(new))
    elif isinstance(new, tuple):
        if len(new) != len(old):
            return at
        inner = ((a, b, f"{at}[{n}]") for n, (a, b) in enumerate(zip(new, old, strict=True)))
    else:
        return at
    return next((wrong for a, b, path in inner if (wrong := _parts(a, b, path, names))), "")


def _named(new: str, old: str, names: dict[str, str]) -> bool:
    """Whether a text that holds a fresh name is the recorded one, with the recorded name in its place."""
    name = name_within(new, MARK)
    start, _, tail = new.partition(name)
    there = old[len(start) : len(old) - len(tail)]
    same = old.startswith(start) and old.endswith(tail) and bool(there)
    return same and names.setdefault(name, there) == there
