"""Short ways to say what was observed and what a protocol asks, for the tests of the criteria."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from domain.core.when import When
from domain.criteria.criterion import Comparison, Criterion, Kind, Op, Way
from domain.criteria.observation import Observation, canonical
from domain.criteria.screening import Finding, screen

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
_numbers = count(1)


def days_ago(days: int) -> When:
    """A day before NOW."""
    return When.on((NOW - timedelta(days=days)).date())


def measured(
    analyte: str,
    value: str,
    unit: str,
    *,
    limit: str = "",
    age: int | None = 0,
    target: str = "",
    method: str = "",
    supported: bool = False,
) -> Observation:
    """A value taken so many days ago; `age` None = nobody knows when."""
    low = canonical(analyte, value, unit)
    return Observation(
        id=f"fact-{next(_numbers)}",
        analyte=analyte,
        low=low,
        high=low,
        limit=canonical(analyte, limit, unit) if limit else None,
        target=target,
        method=method,
        taken=When.unknown() if age is None else days_ago(age),
        supported=supported,
    )


def stated(analyte: str, code: str, age: int = 0, target: str = "", method: str = "") -> Observation:
    """A code stated so many days ago."""
    name = f"fact-{next(_numbers)}"
    return Observation(id=name, analyte=analyte, code=code, target=target, method=method, taken=days_ago(age))


def number(analyte: str, op: Op, value: str, unit: str = "", **more: object) -> Comparison:
    """A comparison with a number."""
    return Comparison(analyte=analyte, op=op, value=value, unit=unit, **more)  # type: ignore[arg-type]


def among(analyte: str, *codes: str, **more: object) -> Comparison:
    """A comparison with codes."""
    return Comparison(analyte=analyte, op="in", codes=codes, **more)  # type: ignore[arg-type]


def asks(*ways: Way, kind: Kind = "inclusion", within: int | None = None, only_if: Way = ()) -> Criterion:
    """A criterion that one of these ways fulfils."""
    return Criterion(id="one", kind=kind, words="as written", ways=ways, only_if=only_if, within_days=within)


def finding(criterion: Criterion, *facts: Observation) -> Finding:
    """What the one criterion comes to."""
    [found] = screen([criterion], facts, NOW)
    return found
