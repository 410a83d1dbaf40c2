"""Follow-up that is missed, looked for, lost and found again: scenes, and any command about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, get_args

from domain.stages.follow_up.follow_up import EndFollowUp, FollowUpEnded, TryContact
from domain.stages.follow_up.questions import QUESTIONS, AnswerYearlyQuestions, YearlyQuestionsAsked
from domain.stages.follow_up.registries import RecordRegistryAnswer, ReportToRegistry
from domain.stages.follow_up.replanning import ReplanFollowUp, StopFollowUp
from domain.stages.follow_up.searching import SkipContact, Way
from domain.stages.follow_up.visit_plan import YEAR
from domain.stages.intake.people import GiveConsent
from domain.stages.treatment.recovery import day_0
from tests.domain.course import patient
from tests.domain.journey import Journey

OTHERS = ("second_contact", "home_doctor", "hospital")
"""The ways that are left once the family itself was tried."""


def miss_a_visit(j: Journey) -> Journey:
    """The visit that is owed passes, and nobody reported it; what its end asks for is still to be carried out."""
    due = j.owed("visit").due
    return j.wait(until=due - timedelta(seconds=1)).wait(until=due, deliver=False)


def try_family(j: Journey) -> Journey:
    """The family is called, written to, and called again; nobody answers."""
    for channel in ("call", "message", "call"):
        j.tell(TryContact(channel, answered=False))
    return j


def try_everybody(j: Journey) -> Journey:
    """Every way is gone in vain, or passed over."""
    try_family(j).tell(SkipContact("second_contact", "the family named nobody"))
    return j.tell(TryContact("doctor", answered=False)).tell(TryContact("hospital", answered=False))


def lose(j: Journey) -> Journey:
    """Somebody has recorded that the family is lost; nothing where no follow-up is open."""
    if j.case.stage == "follow_up" and j.case.follow_up == "open":
        j.record(FollowUpEnded("lost", "")).look()
    return j


def found(j: Journey) -> Journey:
    """Somebody answers."""
    return j.tell(TryContact("call", answered=True))


def answer(j: Journey, n: int = 0, **told: Any) -> AnswerYearlyQuestions:
    """The answers of a year: nothing happened, but for what is told; for some numbers of a year nobody asked about."""
    year = next(iter(j.case.yearly), "") if n % 5 < 4 else ""
    return AnswerYearlyQuestions(year=year or "Y9/9", **{**dict.fromkeys(QUESTIONS, "no"), **told})


def ask_of_the_year(j: Journey) -> Journey:
    """The questions of the first year are asked, somewhat early; nothing where no follow-up is open."""
    start = day_0(j.case)
    if j.case.stage == "follow_up" and start:
        j.record(YearlyQuestionsAsked("Y1/1", start + YEAR)).look()
    return j


def agree(j: Journey) -> Journey:
    """The patient consents to registries."""
    return j.tell(GiveConsent("registry", patient(j), "1", "en"))


def tell_cibmtr(j: Journey) -> Journey:
    """The patient is reported to CIBMTR, which knows them already."""
    return agree(j).tell(ReportToRegistry("cibmtr", "C-1"))


def _answered(j: Journey, n: int) -> RecordRegistryAnswer:
    form = ("4000", "4006", "4100-D100", "9999")[n % 4]
    if n % 3:
        return RecordRegistryAnswer("cibmtr", form, "accepted", f"R-{n}")
    return RecordRegistryAnswer("cibmtr", form, "rejected", faults="line 3")


SCENES_OF_SEARCH: Mapping[str, tuple[str, Callable[[Journey], object], Callable[[Journey], object]]] = {
    "yearly_questions": ("handed_over", lambda j: j.tell(answer(j)), ask_of_the_year),
    "registry_choice": ("handed_over", lambda j: j.tell(ReportToRegistry("ebmt")), agree),
    "registry_form": (
        "infused",
        lambda j: j.tell(RecordRegistryAnswer("cibmtr", "4000", "accepted", "R-1")),
        tell_cibmtr,
    ),
    "reach_family": ("handed_over", try_family, miss_a_visit),
    "lost_decision": ("handed_over", lambda j: j.tell(EndFollowUp("lost")), lambda j: try_everybody(miss_a_visit(j))),
}
"""Kind → where, what meets it, what brings it about."""


def _ways(j: Journey, n: int) -> SkipContact:
    ways: tuple[Way, ...] = get_args(Way)
    return SkipContact(ways[n % len(ways)], "nobody")


OF_FOLLOW_UP: dict[type[Any], Callable[[Journey, int], Any]] = {
    SkipContact: _ways,
    ReportToRegistry: lambda _, n: ReportToRegistry(("cibmtr", "ebmt")[n % 2], f"C-{n % 3}"),
    RecordRegistryAnswer: _answered,
    AnswerYearlyQuestions: lambda j, n: answer(j, n, new_cancer=("no", "yes")[n % 2], died=n % 4 == 3),
    ReplanFollowUp: lambda _, n: ReplanFollowUp(1 + n % 20, ((), (28, 90))[n % 2], "Dr Li", "late effects expected"),
    StopFollowUp: lambda *_: StopFollowUp("Dr Li", "asked to stop"),
}
