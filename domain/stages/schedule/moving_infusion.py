"""Moves an infusion once the patient is there: records the new day and asks for what does not hold on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from domain.case.asking import service
from domain.case.phases.travel import MovedInfusion, SlipStep
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.stages.schedule.infusion_slip import (
    expected_infusion,
    infusion_slip,
    moved_infusion,
    planned_by_hospital,
    there,
)
from domain.stages.travel.arranging import ArrangementAskedAgain
from domain.stages.treatment import dose
from domain.stages.treatment.slip import parted


@dataclass(frozen=True, slots=True)
class MoveInfusion:
    """The next infusion is on another day, or what does not hold on the planned one is asked for.

    `carry_out` names the steps of the plan (GET /cases/{id}/slip) that are asked for now, such as `dose` or `stay`;
    each other open step is recorded as left out.
    """

    infusion_day: date
    carry_out: tuple[str, ...] = ()
    reason: Clinical = ""
    type: Literal["MoveInfusion"] = "MoveInfusion"


Command = MoveInfusion


@dataclass(frozen=True, slots=True)
class InfusionMoved:
    """The next infusion is on that day; these steps of its plan were carried out, and these left out by a person."""

    infusion_day: date
    planned: date | None
    plan: date | None
    carried_out: tuple[SlipStep, ...]
    left_out: tuple[SlipStep, ...]
    reason: Clinical
    type: Literal["InfusionMoved"] = "InfusionMoved"


Event = InfusionMoved

TAKES = (
    Takes(
        MoveInfusion,
        (InfusionMoved, dose.DoseAsked, ArrangementAskedAgain),
        at=(Stage.ADMISSION, Stage.LYMPHODEPLETION, Stage.INFUSION),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Any]:
    """Move the infusion and ask for what was accepted of the plan. Raises Refused."""
    chosen, left = parted(infusion_slip(case, command.infusion_day, now, policy), command.carry_out)
    before = expected_infusion(case, policy)
    words = "the infusion is planned for that day already, and nothing was named to be asked for"
    require(command.infusion_day != before or chosen, Reason.ALREADY, words, "infusion_day")
    moved = InfusionMoved(command.infusion_day, before, planned_by_hospital(case), chosen, left, command.reason)
    again = dose.decide(case, dose.AskDoseAgain(), now, ids, policy) if any(s.kind == "dose" for s in chosen) else ()
    return [moved, *again, *(event for step in chosen for event in _longer(case, step))]


def _longer(case: Case, step: SlipStep) -> Sequence[ArrangementAskedAgain]:
    """What is arranged is asked for until it is needed for the last time."""
    known = case.arrangements.get(step.about)
    return [ArrangementAskedAgain(known.id, known.starts, step.needed, known.arrives, slot=False)] if known else []


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a move; a newer one takes the place of the last."""
    e = fact.event
    moved = MovedInfusion(e.infusion_day, fact.id, e.plan, len(case.infusions), e.carried_out, e.left_out)
    return replace(case, moved_infusion=moved)


def _told(case: Case) -> Iterable[str]:
    known = moved_infusion(case)
    return [known.fact] if known and there(case) else []


WANTS = (
    Wants("tell_family_of_infusion", Party.FAMILY, _told),
    Wants(
        "tell_centre_of_infusion",
        Party.HOSPITAL,
        lambda c: [f"{c.centre}/{fact}" for fact in _told(c)],
        asks=service("The planned day of infusion; please plan what comes before it and confirm that everything holds"),
    ),
)
"""Whoever has to act on the new day is told it: the centre plans anew, the family extends what ends too soon."""
