"""Postponing [S5]: the hospital can admit only later than planned, before the patient has travelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.case.phases.travel import Postponement
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.travel.letter import preparing


@dataclass(frozen=True, slots=True)
class PostponeAdmission:
    """The hospital cannot admit on the planned day; it can from `admits_from` on."""

    admits_from: date
    reason: Clinical
    type: Literal["PostponeAdmission"] = "PostponeAdmission"


Command = PostponeAdmission


@dataclass(frozen=True, slots=True)
class AdmissionPostponed:
    """The hospital admits from that day on, not before."""

    admits_from: date
    reason: Clinical
    type: Literal["AdmissionPostponed"] = "AdmissionPostponed"


Event = AdmissionPostponed

TAKES = (
    Takes(
        PostponeAdmission,
        (AdmissionPostponed,),
        at=stages(Stage.VISA, Stage.ADMISSION, Stage.REDOSING),
        by=Action.ANSWER,
        answers=("announce_arrival", "admission"),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Take the new day. Raises Refused once the patient is there, or for a day that is over."""
    require(preparing(case), Reason.NOT_NOW, "no journey is being prepared")
    require(command.admits_from > now.date(), Reason.INVALID, "the new day lies ahead", "admits_from")
    return [AdmissionPostponed(command.admits_from, command.reason)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a postponement; a newer one takes the place of the last."""
    return replace(case, postponed=Postponement(fact.event.admits_from, fact.id))


def arrives_in_time(case: Case) -> bool:
    """Say whether the planned day of arrival is not before the day the hospital postponed the admission to."""
    arrives = case.stay_plan.get("arrives")
    return case.postponed is None or not isinstance(arrives, date) or arrives >= case.postponed.admits_from


def _unplanned(case: Case) -> Iterable[str]:
    """Each postponement that the plan of the journey does not follow yet."""
    known = case.postponed
    return [known.fact] if known and preparing(case) and not arrives_in_time(case) else []


OWES = (
    Owes(
        "new_arrival_plan",
        Party.COORDINATOR,
        Party.HOSPITAL,
        _unplanned,
        lambda c, about: bool(c.postponed and c.postponed.fact == about and arrives_in_time(c)),
        settled_in="travel",
    ),
)

WANTS = (Wants("tell_family_of_postponement", Party.FAMILY, _unplanned),)
