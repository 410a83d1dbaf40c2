"""Moves an arrival [S5]: records the new day, and asks for what the plan of slip.py says does not hold on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from domain.case.asking import service
from domain.case.phases.travel import SLIP_KINDS, MovedArrival, SlipKind, SlipStep
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.stages.travel import arranging, letter, travel
from domain.stages.travel.arrangement_kinds import KINDS
from domain.stages.travel.letter import preparing
from domain.stages.treatment import bed, dose
from domain.stages.treatment.slip import parted, require_day, slip


@dataclass(frozen=True, slots=True)
class MoveArrival:
    """The patient arrives on another day, or what does not hold on the planned one is asked for.

    `carry_out` names the steps of the plan (GET /cases/{id}/slip) that are asked for now, such as `dose` or
    `visa:person-1`; each other open step is recorded as left out.
    """

    arrives: date
    carry_out: tuple[str, ...] = ()
    reason: Clinical = ""
    type: Literal["MoveArrival"] = "MoveArrival"


Command = MoveArrival


@dataclass(frozen=True, slots=True)
class ArrivalMoved:
    """The patient arrives on that day; these steps of the plan were carried out, and these left out by a person."""

    arrives: date
    planned: date
    carried_out: tuple[SlipStep, ...]
    left_out: tuple[SlipStep, ...]
    reason: Clinical
    type: Literal["ArrivalMoved"] = "ArrivalMoved"


Event = ArrivalMoved

TAKES = (
    Takes(
        MoveArrival,
        (
            ArrivalMoved,
            dose.DoseAsked,
            bed.BedAsked,
            letter.LetterAsked,
            travel.TravelStopped,
            arranging.ArrangementAskedAgain,
        ),
        at=stages(Stage.VISA, Stage.ADMISSION, Stage.REDOSING),
        settles=("new_arrival_plan",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Any]:
    """Move the arrival and ask for what was accepted of the plan. Raises Refused."""
    before = require_day(case, command.arrives, now)
    chosen, left = parted(slip(case, command.arrives, now, policy), command.carry_out)
    something = command.arrives != before or command.carry_out
    words = "the arrival is planned for that day already, and nothing was named to be asked for"
    require(something, Reason.ALREADY, words, "arrives")
    moved = ArrivalMoved(command.arrives, before, chosen, left, command.reason)
    kinds = dict.fromkeys(step.kind for step in chosen)
    asked = (event for kind in kinds if kind in ASKS for event in ASKS[kind](case, chosen, now, ids, policy))
    return [moved, *asked]


Asks = Callable[[Case, Sequence[SlipStep], datetime, Ids, Policy], Sequence[Any]]


def _letter(case: Case, steps: Sequence[SlipStep], now: datetime, ids: Ids, policy: Policy) -> Sequence[Any]:
    """A letter that ends too soon has expired for this purpose; one that lasts names the wrong day."""
    lasts = next(step.until is not None and step.until > step.needed for step in steps if step.kind == "letter")
    command = letter.AskLetterAgain("wrong_details" if lasts else "expired")
    return letter.decide(case, command, now, ids, policy)


def _arranged(kind: SlipKind) -> Asks:
    """Whatever of that kind is arranged with somebody is asked for again, for the new day."""

    def asked(case: Case, steps: Sequence[SlipStep], now: datetime, ids: Ids, policy: Policy) -> Sequence[Any]:
        known = ((step, case.arrangements.get(step.about)) for step in steps if step.kind == kind)
        return [arranging.again(a, step.needed.date()) for step, a in known if a]

    return asked


ASKS: Mapping[SlipKind, Asks] = {
    "dose": lambda c, _, now, ids, policy: dose.decide(c, dose.AskDoseAgain(), now, ids, policy),
    "bed": lambda c, _, now, ids, policy: bed.decide(c, bed.AskBedAgain(), now, ids, policy),
    "letter": _letter,
    **{kind: _arranged(kind) for kind in SLIP_KINDS if kind in KINDS},
    "ticket": lambda *_: [travel.TravelStopped("arrival_moved", answered=False)],
}
"""What is asked for by an event of its own; the rest is asked for by folding the move, and by the two messages."""


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a move: the new day; fitness is to be stated, and visas are to be applied for, again where that was said."""
    event = fact.event
    kinds = {step.kind for step in event.carried_out}
    people = {step.about for step in event.carried_out if step.kind in ("visa", "stay")}
    visas = {person: replace(v, again=True) if person in people else v for person, v in case.visas.items()}
    fit = case.fit_to_travel
    renewed = fit.renewal() if "fitness" in kinds and not fit.unanswered else fit
    kept = {name: value for name, value in case.stay_plan.items() if name != "departs" or "ticket" not in kinds}
    return replace(
        case,
        stay_plan={**kept, "arrives": event.arrives},
        moved=MovedArrival(event.arrives, fact.id, event.carried_out, event.left_out),
        visas=visas,
        fit_to_travel=renewed,
    )


def _to_family(case: Case) -> Iterable[str]:
    return [case.moved.fact] if case.moved and preparing(case) else []


def _to_centre(case: Case) -> Iterable[str]:
    return [f"{case.centre}/{case.moved.fact}"] if case.moved and preparing(case) else []


WANTS = (
    Wants("tell_family_of_arrival", Party.FAMILY, _to_family),
    Wants(
        "tell_centre_of_arrival",
        Party.HOSPITAL,
        _to_centre,
        asks=service("The planned day of arrival; please confirm that everything holds until then"),
    ),
)
"""Whoever has to act on the new day is told it: the centre confirms, the family applies, rebooks and arranges."""
