"""Asks once a year what happened to the patient: the questions of long-term follow-up [follow-up.yearly-questions].

They go to the family thirty days before the year is over; the hospital may answer as well. A new cancer in an answer
is reported as one, a death as a death. What nobody answers is looked for like a missed visit (searching.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Sealed, readable
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.stages.follow_up.follow_up import FollowUpResumed, resumed
from domain.stages.follow_up.searching import heard
from domain.stages.follow_up.visit_plan import YEARS, about_visit, following, year_after
from domain.stages.treatment.observations import DeathReported
from domain.stages.treatment.recovery import day_0
from domain.stages.treatment.safety import MalignancyReported

Happened = Annotated[Literal["no", "yes", "unknown"], Sealed("clinical")]
QUESTIONS = (
    "new_cancer", "neurologic", "autoimmune", "haematologic", "serious_infection", "pregnancy", "other_treatment",
)  # fmt: skip
"""What is asked, in order, beside whether the patient lives [follow-up.yearly-questions]."""
BEFORE = timedelta(days=30)
"""How long before the year is over it is asked."""
KIND = "yearly_questions"
ASK = "ask_yearly_questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerYearlyQuestions:
    """What happened to the patient since the questions of the year before; `year` names those that are answered.

    `died`: the patient has died, on the day of `occurred` where that is known.
    """

    year: str
    new_cancer: Happened
    neurologic: Happened
    autoimmune: Happened
    haematologic: Happened
    serious_infection: Happened
    pregnancy: Happened
    other_treatment: Happened
    died: bool = False
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["AnswerYearlyQuestions"] = "AnswerYearlyQuestions"


Command = AnswerYearlyQuestions


@dataclass(frozen=True, slots=True)
class YearlyQuestionsAsked:
    """A year of follow-up is nearly over: it is asked what happened to the patient."""

    year: str
    due: datetime
    type: Literal["YearlyQuestionsAsked"] = "YearlyQuestionsAsked"


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyQuestionsAnswered:
    """It was told what happened to the patient in a year of follow-up."""

    year: str
    new_cancer: Clinical
    neurologic: Clinical
    autoimmune: Clinical
    haematologic: Clinical
    serious_infection: Clinical
    pregnancy: Clinical
    other_treatment: Clinical
    detail: Clinical
    type: Literal["YearlyQuestionsAnswered"] = "YearlyQuestionsAnswered"


Event = YearlyQuestionsAsked | YearlyQuestionsAnswered

TAKES = (
    Takes(
        AnswerYearlyQuestions,
        (YearlyQuestionsAnswered, MalignancyReported, DeathReported, FollowUpResumed),
        at=(Stage.FOLLOW_UP, Stage.CLOSED),
        over_fhir=True,
        answers=(ASK,),
    ),
)
Told = YearlyQuestionsAnswered | MalignancyReported | DeathReported | FollowUpResumed


def decide(case: Case, c: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Told]:
    """Record the answers of a year once, and what follows from them. Raises Refused."""
    asked = c.year in case.yearly
    words = "no such questions were asked" + (f"; open are: {', '.join(_unanswered(case))}" if case.yearly else "")
    require(asked, Reason.NOT_FOUND, words, "year")
    require(not case.yearly[c.year], Reason.ALREADY, "the questions of that year are answered", "year")
    require(case.follow_up in ("open", "lost"), Reason.NOT_NOW, "follow-up is over")
    told: list[Told] = [
        YearlyQuestionsAnswered(year=c.year, detail=c.detail, **{name: getattr(c, name) for name in QUESTIONS})
    ]
    if c.new_cancer == "yes":
        told.append(MalignancyReported(c.detail))
    if c.died and not case.died:
        return [*told, DeathReported(c.detail)]
    return [*told, *resumed(case)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what was asked and answered."""
    event = fact.event
    if isinstance(event, YearlyQuestionsAsked):
        return replace(case, yearly={**case.yearly, event.year: ""})
    return heard(replace(case, yearly={**case.yearly, event.year: fact.id}), fact.id, fact.occurred.latest or fact.at)


def _years(case: Case) -> Sequence[tuple[str, datetime]]:
    """Each year of follow-up and its end, but for those that were over before the patient was let go."""
    start, since = day_0(case), case.stage_since
    if not following(case) or start is None or since is None:
        return []
    years = case.visit_plan.years if case.visit_plan else YEARS
    ends = ((f"Y{year}", start + year_after(case, year)) for year in range(1, years + 1))
    return [(about_visit(case, name), due) for name, due in ends if due > since]


def asks(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Ask once for each year, in the thirty days before it is over.

    A year that is over already (after an outage, or in a case older than these questions) is not asked about by itself:
    nobody could answer in time, and the next questions ask for what happened since the last.
    """
    open_now = [(about, due) for about, due in _years(case) if due - BEFORE <= now < due]
    return [YearlyQuestionsAsked(about, due) for about, due in open_now if about not in case.yearly]


def _openings(case: Case) -> Instants:
    return [due - BEFORE for about, due in _years(case) if about not in case.yearly]


RULES = (
    Rule(
        "yearly_questions_asked", 1, asks, ("InfusionCompleted", "FollowUpPlanned"), (YearlyQuestionsAsked,), _openings
    ),
)


def _unanswered(case: Case) -> Sequence[str]:
    return [about for about, answer in case.yearly.items() if not answer]


def _owed(case: Case) -> Iterable[str]:
    """What is open and was not missed; the family is looked for then."""
    return [a for a in _unanswered(case) if not case.missed(KIND, a)] if following(case) else []


def _answered(case: Case, about: str) -> bool:
    return readable(case.yearly.get(about, ""))


def _due(case: Case, about: str) -> datetime | None:
    start, name = day_0(case), About.of(about).id
    return start + year_after(case, int(name.removeprefix("Y"))) if start else None


OWES = (Owes(KIND, Party.FAMILY, Party.COORDINATOR, _owed, _answered, _due, asked_by=ASK),)
WANTS = (Wants(ASK, Party.FAMILY, _owed, _answered),)
