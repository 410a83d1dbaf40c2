"""Best response to each treatment and how long it lasted, for each assessor apart: computed from dated assessments.

An assessment without a date counts for nothing here; how many were left out is said [response.duration].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from domain.case.phases.redosing import ResponseTold
from domain.case.state import Case
from domain.criteria.response import by_deauville, response_code
from domain.stages.response.assessing import residual

BEST_FIRST: tuple[str, ...] = ("CR", "PR", "SD", "PD")
RESPONDED = ("CR", "PR")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLine:
    """One assessment as a table shows it: what it counts as, and what is computed beside the assessor's word.

    `counts_as` is empty where nobody can say by its word. `calculated` is Lugano's category by score and uptake,
    `deep_enough` whether finding no residual disease was sensitive enough for the system. `on` None = not dated.
    """

    fact: str
    on: date | None
    told: ResponseTold
    counts_as: str
    calculated: str
    deep_enough: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCourse:
    """The answer to one treatment as one assessor saw it.

    `assessor` is empty where nobody said who. `since` is the day of the first complete or partial response, `until`
    the day of the progression that ended it, None = it lasts as far as is known; then `days` is at least, up to the
    newest assessment. `undated` assessments are left out.
    """

    treatment: int
    assessor: str
    best: str
    best_on: date | None
    since: date | None
    until: date | None
    days: int | None
    undated: int


def response_lines(case: Case) -> Sequence[ResponseLine]:
    """Return every assessment and progression told, the oldest first and what has no date last."""
    lines = [_line(fact, told) for fact, told in case.responses.items()]
    return sorted(lines, key=lambda one: (one.on is None, one.on or date.max))


def _line(fact: str, told: ResponseTold) -> ResponseLine:
    return ResponseLine(
        fact=fact,
        on=told.occurred.day,
        told=told,
        counts_as=response_code(told.result) or "",
        calculated=by_deauville(told.deauville, told.uptake),
        deep_enough=residual(told),
    )


def response_courses(case: Case) -> Sequence[ResponseCourse]:
    """Return how each treatment with a dated first infusion was answered, by each assessor that said something."""
    starts = [(one.number, one.infusions[0].occurred.day) for one in case.treatments if one.infusions]
    days = [day for _, day in starts] + [None]
    found: list[ResponseCourse] = []
    for (number, start), end in zip(starts, days[1:], strict=True):
        if start is not None:
            told = [one for one in response_lines(case) if _within(one, start, end)]
            found += [_course(number, who, told) for who in _assessors(told)]
    return found


def _within(one: ResponseLine, start: date, end: date | None) -> bool:
    """One without a date may be of any treatment."""
    return one.on is None or (start <= one.on and (end is None or one.on < end))


def _assessors(told: Iterable[ResponseLine]) -> Iterable[str]:
    every = list(told)
    said = dict.fromkeys(one.told.assessor for one in every if one.told.assessor or one.counts_as != "PD")
    return said or [""] * bool(every)


def _course(treatment: int, assessor: str, every: Iterable[ResponseLine]) -> ResponseCourse:
    """A progression that nobody is named for ends the response as every assessor sees it."""
    own = [one for one in every if one.told.assessor == assessor or (not one.told.assessor and one.counts_as == "PD")]
    dated = [(one.on, one.counts_as) for one in own if one.on and one.counts_as]
    since = next((day for day, code in dated if code in RESPONDED), None)
    until = next((day for day, code in dated if code == "PD"), None)
    before = [(day, code) for day, code in dated if until is None or day <= until]
    best = min(before, key=lambda one: BEST_FIRST.index(one[1]), default=None)
    answered = since is not None and (until is None or since < until)
    return ResponseCourse(
        treatment=treatment,
        assessor=assessor,
        best=best[1] if best else "",
        best_on=best[0] if best else None,
        since=since if answered else None,
        until=until if answered else None,
        days=((until or dated[-1][0]) - since).days if answered and since else None,
        undated=sum(one.on is None for one in own),
    )
