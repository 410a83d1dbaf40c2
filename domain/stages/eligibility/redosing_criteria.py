"""How a case stands by what its protocol asks before another dose: met, not met or unknown, and what that rests on.

What is not known is never taken for met [redosing.unknown]. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from domain.case.phases.redosing import GradeTold
from domain.case.state import Case
from domain.core.when import When
from domain.criteria.criterion import Comparison, Criterion
from domain.criteria.redosing import RedosingCriteria, ToxicityLimit
from domain.criteria.response import response_code
from domain.criteria.screening import screen
from domain.stages.records.observing import observed

RedosingQuestion = Literal["interval", "infusions", "toxicity", "antigen", "antibodies", "response"]
Stands = Literal["met", "not_met", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedosingStanding:
    """One thing asked before another dose: `about` names toxicity, antigen or responses, `asked` is days or a grade.

    `found` is what stands there (days, doses, a grade, a result), empty = nothing; `rests_on` are the facts of it.
    """

    question: RedosingQuestion
    about: str = ""
    asked: int = 0
    stands: Stands
    found: str = ""
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Last:
    """Between which days the last infusion lies, None = open."""

    earliest: date | None
    latest: date | None

    def surely_since(self, when: When) -> bool:
        first = _day(when.earliest)
        return first is not None and self.latest is not None and first >= self.latest

    def surely_before(self, when: When) -> bool:
        last = _day(when.latest)
        return last is not None and self.earliest is not None and last < self.earliest


def redosing_standings(case: Case, now: datetime, planned: int = 0) -> Sequence[RedosingStanding]:
    """Return how each thing asked stands, in order; none where nothing was infused or the protocol asks for nothing.

    `planned` counts the infusions to be decided on; 0 = those still planned, or one.
    """
    asked = case.noted(case.protocol).get("redosing")
    if not isinstance(asked, RedosingCriteria) or not case.infusions:
        return ()
    last = _last(case)
    return [
        *([_interval(case, asked.interval_days, last, now)] if asked.interval_days else []),
        *([_infusions(case, asked.most_infusions, planned or _ahead(case))] if asked.most_infusions else []),
        *(_toxicity(case, limit, last) for limit in asked.toxicity),
        *([_antigen(case, asked, last, now)] if asked.antigen else []),
        *([_antibodies(case, asked.antibodies_days, now)] if asked.antibodies_days else []),
        *([_response(case, asked.responses, last)] if asked.responses else []),
    ]


def left_unmet(standings: Iterable[RedosingStanding]) -> tuple[RedosingQuestion, ...]:
    """Return the questions of which one is not met or not known, each once."""
    return tuple(dict.fromkeys(one.question for one in standings if one.stands != "met"))


def _day(instant: datetime | None) -> date | None:
    return instant.astimezone(UTC).date() if instant else None


def _last(case: Case) -> _Last:
    """Open where an infusion's date is: it may be the last."""
    every = [(_day(one.occurred.earliest), _day(one.occurred.latest)) for one in case.infusions]
    first = [earliest for earliest, _ in every if earliest]
    ends = [latest for _, latest in every if latest]
    return _Last(max(first, default=None), max(ends) if len(ends) == len(every) else None)


def _ahead(case: Case) -> int:
    running = case.treatment if case.treatment and not case.treatment.complete else None
    return running.planned_infusions - len(running.infusions) if running else 1


def _interval(case: Case, days: int, last: _Last, now: datetime) -> RedosingStanding:
    today = now.astimezone(UTC).date()
    least = (today - last.latest).days if last.latest else None
    most = (today - last.earliest).days if last.earliest else None
    enough = least is not None and least >= days
    short = most is not None and most < days
    found = "" if least is None else str(least)
    rests = tuple(one.fact for one in case.infusions[-1:])
    stands: Stands = "met" if enough else "not_met" if short else "unknown"
    return RedosingStanding(question="interval", asked=days, stands=stands, found=found, rests_on=rests)


def _infusions(case: Case, most: int, planned: int) -> RedosingStanding:
    given = len(case.infusions)
    stands: Stands = "met" if given + planned <= most else "not_met"
    rests = tuple(one.fact for one in case.infusions)
    return RedosingStanding(question="infusions", asked=most, stands=stands, found=str(given), rests_on=rests)


def _toxicity(case: Case, limit: ToxicityLimit, last: _Last) -> RedosingStanding:
    """A grade without a date counts; a word that cannot be read any more may be of any kind."""
    told = {fact: one for fact, one in case.grades.items() if one.kind in (limit.kind, "")}
    since = {fact: one for fact, one in told.items() if not last.surely_before(one.occurred)}
    worst = max((one.grade for one in since.values() if one.grade is not None), default=None)
    over = any(one.kind and one.grade is not None and one.grade > limit.highest for one in since.values())
    sure = any(one.exact and last.surely_since(one.occurred) for one in since.values())
    clear = all(map(_clear, since.values())) and (worst is None or worst <= limit.highest)
    stands: Stands = "not_met" if over else "met" if sure and clear else "unknown"
    found = "" if worst is None else str(worst)
    return RedosingStanding(
        question="toxicity", about=limit.kind, asked=limit.highest, stands=stands, found=found, rests_on=tuple(since)
    )


def _clear(one: GradeTold) -> bool:
    return bool(one.kind) and one.exact


def _antigen(case: Case, asked: RedosingCriteria, last: _Last, now: datetime) -> RedosingStanding:
    """A sample of before the last infusion says nothing of what that one left."""
    test = Comparison(analyte="antigen", op="in", codes=("positive",), target=asked.antigen)
    stands, found, rests = _seen(case, test, asked.antigen_days, last, now)
    return RedosingStanding(
        question="antigen", about=asked.antigen, asked=asked.antigen_days, stands=stands, found=found, rests_on=rests
    )


def _antibodies(case: Case, days: int, now: datetime) -> RedosingStanding:
    """Whatever was found: what it means for the dose is the clinician's to say."""
    any_of = ("positive", "negative", "indeterminate")
    test = Comparison(analyte="donor_specific_antibodies", op="in", codes=any_of)
    stands, found, rests = _seen(case, test, days, None, now)
    return RedosingStanding(question="antibodies", asked=days, stands=stands, found=found, rests_on=rests)


def _seen(
    case: Case, test: Comparison, days: int, last: _Last | None, now: datetime
) -> tuple[Stands, str, tuple[str, ...]]:
    facts = [one for one in observed(case, now) if last is None or last.surely_since(one.taken)]
    asked = Criterion(id=test.analyte, kind="inclusion", words=test.analyte, ways=((test,),), within_days=days)
    [finding] = screen([asked], facts, now)
    stands: Stands = "met" if finding.result == "met" else "not_met" if finding.result == "not_met" else "unknown"
    codes = {one.id: one.code for one in facts}
    return stands, ", ".join(sorted({codes[fact] for fact in finding.rests_on})), finding.rests_on


def _response(case: Case, asked: Sequence[str], last: _Last) -> RedosingStanding:
    """The newest day since the last infusion counts; one without a date may be the newest."""
    undated = {f: one for f, one in case.responses.items() if not one.occurred.known}
    since = {f: one for f, one in case.responses.items() if one.occurred.known and last.surely_since(one.occurred)}
    newest = max((one.occurred.day for one in since.values() if one.occurred.day), default=None)
    of_day = {f: one for f, one in since.items() if one.occurred.day == newest}
    counts = {**of_day, **undated}
    fits = {response_code(one.result) in asked if response_code(one.result) else None for one in counts.values()}
    stands: Stands = "unknown" if undated or len(fits) != 1 or None in fits else "met" if True in fits else "not_met"
    found = ", ".join(dict.fromkeys(one.result for one in counts.values() if one.result))
    return RedosingStanding(
        question="response", about=", ".join(asked), stands=stands, found=found, rests_on=tuple(counts)
    )
