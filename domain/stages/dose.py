"""Dose track: one unit of one lot held for one patient, on a lease that ends by itself (P8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Trace
from domain.policy import Party, Policy
from domain.state import Case, Stage
from domain.table import Rule


@dataclass(frozen=True, slots=True)
class HoldDose:
    """Whoever keeps the lot holds one unit for this case until `until`."""

    lot: Trace
    unit: Trace
    until: datetime
    type: Literal["HoldDose"] = "HoldDose"


@dataclass(frozen=True, slots=True)
class RefuseDose:
    """No unit can be held now."""

    code: Literal["none_available", "lot_not_released", "expires_too_soon"]
    type: Literal["RefuseDose"] = "RefuseDose"


@dataclass(frozen=True, slots=True)
class AskDoseAgain:
    """A coordinator asks for a dose again after none was available, or for a longer hold."""

    type: Literal["AskDoseAgain"] = "AskDoseAgain"


Command = HoldDose | RefuseDose | AskDoseAgain


@dataclass(frozen=True, slots=True)
class DoseHeld:
    """A unit is held for this case until `until`."""

    lot: Trace
    unit: Trace
    until: datetime
    type: Literal["DoseHeld"] = "DoseHeld"


@dataclass(frozen=True, slots=True)
class DoseRefused:
    """No unit could be held."""

    code: str
    type: Literal["DoseRefused"] = "DoseRefused"


@dataclass(frozen=True, slots=True)
class DoseAsked:
    """A dose is asked for again."""

    round: int
    type: Literal["DoseAsked"] = "DoseAsked"


@dataclass(frozen=True, slots=True)
class DoseLapsed:
    """The hold ended by itself."""

    type: Literal["DoseLapsed"] = "DoseLapsed"


@dataclass(frozen=True, slots=True)
class DoseLost:
    """The held lot was quarantined or recalled."""

    lot_state: str
    type: Literal["DoseLost"] = "DoseLost"


Event = DoseHeld | DoseRefused | DoseAsked | DoseLapsed | DoseLost


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What a dose command brings about."""
    match command:
        case HoldDose():
            require(command.until > now, Reason.INVALID, "the hold has ended already", "until")
            return [DoseHeld(command.lot, command.unit, command.until)]
        case RefuseDose():
            return [DoseRefused(command.code)]
        case AskDoseAgain():
            require(case.accepted, Reason.MISSING, "no centre has accepted yet")
            return [DoseAsked(case.dose.round + 1)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one dose event."""
    event = fact.event
    match event:
        case DoseHeld():
            lot = event.lot if isinstance(event.lot, str) else ""
            unit = event.unit if isinstance(event.unit, str) else ""
            return replace(case, dose=case.dose.held(unit, event.until, fact.id), lot=lot)
        case DoseRefused():
            return replace(case, dose=case.dose.ended("refused", fact.id))
        case DoseAsked():
            return replace(case, dose=case.dose.again(fact.id, keep=case.dose.good_at(fact.at)))
        case DoseLapsed() | DoseLost():
            return replace(case, dose=case.dose.again(fact.id, keep=False))
        case _:
            assert_never(event)


def needed(case: Case) -> bool:
    """Whether the journey still needs a unit: accepted, priced, and the planned cells are not in yet."""
    if case.exit or case.accepted is None or case.quote.state != "held":
        return False
    if case.stage in (Stage.ELIGIBILITY, Stage.VISA, Stage.ADMISSION, Stage.REDOSING):
        return True
    running = case.stage in (Stage.LYMPHODEPLETION, Stage.INFUSION)
    return running and case.treatment is not None and not case.treatment.complete


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A hold ends at its own instant, whoever looks."""
    ended = case.dose.state == "held" and case.dose.until is not None and case.dose.until <= now
    thawed = case.treatment is not None and case.treatment.thawed
    return [DoseLapsed()] if ended and not thawed else []


def lose(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A held unit of a lot that is no longer released is no dose."""
    state = str(case.noted(case.lot).get("state", "released")) if case.lot else "released"
    thawed = case.treatment is not None and case.treatment.thawed
    return [DoseLost(state)] if case.dose.state == "held" and state != "released" and not thawed else []


RULES = (
    Rule("dose_hold_ends", 1, lapse, ("DoseHeld",)),
    Rule("dose_lot_not_released", 1, lose, ("DoseHeld", "LotStateNoted")),
)


def _wanted(case: Case) -> Iterable[str]:
    return [f"{case.centre}/{case.dose.round}"] if needed(case) and case.dose.unanswered else []


OWES = (
    Owes(
        "dose_hold_renewal",
        Party.COORDINATOR,
        Party.HOSPITAL,
        lambda c: [c.dose.fact] if needed(c) and c.dose.state == "held" else [],
        lambda c, about: c.dose.fact != about,
        lambda c, _: c.dose.until,
    ),
    Owes(
        "find_dose",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: [c.dose.fact] if needed(c) and c.dose.state == "refused" else [],
        lambda c, about: c.dose.fact != about,
    ),
)

WANTS = (Wants("reserve_dose", Party.HOSPITAL, _wanted),)
