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
Facts = Mapping[tuple[str, str], Sequence[Observation]]
"""Observations by analyte and antigen."""


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


def screen(criteria: Iterable[Criterion], facts: Sequence[Observation], now: datetime) -> Sequence[Finding]:
    """Return the finding of each criterion, in their order. Facts of after `now` count for nothing."""
    return screen_by(criteria, by_what(facts, now), now)


def by_what(facts: Sequence[Observation], now: datetime) -> Facts:
    """Return what counts at an instant by analyte and antigen: made once where many protocols are asked."""
    found: dict[tuple[str, str], list[Observation]] = {}
    for fact in facts:
        if fact.taken.earliest is None or fact.taken.earliest <= now:
            found.setdefault((fact.analyte, fact.target), []).append(fact)
    return found


def screen_by(criteria: Iterable[Criterion], facts: Facts, now: datetime) -> Sequence[Finding]:
    """Return the finding of each criterion by facts of `by_what`."""
    return [_found(criterion, facts, now) for criterion in criteria]


def next_steps(findings: Iterable[Finding]) -> Sequence[tuple[Gap, int]]:
    """Return what to obtain, what settles most criteria first, with how many it may settle."""
    return Counter(gap for one in findings for gap in one.gaps if gap.analyte).most_common()


def _found(criterion: Criterion, facts: Facts, now: datetime) -> Finding:
    def tested(test: Comparison) -> _Seen:
        return _tested(test, facts.get((test.analyte, test.target), ()), criterion.within_days, now)

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


def _tested(test: Comparison, facts: Sequence[Observation], within: int | None, now: datetime) -> _Seen:
    """Hold one comparison against all that was observed of its analyte."""
    usable = [fact for fact in facts if not test.methods or fact.method in test.methods]
    if not usable:
        return _open("unknown", test, "nothing_observed", usable)
    row, today = ANALYTES[test.analyte], now.astimezone(UTC).date()
    within = None if row.lapse or row.lasting else within
    dated = [fact for fact in usable if fact.day]
    if not dated and (row.lapse or within is not None):
        return _open("unknown", test, "no_date", usable)
    fresh = [f for f in dated if within is None or (f.day and (today - f.day).days <= within)]
    if dated and not fresh:
        return _open("stale", test, "too_old", dated)
    undated = [] if row.lapse else [fact for fact in usable if not fact.day]
    return _agreed(test, [*_newest(test, fresh), *undated], now)


def _newest(test: Comparison, facts: Sequence[Observation]) -> Iterable[Observation]:
    """The facts of the newest day; of each method's newest day, where methods measure different things."""
    groups: dict[str, list[Observation]] = {}
    for fact in facts:
        groups.setdefault(fact.method if ANALYTES[test.analyte].by_method else "", []).append(fact)
    for group in groups.values():
        newest = max(fact.day for fact in group if fact.day)
        yield from (fact for fact in group if fact.day == newest)


def _agreed(test: Comparison, facts: Sequence[Observation], now: datetime) -> _Seen:
    """What the facts say together: they conflict, one of them cannot be used, or they agree."""
    said = [_compared(test, fact, now) for fact in facts]
    if {True, False} <= set(said):
        return _open("conflicting", test, "two_results", facts)
    lacks = next((one for one in said if not isinstance(one, bool)), None)
    if lacks:
        return _open("unknown", test, lacks, facts)
    return _Seen("met" if True in said else "not_met", tuple(fact.id for fact in facts))


def _open(result: Result, test: Comparison, lacks: Lacks, rests: Sequence[Observation]) -> _Seen:
    return _Seen(result, tuple(fact.id for fact in rests), (Gap(lacks, test.analyte, test.target, test.methods),))


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
