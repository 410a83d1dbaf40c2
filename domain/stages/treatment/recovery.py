"""Recovery [S9-S10]: discharge to lodging, back to hospital, the response check and how it goes on, fit for home."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.stages.treatment.admission import in_country
from domain.stages.treatment.infusion import infused_all

Pathway = Literal["observe", "redose", "transplant", "other_therapy", "palliative"]


@dataclass(frozen=True, slots=True)
class DischargePatient:
    """The treating physician discharged the patient to lodging near the centre."""

    clinician: Identity
    occurred: When | None = None
    type: Literal["DischargePatient"] = "DischargePatient"


@dataclass(frozen=True, slots=True)
class ReadmitPatient:
    """Back to hospital."""

    reason: Clinical
    occurred: When | None = None
    type: Literal["ReadmitPatient"] = "ReadmitPatient"


@dataclass(frozen=True, slots=True)
class DecidePathway:
    """The treating physician or tumour board decides how it goes on."""

    pathway: Pathway
    clinician: Identity
    reason: Clinical = ""
    occurred: When | None = None
    type: Literal["DecidePathway"] = "DecidePathway"


@dataclass(frozen=True, slots=True)
class DeclareFitHome:
    """A clinician declares the patient fit to travel home."""

    clinician: Identity
    occurred: When | None = None
    type: Literal["DeclareFitHome"] = "DeclareFitHome"


Command = DischargePatient | ReadmitPatient | DecidePathway | DeclareFitHome


@dataclass(frozen=True, slots=True)
class PatientDischarged:
    """Out of hospital, near the centre."""

    clinician: Identity
    type: Literal["PatientDischarged"] = "PatientDischarged"


@dataclass(frozen=True, slots=True)
class PatientReadmitted:
    """Back in hospital."""

    reason: Clinical
    type: Literal["PatientReadmitted"] = "PatientReadmitted"


@dataclass(frozen=True, slots=True)
class PathwayDecided:
    """How it goes on after the response check."""

    pathway: Pathway
    clinician: Identity
    reason: Clinical
    type: Literal["PathwayDecided"] = "PathwayDecided"


@dataclass(frozen=True, slots=True)
class DeclaredFitHome:
    """Fit to travel home."""

    clinician: Identity
    type: Literal["DeclaredFitHome"] = "DeclaredFitHome"


Event = PatientDischarged | PatientReadmitted | PathwayDecided | DeclaredFitHome

TAKES = (
    Takes(DischargePatient, (PatientDischarged,), at=stages(Stage.LYMPHODEPLETION), by=Action.ANSWER),
    Takes(ReadmitPatient, (PatientReadmitted,), at=stages(Stage.LYMPHODEPLETION), by=Action.ANSWER),
    Takes(
        DecidePathway,
        (PathwayDecided,),
        at=stages(Stage.INFUSION, Stage.FOLLOW_UP),
        by=Action.ANSWER,
        answers=("response_check", "redosing_decision", "after_loss"),
    ),
    Takes(
        DeclareFitHome,
        (DeclaredFitHome,),
        at=stages(Stage.INFUSION, Stage.FOLLOW_UP),
        by=Action.ANSWER,
        answers=("fit_home",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about recovery: return the events it brings about. Raises Refused."""
    match command:
        case DischargePatient():
            return [PatientDischarged(command.clinician)]
        case ReadmitPatient():
            return [PatientReadmitted(command.reason)]
        case DecidePathway():
            require(case.infusions, Reason.MISSING, "no cells were infused")
            planned = case.treatment is not None and case.treatment.untouched
            require(not planned, Reason.NOT_NOW, "another treatment is planned; give that up first")
            return [PathwayDecided(command.pathway, command.clinician, command.reason)]
        case DeclareFitHome():
            return [DeclaredFitHome(command.clinician)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about recovery."""
    event = fact.event
    match event:
        case PatientDischarged():
            return replace(case, discharged=fact.id)
        case PatientReadmitted():
            return replace(case, discharged="", readmissions=case.readmissions + 1)
        case PathwayDecided():
            return replace(case, pathway=event.pathway, progressed="", loss_open="")
        case DeclaredFitHome():
            return replace(case, fit_home=fact.id)
        case _:
            assert_never(event)


def day_0(case: Case) -> datetime | None:
    """Return the instant follow-up counts from: the last infusion whose date is known [redosing.clock]."""
    known = [i.occurred.earliest for i in case.infusions if i.occurred.known and i.occurred.earliest]
    return max(known) if known else None


RESPONSE = timedelta(days=28 + 3)
"""The end of the window of the first response check [recovery.response]."""


def _response_due(case: Case, _: str) -> datetime | None:
    start = day_0(case)
    return start + RESPONSE if start else None


STAYING = ("redose", "transplant")

NEEDS = (
    Need("pathway decided after the response check", lambda c, _: bool(c.pathway), rests_on=("PathwayDecided",)),
    Need(
        "fit to travel home, or staying for more treatment",
        lambda c, _: bool(c.fit_home) or c.pathway in STAYING or c.home is not None,
        rests_on=("DeclaredFitHome", "PathwayDecided"),
    ),
)


def _unassessed(case: Case) -> Iterable[str]:
    here = case.stage is Stage.INFUSION and not case.exit
    return [str(len(case.infusions))] if here and infused_all(case) and not case.pathway else []


def _not_fit_yet(case: Case) -> Iterable[str]:
    decided = case.pathway and case.pathway not in STAYING
    here = case.stage is Stage.INFUSION or (case.stage is Stage.FOLLOW_UP and in_country(case))
    return ["home"] if here and decided and not case.fit_home and not case.exit and case.home is None else []


def _to_go_home(case: Case) -> Iterable[str]:
    """Whoever came for treatment is brought home, also when the journey was left early."""
    over = case.exit or (case.stage is Stage.FOLLOW_UP and case.fit_home)
    return ["home"] if in_country(case) and over else []


OWES = (
    Owes(
        "response_check",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _unassessed,
        lambda c, _: bool(c.pathway),
        _response_due,
    ),
    Owes("fit_home", Party.HOSPITAL, Party.FAMILY, _not_fit_yet, lambda c, _: bool(c.fit_home) or c.home is not None),
    Owes(
        "return_home",
        Party.COORDINATOR,
        Party.FAMILY,
        _to_go_home,
        lambda c, _: c.home is not None,
        settled_in="follow_up",
    ),
)
