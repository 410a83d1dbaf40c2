"""A protocol's criteria as data: what is asked, with operator, number and unit as its source wrote them.

A criterion holds ways: it is fulfilled where every test of one way holds. `creatinine <= 1.5 x ULN or clearance >= 60`
is two ways of one test; an exception, as for Gilbert's syndrome, is another way. Nothing refers to anything else, so
nothing can go round in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from domain.core.codes import require_days
from domain.core.errors import Reason, require
from domain.criteria.analytes import ANALYTES, ULN, Analyte, ucum
from domain.criteria.observation import analyte, number

Op = Literal["<", "<=", ">", ">=", "in"]
Kind = Literal["inclusion", "exclusion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One comparison: `value` in `unit` as written ("{ULN}" = upper limits of normal), or a code among `codes`.

    `target` is the antigen meant; `methods` are the only ones that count, none = any; `unsupported`: without
    transfusion or growth factor.
    """

    analyte: str
    op: Op
    value: str = ""
    unit: str = ""
    codes: tuple[str, ...] = ()
    target: str = ""
    methods: tuple[str, ...] = ()
    unsupported: bool = False


Way = tuple[Comparison, ...]
"""Comparisons that hold together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """Says what must be so (inclusion) or must not be (exclusion), in the source's own words beside the tests.

    Without `ways` the source states no value: people read what it asks [criteria.unstated]. `only_if`: it is asked of
    those of whom all of these hold. `within_days`: how old an observation may be, None = the source does not say.
    """

    id: str
    kind: Kind
    words: str
    ways: tuple[Way, ...] = ()
    only_if: Way = ()
    within_days: int | None = None

    @property
    def tests(self) -> Sequence[Comparison]:
        """Return every test in it, in order."""
        return [*self.only_if, *(test for way in self.ways for test in way)]


def criterion_of(row: Mapping[str, Any]) -> Criterion:
    """Return the criterion that a JSON object says. Raises TypeError or KeyError for one that says none."""
    ways = tuple(tuple(map(_comparison, way)) for way in row.get("ways", ()))
    return Criterion(**{**row, "ways": ways, "only_if": tuple(map(_comparison, row.get("only_if", ())))})


def _comparison(row: Mapping[str, Any]) -> Comparison:
    lists = {name: tuple(row[name]) for name in ("codes", "methods") if name in row}
    return Comparison(**{**row, **lists})


def require_sound(criteria: Iterable[Criterion]) -> None:
    """Refuse criteria that cannot be read; the detail names the criterion, the reason and what can stand there."""
    seen: set[str] = set()
    for one in criteria:
        where = f"criterion {one.id or len(seen) + 1}: "
        _holds(one.id and one.id not in seen, f"{where}needs an id of its own")
        _holds(one.words.strip(), f"{where}needs the source's own words")
        _holds(one.within_days is None or one.within_days > 0, f"{where}a window has at least one day")
        require_days(one.within_days or 1, "criteria")
        _holds(all(one.ways), f"{where}a way has at least one test")
        for test in one.tests:
            _sound(test, where)
        seen.add(one.id)


def _holds(holds: object, words: str) -> None:
    require(holds, Reason.INVALID, words, "criteria")


def _sound(test: Comparison, where: str) -> None:
    _holds(test.analyte in ANALYTES, f"{where}{test.analyte} is not observed; known are {', '.join(ANALYTES)}")
    row, where = analyte(test.analyte), f"{where}{test.analyte} "
    _holds(test.op in get_args(Op), f"{where}is compared by {', '.join(get_args(Op))}")
    _holds(row.targeted == bool(test.target), f"{where}{'needs' if row.targeted else 'takes no'} target antigen")
    if row.codes:
        known = test.op == "in" and test.codes and set(test.codes) <= set(row.codes)
        _holds(known and not test.value, f"{where}is one of: in, with codes {', '.join(row.codes)}")
    else:
        _measurable(test, row, where)


def _measurable(test: Comparison, row: Analyte, where: str) -> None:
    _holds(test.op != "in" and not test.codes, f"{where}is compared with a number")
    _holds(number(test.value) is not None, f"{where}needs a number as value")
    known = ucum(test.unit) == ULN or row.factor(test.unit) is not None
    _holds(known, f"{where}is compared in {', '.join((*row.units, ULN))}")
