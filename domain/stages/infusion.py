"""Infusion [S8-S10]: authorised, identity checked by two, thawed, infused; then watched until fit to travel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, Refused, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Clinical, Identity, Trace
from domain.policy import Party, Policy
from domain.state import Case, Infusion, Stage, Treatment
from domain.table import Need
from domain.when import When

Pathway = Literal["observe", "redose", "transplant", "other_therapy", "palliative"]


@dataclass(frozen=True, slots=True)
class AuthoriseInfusion:
    """The treating physician authorises the cells."""

    clinician: Identity
    type: Literal["AuthoriseInfusion"] = "AuthoriseInfusion"


@dataclass(frozen=True, slots=True)
class CheckIdentity:
    """Two people at the bedside, independently, matched patient and bag. Never waived (DOMAIN.md 3.3)."""

    first: str
    second: str
    unit: Trace
    patient_matches: bool
    unit_matches: bool
    type: Literal["CheckIdentity"] = "CheckIdentity"


@dataclass(frozen=True, slots=True)
class StartThaw:
    """The bag leaves the cold. From here it is infused or destroyed, never put back."""

    unit: Trace
    occurred: When | None = None
    type: Literal["StartThaw"] = "StartThaw"


@dataclass(frozen=True, slots=True)
class DestroyUnit:
    """A thawed unit that was not infused was destroyed."""

    unit: Trace
    reason: Clinical
    type: Literal["DestroyUnit"] = "DestroyUnit"


@dataclass(frozen=True, slots=True)
class RecordInfusion:
    """The cells are in. `cells` is the dose as the hospital wrote it, with its unit."""

    unit: Trace
    cells: Clinical = ""
    occurred: When | None = None
    type: Literal["RecordInfusion"] = "RecordInfusion"


@dataclass(frozen=True, slots=True)
class PlanInfusions:
    """This treatment is planned as several infusions, or fewer than planned."""

    count: int
    type: Literal["PlanInfusions"] = "PlanInfusions"


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


Command = (
    AuthoriseInfusion
    | CheckIdentity
    | StartThaw
    | DestroyUnit
    | RecordInfusion
    | PlanInfusions
    | DischargePatient
    | ReadmitPatient
    | DecidePathway
    | DeclareFitHome
)


@dataclass(frozen=True, slots=True)
class InfusionAuthorised:
    """A physician authorised the next infusion."""

    treatment: int
    clinician: Identity
    type: Literal["InfusionAuthorised"] = "InfusionAuthorised"


@dataclass(frozen=True, slots=True)
class IdentityChecked:
    """Two different people matched patient and unit."""

    treatment: int
    first: str
    second: str
    unit: Trace
    type: Literal["IdentityChecked"] = "IdentityChecked"


@dataclass(frozen=True, slots=True)
class ThawStarted:
    """The unit is thawing."""

    treatment: int
    unit: Trace
    type: Literal["ThawStarted"] = "ThawStarted"


@dataclass(frozen=True, slots=True)
class UnitDestroyed:
    """A thawed unit was destroyed."""

    treatment: int
    unit: Trace
    reason: Clinical
    type: Literal["UnitDestroyed"] = "UnitDestroyed"


@dataclass(frozen=True, slots=True)
class InfusionCompleted:
    """Cells went in: never changes again; follow-up of fifteen years begins (DOMAIN F2)."""

    treatment: int
    number: int
    lot: Trace
    unit: Trace
    cells: Clinical
    type: Literal["InfusionCompleted"] = "InfusionCompleted"


@dataclass(frozen=True, slots=True)
class InfusionsPlanned:
    """How many infusions this treatment consists of."""

    treatment: int
    count: int
    type: Literal["InfusionsPlanned"] = "InfusionsPlanned"


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


Event = (
    InfusionAuthorised
    | IdentityChecked
    | ThawStarted
    | UnitDestroyed
    | InfusionCompleted
    | InfusionsPlanned
    | PatientDischarged
    | PatientReadmitted
    | PathwayDecided
    | DeclaredFitHome
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What an infusion command brings about."""
    number = len(case.treatments)
    match command:
        case AuthoriseInfusion():
            _due(case)
            _lot_released(case, now)
            return [InfusionAuthorised(number, command.clinician)]
        case CheckIdentity():
            return [_checked(case, command)]
        case StartThaw():
            require(_due(case).authorised, Reason.MISSING, "the infusion is not authorised")
            require(_due(case).identity_checked, Reason.NEVER_WAIVED, "two people have not checked identity")
            require(not _due(case).thawed, Reason.ALREADY, "a unit is thawing")
            _lot_released(case, now)
            return [ThawStarted(number, command.unit)]
        case DestroyUnit():
            require(_due(case).thawed, Reason.MISSING, "no unit is thawed")
            return [UnitDestroyed(number, command.unit, command.reason)]
        case RecordInfusion():
            require(_due(case).thawed, Reason.MISSING, "no unit is thawed")
            infused = len(case.infusions) + 1
            return [InfusionCompleted(number, infused, case.lot, command.unit, command.cells)]
        case PlanInfusions():
            require(case.treatment, Reason.MISSING, "no treatment is under way")
            given = len(case.treatment.infusions) if case.treatment else 0
            require(command.count >= max(1, given), Reason.INVALID, "fewer than were given", "count")
            return [InfusionsPlanned(number, command.count)]
        case DischargePatient():
            return [PatientDischarged(command.clinician)]
        case ReadmitPatient():
            return [PatientReadmitted(command.reason)]
        case DecidePathway():
            require(case.infusions, Reason.MISSING, "no cells were infused")
            return [PathwayDecided(command.pathway, command.clinician, command.reason)]
        case DeclareFitHome():
            return [DeclaredFitHome(command.clinician)]
        case _:
            assert_never(command)


def _due(case: Case) -> Treatment:
    if case.treatment is None or case.treatment.complete:
        raise Refused(Reason.NOT_NOW, "every planned infusion of this treatment is given")
    return case.treatment


def _lot_released(case: Case, now: datetime) -> None:
    require(case.dose.good_at(now), Reason.LAPSED, "no dose is held now")
    require(case.noted(case.lot).get("state") == "released", Reason.NEVER_WAIVED, "the lot is not released")


def _checked(case: Case, c: CheckIdentity) -> Event:
    require(_due(case).authorised, Reason.MISSING, "the infusion is not authorised")
    require(c.first and c.second and c.first != c.second, Reason.FOUR_EYES, "two different people check", "second")
    require(c.patient_matches and c.unit_matches, Reason.NEVER_WAIVED, "a mismatch is a hard stop", "unit_matches")
    require(c.unit == case.dose.ref or not case.dose.ref, Reason.NEVER_WAIVED, "this is not the unit held", "unit")
    return IdentityChecked(len(case.treatments), c.first, c.second, c.unit)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one infusion event."""
    event = fact.event
    match event:
        case InfusionAuthorised():
            return _changed(case, event.treatment, authorised=fact.id)
        case IdentityChecked():
            return _changed(case, event.treatment, identity_checked=fact.id)
        case ThawStarted():
            return _changed(case, event.treatment, thawed=fact.id)
        case UnitDestroyed():
            spent = replace(case, dose=case.dose.again(fact.id, keep=False))
            return _changed(spent, event.treatment, thawed="", authorised="", identity_checked="")
        case InfusionCompleted():
            return _infused(case, event, fact)
        case InfusionsPlanned():
            return _changed(case, event.treatment, planned_infusions=event.count)
        case PatientDischarged():
            return replace(case, discharged=fact.id)
        case PatientReadmitted():
            return replace(case, discharged="", readmissions=case.readmissions + 1)
        case PathwayDecided():
            return replace(case, pathway=event.pathway)
        case DeclaredFitHome():
            return replace(case, fit_home=fact.id)
        case _:
            assert_never(event)


def _infused(case: Case, event: InfusionCompleted, fact: Fact[Event]) -> Case:
    new = Infusion(event.number, fact.occurred, event.lot, fact.id)
    known = next((t for t in case.treatments if t.number == event.treatment), None)
    given = (*known.infusions, new) if known else (new,)
    follow_up = case.follow_up if case.follow_up != "none" else "open"
    spent = replace(case, dose=case.dose.again(fact.id, keep=False), follow_up=follow_up, pathway="")
    return _changed(spent, event.treatment, infusions=given, thawed="", authorised="", identity_checked="")


def _changed(case: Case, number: int, **changes: object) -> Case:
    treatments = tuple(
        replace(t, **changes) if t.number == number else t  # type: ignore[arg-type]
        for t in case.treatments
    )
    return replace(case, treatments=treatments)


def _here(case: Case) -> bool:
    return case.stage is Stage.INFUSION and not case.exit


def _infused_all(case: Case) -> bool:
    return case.treatment is not None and case.treatment.complete


def day_0(case: Case) -> datetime | None:
    """The instant follow-up counts from: the last infusion whose date is known (DOMAIN.md 3.11)."""
    known = [i.occurred.earliest for i in case.infusions if i.occurred.known and i.occurred.earliest]
    return max(known) if known else None


def _window(case: Case, _: str) -> datetime | None:
    return case.treatment.window_closes if case.treatment else None


def _after_day_0(days: int) -> object:
    def due(case: Case, _: str) -> datetime | None:
        start = day_0(case)
        return start + timedelta(days=days) if start else None

    return due


NEEDS = (
    Need("every planned infusion given", lambda c, _: _infused_all(c), rests_on=("InfusionCompleted",)),
    Need("pathway decided after the response check", lambda c, _: bool(c.pathway), rests_on=("PathwayDecided",)),
    Need(
        "fit to travel home, or staying for more treatment",
        lambda c, _: bool(c.fit_home) or c.pathway in ("redose", "transplant"),
        rests_on=("DeclaredFitHome", "PathwayDecided"),
    ),
)

OWES = (
    Owes(
        "infusion_window",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [str(len(c.treatments))] if _here(c) and not _infused_all(c) else [],
        lambda c, _: _infused_all(c),
        _window,
    ),
    Owes(
        "response_check",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [str(len(c.infusions))] if _here(c) and _infused_all(c) and not c.pathway else [],
        lambda c, _: bool(c.pathway),
        _after_day_0(28),  # type: ignore[arg-type]
    ),
    Owes(
        "fit_home",
        Party.HOSPITAL,
        Party.FAMILY,
        lambda c: (
            ["home"] if _here(c) and c.pathway in ("observe", "other_therapy", "palliative") and not c.fit_home else []
        ),
        lambda c, _: bool(c.fit_home),
    ),
)

WANTS = (
    Wants(
        "confirm_thaw",
        Party.HOSPITAL,
        lambda c: (
            [c.treatment.identity_checked]
            if _here(c) and c.treatment and c.treatment.identity_checked and not c.treatment.thawed
            else []
        ),
    ),
)
