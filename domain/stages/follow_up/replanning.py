"""Changes the plan of follow-up, or stops it, by a clinician's word and a supervisor's hand [follow-up.replanned]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.follow_up import VisitPlan
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Takes
from domain.catalogue.protocols.description import MOST_YEARS
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.stages.follow_up.visit_plan import last_due


@dataclass(frozen=True, slots=True)
class ReplanFollowUp:
    """Follow-up lasts so many years after the last infusion, with visits on these days after it; then yearly.

    No days = those of every follow-up. A later infusion keeps the years where its protocol asks for fewer.
    """

    years: int
    days: tuple[int, ...]
    clinician: Identity
    reason: Clinical
    type: Literal["ReplanFollowUp"] = "ReplanFollowUp"


@dataclass(frozen=True, slots=True)
class StopFollowUp:
    """A clinician ends follow-up before its time, and says why; the family may take it up again."""

    clinician: Identity
    reason: Clinical
    type: Literal["StopFollowUp"] = "StopFollowUp"


Command = ReplanFollowUp | StopFollowUp


@dataclass(frozen=True, slots=True)
class FollowUpReplanned:
    """A clinician planned follow-up anew: so many years after the last infusion, with visits on these days."""

    years: int
    days: tuple[int, ...]
    clinician: Identity
    reason: Clinical
    type: Literal["FollowUpReplanned"] = "FollowUpReplanned"


@dataclass(frozen=True, slots=True)
class FollowUpStopped:
    """A clinician ended follow-up before its time."""

    clinician: Identity
    reason: Clinical
    type: Literal["FollowUpStopped"] = "FollowUpStopped"


Event = FollowUpReplanned | FollowUpStopped

TAKES = (
    Takes(ReplanFollowUp, (FollowUpReplanned,), at=(Stage.FOLLOW_UP,), by=Action.SUPERVISE),
    Takes(StopFollowUp, (FollowUpStopped,), at=(Stage.FOLLOW_UP,), by=Action.SUPERVISE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide how follow-up goes on. Raises Refused."""
    require(case.follow_up == "open", Reason.NOT_NOW, "no follow-up is open")
    match command:
        case ReplanFollowUp():
            return [_replanned(case, command, now)]
        case StopFollowUp():
            return [FollowUpStopped(command.clinician, command.reason)]
        case _:
            assert_never(command)


def _replanned(case: Case, c: ReplanFollowUp, now: datetime) -> FollowUpReplanned:
    require(1 <= c.years <= MOST_YEARS, Reason.INVALID, f"from 1 to {MOST_YEARS} years", "years")
    ordered = list(c.days) == sorted({day for day in c.days if 0 < day <= c.years * 366})
    require(ordered, Reason.INVALID, "days after the infusion in order, each once, none after the end", "days")
    end = last_due(replace(case, visit_plan=_plan(case, c.years, c.days)))
    over = end is not None and end <= now
    require(not over, Reason.INVALID, "those years are over; to end follow-up now, stop it (StopFollowUp)", "years")
    return FollowUpReplanned(c.years, c.days, c.clinician, c.reason)


def _plan(case: Case, years: int, days: tuple[int, ...]) -> VisitPlan:
    return VisitPlan(len(case.infusions), years, days, case.zone)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold the new plan, or the end."""
    event = fact.event
    match event:
        case FollowUpReplanned():
            return replace(case, visit_plan=_plan(case, event.years, event.days))
        case FollowUpStopped():
            return replace(case, follow_up="stopped")
        case _:
            assert_never(event)
