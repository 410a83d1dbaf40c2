"""Holds a protocol's criteria against what was observed: a finding each, and what would settle it. Never an answer.

Three values, strictly: a missing value is never taken for normal or for absent. Of several results the newest day
counts; results of one day on both sides of a threshold conflict [criteria.three-valued].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Literal

from domain.criteria.analytes import ANALYTES, ULN, ucum
from domain.criteria.criterion import Comparison, Criterion, Kind
from domain.criteria.observation import Observation, canonical, number

Result = Literal["met", "not_met", "unknown", "stale", "conflicting", "not_applicable"]
Lacks = Literal[
    "nothing_observed", "no_upper_limit", "no_date", "too_old", "two_results", "range_only", "not_in_source"
]
OPEN: Sequence[Result] = ("conflicting", "stale", "unknown")
"""Results that are neither yes nor no, the most telling first."""
TURNED: Mapping[Result, Result] = {"met": "not_met", "not_met": "met"}
OPS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
YEAR = Decimal(12)


class _Key:
    """What is asked for: analyte, antigen, methods, and how many days old it may be. Made by `_key`, one for each."""

    __slots__ = ("analyte", "methods", "target", "within")

    def __init__(self, analyte: str, target: str, methods: tuple[str, ...], within: int | None) -> None:
        self.analyte = analyte
        self.target = target
        self.methods = methods
        self.within = within


_key_of = lru_cache(maxsize=65536)(_Key)


@dataclass(frozen=True, slots=True)
class Gap:
    """Says what would settle a criterion: what to obtain, by which methods, and what is wrong with what is there."""

    lacks: Lacks
    analyte: str = ""
    target: str = ""
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Says how one criterion stands, the observations it rests on, and what would settle it while it is open."""

    criterion: str
    kind: Kind
    result: Result
    rests_on: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """Holds what one test, way or criterion comes to."""

    result: Result
    rests_on: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Facts:
    """Observations that count at an instant, by analyte and antigen; what is picked of them is picked once.

    Many protocols ask for the same: the newest day, the methods that count and what is too old are the same for all.
    """

    __slots__ = ("_picked", "by_what", "now")

    def __init__(self, by_what: Mapping[tuple[str, str], Sequence[Observation]], now: datetime) -> None:
        self.by_what = by_what
        self.now = now
        self._picked: dict[_Key, _Seen | Sequence[Observation]] = {}

    def picked(self, key: _Key) -> _Seen | Sequence[Observation]:
        """Return the observations that count for what is asked, or why there are none."""
        found = self._picked.get(key)
        if found is None:
            found = self._picked[key] = _picked(key, self.by_what.get((key.analyte, key.target), ()), self.now)
        return found

    def exact(self, key: _Key) -> Decimal | None:
        """Return the one value that all that counts agrees on; None = there is none, or more than one, or a range."""
        found = self.picked(key)
        values = set() if isinstance(found, _Seen) else {end for fact in found for end in (fact.low, fact.high)}
        return values.pop() if len(values) == 1 else None


def screen(criteria: Iterable[Criterion], facts: Sequence[Observation], now: datetime) -> Sequence[Finding]:
    """Return the finding of each criterion, in their order. Facts of after `now` count for nothing."""
    return screen_by(criteria, by_what(facts, now))


def by_what(facts: Sequence[Observation], now: datetime) -> Facts:
    """Return what counts at an instant by analyte and antigen: made once where many protocols are asked."""
    found: dict[tuple[str, str], list[Observation]] = {}
    for fact in facts:
        if fact.taken.earliest is None or fact.taken.earliest <= now:
            found.setdefault((fact.analyte, fact.target), []).append(fact)
    return Facts(found, now)


def screen_by(criteria: Iterable[Criterion], facts: Facts) -> Sequence[Finding]:
    """Return the finding of each criterion by facts of `by_what`."""
    return [_found(criterion, facts) for criterion in criteria]


class Questions:
    """Holds criteria of many protocols to ask of every case: numbers converted once, what asks the same asked once."""

    __slots__ = ("_others", "_places", "_plain")

    def __init__(self) -> None:
        self._places: dict[object, int] = {}
        self._plain: dict[_Key, list[tuple[int, Criterion, _Plain]]] = {}
        self._others: list[tuple[int, Criterion]] = []

    def place(self, criterion: Criterion) -> int:
        """Return where the result of a criterion stands in `results`; the same for criteria that ask the same."""
        asks = criterion.kind, criterion.ways, criterion.only_if, criterion.within_days
        if asks not in self._places:
            place = self._places[asks] = len(self._places)
            if plain := _plain(criterion):
                self._plain.setdefault(plain.key, []).append((place, criterion, plain))
            else:
                self._others.append((place, criterion))
        return self._places[asks]

    def results(self, facts: Facts) -> Sequence[Result]:
        """Return each result as `screen_by` finds it, by place, without what it rests on and lacks."""
        found: list[Result] = ["unknown"] * len(self._places)
        left = list(self._others)
        for key, alike in self._plain.items():
            value = facts.exact(key)
            if value is None:
                left += [(place, criterion) for place, criterion, _ in alike]
                continue
            for place, _, plain in alike:
                found[place] = plain.holds if plain.op(value, plain.threshold) else plain.fails
        for place, criterion in left:
            found[place] = _found(criterion, facts).result
        return found


@dataclass(frozen=True, slots=True)
class _Plain:
    """Holds a criterion of one comparison with a number, worked out once: a protocol is asked for every case."""

    key: _Key
    op: Callable[[Decimal, Decimal], bool]
    threshold: Decimal
    holds: Result
    fails: Result


def _plain(criterion: Criterion) -> _Plain | None:
    """The plan of a criterion; None where it asks for more than one comparison with a number."""
    if criterion.only_if or len(criterion.ways) != 1 or len(criterion.ways[0]) != 1:
        return None
    [[test]] = criterion.ways
    years = test.analyte == "age" and ucum(test.unit) == "a"
    if test.codes or test.unsupported or years or ucum(test.unit) == ULN or ANALYTES[test.analyte].lapse:
        return None
    results: tuple[Result, Result] = ("met", "not_met")
    holds, fails = reversed(results) if criterion.kind == "exclusion" else results
    asked = _asked(test.analyte, test.value, test.unit)
    return _Plain(_key(test, criterion.within_days), OPS[test.op], asked, holds, fails)


def _key(test: Comparison, within: int | None) -> _Key:
    row = ANALYTES[test.analyte]
    return _key_of(test.analyte, test.target, test.methods, None if row.lapse or row.lasting else within)


def next_steps(findings: Iterable[Finding]) -> Sequence[tuple[Gap, int]]:
    """Return what to obtain, what settles most criteria first, with how many it may settle."""
    return Counter(gap for one in findings for gap in one.gaps if gap.analyte).most_common()


def _found(criterion: Criterion, facts: Facts) -> Finding:
    def tested(test: Comparison) -> _Seen:
        picked = facts.picked(_key(test, criterion.within_days))
        return picked if isinstance(picked, _Seen) else _agreed(test, picked, facts.now)

    asked = _all(map(tested, criterion.only_if))
    if asked.result == "not_met":
        return Finding(criterion.id, criterion.kind, "not_applicable", asked.rests_on)
    seen = _any(_all(map(tested, way)) for way in criterion.ways) if criterion.ways else NOT_STATED
    if criterion.kind == "exclusion":
        seen = replace(seen, result=TURNED.get(seen.result, seen.result))
    if asked.result == "met":
        seen = replace(seen, rests_on=_joined(asked.rests_on, seen.rests_on))
    elif seen.result != "met":  # not known whether it is asked, and not met if it were
        seen = replace(asked, rests_on=_joined(asked.rests_on, seen.rests_on), gaps=_joined(asked.gaps, seen.gaps))
    return Finding(criterion.id, criterion.kind, seen.result, seen.rests_on, seen.gaps)


NOT_STATED = _Seen("unknown", gaps=(Gap("not_in_source"),))


def _all(seen: Iterable[_Seen]) -> _Seen:
    return _combined(seen, "not_met", "met")


def _any(seen: Iterable[_Seen]) -> _Seen:
    return _combined(seen, "met", "not_met")


def _combined(seen: Iterable[_Seen], decides: Result, otherwise: Result) -> _Seen:
    """What decides, decides; else what is open stays open; else the rest."""
    every = list(seen)
    if len(every) == 1:  # what is decided lacks nothing, so that there is nothing to combine
        return every[0]
    for result in (decides, *OPEN, otherwise):
        alike = [one for one in every if one.result == result]
        if alike:
            ground = alike if result in (decides, otherwise) else every
            gaps = () if result == decides else _joined(*(one.gaps for one in every))
            return _Seen(result, _joined(*(one.rests_on for one in ground)), gaps)
    return _Seen(otherwise)


def _joined(*many: tuple[object, ...]) -> tuple:  # type: ignore[type-arg] # of whatever they are of
    return tuple(dict.fromkeys(one for each in many for one in each))


def _picked(key: _Key, facts: Sequence[Observation], now: datetime) -> _Seen | Sequence[Observation]:
    """What of all that was observed of an analyte counts, or why nothing does."""
    analyte, methods, within = key.analyte, key.methods, key.within
    usable = [fact for fact in facts if not methods or fact.method in methods]
    if not usable:
        return _open("unknown", key, "nothing_observed", usable)
    row, today = ANALYTES[analyte], now.astimezone(UTC).date()
    dated = [fact for fact in usable if fact.day]
    if not dated and (row.lapse or within is not None):
        return _open("unknown", key, "no_date", usable)
    fresh = [f for f in dated if within is None or (f.day and (today - f.day).days <= within)]
    if dated and not fresh:
        return _open("stale", key, "too_old", dated)
    undated = [] if row.lapse else [fact for fact in usable if not fact.day]
    return [*_newest(analyte, fresh), *undated]


def _newest(analyte: str, facts: Sequence[Observation]) -> Iterable[Observation]:
    """The facts of the newest day; of each method's newest day, where methods measure different things."""
    groups: dict[str, list[Observation]] = {}
    for fact in facts:
        groups.setdefault(fact.method if ANALYTES[analyte].by_method else "", []).append(fact)
    for group in groups.values():
        newest = max(fact.day for fact in group if fact.day)
        yield from (fact for fact in group if fact.day == newest)


def _agreed(test: Comparison, facts: Sequence[Observation], now: datetime) -> _Seen:
    """What the facts say together: they conflict, one of them cannot be used, or they agree."""
    said = [_compared(test, fact, now) for fact in facts]
    if {True, False} <= set(said):
        return _open("conflicting", _key(test, None), "two_results", facts)
    lacks = next((one for one in said if not isinstance(one, bool)), None)
    if lacks:
        return _open("unknown", _key(test, None), lacks, facts)
    return _Seen("met" if True in said else "not_met", tuple(fact.id for fact in facts))


def _open(result: Result, key: _Key, lacks: Lacks, rests: Sequence[Observation]) -> _Seen:
    return _Seen(result, tuple(fact.id for fact in rests), (Gap(lacks, key.analyte, key.target, key.methods),))


def _compared(test: Comparison, fact: Observation, now: datetime) -> bool | Lacks:
    """Return whether the comparison holds of one observation, or what keeps that from being said."""
    if test.codes:
        return fact.code in test.codes
    threshold = _threshold(test, fact)
    if threshold is None:
        return "no_upper_limit"
    holds = {OPS[test.op](_counted(test, value), threshold) for value in _values(test, fact, now)}
    if len(holds) != 1:
        return "range_only"
    if test.unsupported and fact.supported:  # without it, it would have been lower [criteria.unsupported]
        return test.op in ("<", "<=")
    return True in holds


def _values(test: Comparison, fact: Observation, now: datetime) -> Iterable[Decimal]:
    if ANALYTES[test.analyte].lapse and fact.day:
        return [Decimal((now.astimezone(UTC).date() - fact.day).days)]
    return [value for value in (fact.low, fact.high) if value is not None]


def _threshold(test: Comparison, fact: Observation) -> Decimal | None:
    """What the value is compared with, in the canonical unit; None where it counts in a limit nobody told."""
    if ucum(test.unit) == ULN:
        times = number(test.value)
        return times * fact.limit if times is not None and fact.limit is not None else None
    return _asked(test.analyte, test.value, test.unit)


@lru_cache(maxsize=65536)
def _asked(analyte: str, value: str, unit: str) -> Decimal:
    """A threshold of a protocol in the canonical unit, converted once: it is the same for every case."""
    return canonical(analyte, value, unit)


def _counted(test: Comparison, value: Decimal) -> Decimal:
    """An age is counted in whole years where the source speaks of whole years."""
    said = number(test.value)
    years = test.analyte == "age" and ucum(test.unit) == "a" and said is not None and said == said.to_integral_value()
    return value // YEAR * YEAR if years else value
