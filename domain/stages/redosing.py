"""Re-dosing [S11]: a new treatment of the same case, decided by a clinician, with its own dose, gate and day 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.errors import Reason, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Clinical, Identity
from domain.policy import Party, Policy
from domain.state import Case, Stage, Treatment
from domain.table import Need, Rule


@dataclass(frozen=True, slots=True)
class DecideRedosing:
    """A clinician decides on another treatment; `planned_infusions` of it."""

    clinician: Identity
    reason: Clinical = ""
    planned_infusions: int = 1
    type: Literal["DecideRedosing"] = "DecideRedosing"


@dataclass(frozen=True, slots=True)
class GiveUpRedosing:
    """A clinician decides against it after all; follow-up of the earlier dose goes on."""

    clinician: Identity
    reason: Clinical
    type: Literal["GiveUpRedosing"] = "GiveUpRedosing"


Command = DecideRedosing | GiveUpRedosing


@dataclass(frozen=True, slots=True)
class TreatmentPlanned:
    """A treatment begins: lymphodepletion or its omission, then the planned infusions."""

    treatment: int
    planned_infusions: int
    type: Literal["TreatmentPlanned"] = "TreatmentPlanned"


@dataclass(frozen=True, slots=True)
class RedosingDecided:
    """Another treatment will be given."""

    clinician: Identity
    reason: Clinical
    type: Literal["RedosingDecided"] = "RedosingDecided"


@dataclass(frozen=True, slots=True)
class RedosingGivenUp:
    """No further treatment will be given."""

    clinician: Identity
    reason: Clinical
    type: Literal["RedosingGivenUp"] = "RedosingGivenUp"


Event = TreatmentPlanned | RedosingDecided | RedosingGivenUp


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What a re-dosing command brings about."""
    match command:
        case DecideRedosing():
            require(command.planned_infusions > 0, Reason.INVALID, "at least one infusion", "planned_infusions")
            require(case.treatment and case.treatment.infusions, Reason.NOT_NOW, "the next treatment is planned")
            planned = TreatmentPlanned(len(case.treatments) + 1, command.planned_infusions)
            return [RedosingDecided(command.clinician, command.reason), planned]
        case GiveUpRedosing():
            return [RedosingGivenUp(command.clinician, command.reason)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one re-dosing event."""
    event = fact.event
    match event:
        case TreatmentPlanned():
            new = Treatment(event.treatment, event.planned_infusions)
            return replace(case, treatments=(*case.treatments, new), pathway="", fit_home="")
        case RedosingDecided():
            return case
        case RedosingGivenUp():
            kept = tuple(t for t in case.treatments if t.infusions)
            return replace(case, treatments=kept, pathway="observe")
        case _:
            assert_never(event)


def first_treatment(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Reaching lymphodepletion plans the first treatment, as many infusions as the protocol says."""
    due = case.stage is Stage.LYMPHODEPLETION and not case.treatments and not case.exit
    planned = int(case.noted(case.protocol).get("planned_infusions", 1) or 1)
    return [TreatmentPlanned(1, planned)] if due else []


RULES = (Rule("first_treatment", 1, first_treatment, ("StageEntered",)),)


def untouched(case: Case) -> bool:
    """Whether the newest treatment is planned and nothing of it has begun."""
    t = case.treatment
    return t is not None and not t.infusions and not t.gate and t.depletion == "none"


def _given_up(case: Case) -> bool:
    return case.pathway == "observe"


NEEDS = (
    Need("next treatment decided", lambda c, _: untouched(c) or _given_up(c), rests_on=("RedosingDecided",)),
    Need("dose held", lambda c, now: c.dose.good_at(now) or _given_up(c), rests_on=("DoseHeld",)),
    Need(
        "permitted stay not over",
        lambda c, now: c.stay_until is None or now < c.stay_until or _given_up(c),
        rests_on=("PatientArrived", "StayExtensionDecided"),
    ),
)

OWES = (
    Owes(
        "redosing_decision",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [str(len(c.infusions))] if c.stage is Stage.REDOSING and not c.exit and not untouched(c) else [],
        lambda c, _: untouched(c) or c.stage is not Stage.REDOSING,
    ),
)
