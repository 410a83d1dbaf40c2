"""Decisions whose ground was corrected: each is found, named, and stays open until somebody has looked at it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, assert_never, get_args

from domain.case.phases.bookkeeping import Decision
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.stages.records import observing
from domain.stages.treatment import adverse_events, grading, observations


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """Whoever decided has seen the corrected fact, and the decision stands. Another decision is told as itself."""

    decision: str
    note: Clinical = ""
    type: Literal["ReviewDecision"] = "ReviewDecision"


Command = ReviewDecision


@dataclass(frozen=True, slots=True)
class DecisionReopened:
    """A decision rested on a fact that was corrected; `kind` is the event that told it."""

    decision: str
    kind: str
    fact: str
    correction: str
    type: Literal["DecisionReopened"] = "DecisionReopened"


@dataclass(frozen=True, slots=True)
class DecisionReviewed:
    """A reopened decision was looked at with what is known now, and stands."""

    decision: str
    note: Clinical
    type: Literal["DecisionReviewed"] = "DecisionReviewed"


Event = DecisionReopened | DecisionReviewed

TAKES = (Takes(ReviewDecision, (DecisionReviewed,), at=EVERY_STAGE, settles=("decision_review",)),)

FINDINGS = (
    *(e.__name__ for module in (adverse_events, grading, observations, observing) for e in get_args(module.Event)),
    "CriterionRecorded",
    "DiagnosisStated",
    "RecordVerified",
)
WHO = ("PersonAdded",)
PAPERS = ("PersonAdded", "PassportRecorded", "RecordVerified")
TREATED = (*FINDINGS, "DepletionGiven", "InfusionCompleted", "TransplantGiven", "MalignancyReported")
RESTS: Mapping[str, tuple[str, ...]] = {
    "ConsentGiven": WHO,
    "SummarySigned": (*FINDINGS, *WHO),
    "PatientAccepted": (*FINDINGS, *WHO),
    "PatientDeclined": (*FINDINGS, *WHO),
    "EstimateIssued": FINDINGS,
    "QuoteGiven": FINDINGS,
    "LetterIssued": PAPERS,
    "VisaFiled": PAPERS,
    "FitToTravelRecorded": FINDINGS,
    "TravelBooked": (*PAPERS, "VisaGranted"),
    "ScreeningConfirmed": FINDINGS,
    "ScreeningFailed": FINDINGS,
    "GateSigned": FINDINGS,
    "DepletionOmitted": FINDINGS,
    "InfusionAuthorised": TREATED,
    "IdentityChecked": WHO,
    "PatientDischarged": TREATED,
    "PathwayDecided": TREATED,
    "DeclaredFitHome": TREATED,
    "RedosingDecided": TREATED,
    "RedosingGivenUp": TREATED,
    "TransplantReferred": TREATED,
    "HandoverAccepted": TREATED,
}
"""What people decide → the kinds of corrected fact that were before them. What rules decide names its own facts."""
FINAL = frozenset({"DeathReported", "MalignancyReported"})
"""Told again, such a fact is still one: what a rule made of it is not in question."""
BY_ITSELF = ("Obligation", "Effect", "Decision")
"""Events whose state is computed from the corrected facts anyway."""


def remembered(case: Case, fact: Fact[Any]) -> Case:
    """The case with this fact's decision and what it rested on, or with the newer telling of an older fact."""
    if fact.corrects:
        return replace(case, corrected={**case.corrected, fact.corrects: fact.id})
    kind = fact.event.type
    if fact.why is None and kind not in RESTS:
        return case
    ground = _rule_ground(case, fact) if fact.why else _ground(case, fact)
    if not ground and kind not in RESTS:
        return case
    about = _about(fact.event)
    others = {key: d for key, d in case.decisions.items() if (d.kind, d.about) != (kind, about)}
    rests_on = {one: case.corrected.get(one, "") for one in ground}
    return replace(case, decisions={**others, fact.id: Decision(kind, about, rests_on)})


def _ground(case: Case, fact: Fact[Any]) -> Sequence[str]:
    kinds = RESTS.get(fact.event.type, ())
    read = [i.verified for i in case.records.values() if i.state == "verified" and "RecordVerified" in kinds]
    told = [key for key, told in case.correctable.items() if told.type in kinds and _concerns(told, fact.event)]
    return [*told, *(one for one in read if one)]


def _rule_ground(case: Case, fact: Fact[Any]) -> Sequence[str]:
    """The corrected or correctable facts a rule named, each by its first telling."""
    assert fact.why is not None
    if not fact.why.rests_on or fact.event.type.startswith(BY_ITSELF):
        return []
    first = {newest: key for key, newest in case.corrected.items()}
    named = [first.get(one, one) for one in fact.why.rests_on]
    return [one for one in named if one in case.correctable and case.correctable[one].type not in FINAL]


def _concerns(told: Any, decided: Any) -> bool:  # noqa: ANN401 - any two events
    """Not what was told of another person or for another submission."""
    pairs = ((getattr(told, name, None), getattr(decided, name, None)) for name in ("person", "submission"))
    return all(a is None or b is None or a == b for a, b in pairs)


def _about(event: Any) -> str:  # noqa: ANN401 - any event
    named = (getattr(event, name, "") for name in ("submission", "person", "purpose", "recipient", "treatment"))
    return "/".join(str(one) for one in named if one)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A decision that is open again is confirmed."""
    waiting = any(key.startswith(f"{command.decision}/") for key in open_again(case))
    require(waiting, Reason.NOT_FOUND, "no such decision waits to be looked at again", "decision")
    return [DecisionReviewed(command.decision, command.note)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about a decision that was reopened."""
    event = fact.event
    match event:
        case DecisionReopened():
            return replace(case, reopened={**case.reopened, f"{event.decision}/{event.correction}": False})
        case DecisionReviewed():
            ours = (key for key in case.reopened if key.startswith(f"{event.decision}/"))
            return replace(case, reopened={**case.reopened, **dict.fromkeys(ours, True)})
        case _:
            assert_never(event)


STANDS: Mapping[str, Callable[[Case, str], bool]] = {
    "PatientAccepted": lambda c, about: about in c.submissions and c.submissions[about].state == "accepted",
    "QuoteGiven": lambda c, _: c.quote.state in ("asked", "held"),
    "EstimateIssued": lambda c, _: c.quote.state == "none",
    "LetterIssued": lambda c, _: c.letter.state == "held",
    "TravelBooked": lambda c, _: c.travel.state == "held",
}
"""Decisions that something else may have ended; the others stand until they are decided anew."""


def _stands(case: Case, d: Decision) -> bool:
    return d.kind not in STANDS or STANDS[d.kind](case, d.about)


def reopen(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Every standing decision that rests on an older telling of a fact than the newest."""
    return [
        DecisionReopened(decision, d.kind, fact, newest)
        for decision, d in case.decisions.items()
        for fact, telling in d.rests_on.items()
        if (newest := case.corrected.get(fact, "")) != telling
        and f"{decision}/{newest}" not in case.reopened
        and _stands(case, d)
    ]


RULES = (Rule("ground_corrected", 1, reopen, ("FactCorrected", "RecordRejected"), (DecisionReopened,)),)


def open_again(case: Case) -> Iterable[str]:
    return [key for key, done in case.reopened.items() if not done and _in_question(case, key)]


def _in_question(case: Case, key: str) -> bool:
    d = case.decisions.get(About.of(key).id)
    return d is not None and _stands(case, d) and case.exit is None


OWES = (
    Owes(
        "decision_review",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        open_again,
        lambda c, about: c.reopened.get(about, False) or About.of(about).id not in c.decisions,
    ),
)
