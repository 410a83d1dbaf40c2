"""Admission [S6]: arrival, address registered within a day, permitted stay, admission, screening, trial consent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, assert_never

from domain.case.asking import notice
from domain.case.consenting import Form, consents_to_cells, form_asked, unsigned
from domain.case.phases.travel import Visa
from domain.case.stage import Exit, Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action


@dataclass(frozen=True, slots=True)
class RecordArrival:
    """The patient entered the country at `entered`; the stay clock starts."""

    entered: datetime
    type: Literal["RecordArrival"] = "RecordArrival"


@dataclass(frozen=True, slots=True)
class RegisterAddress:
    """The address in the country was registered, by the hotel or in person."""

    by: str = ""
    type: Literal["RegisterAddress"] = "RegisterAddress"


@dataclass(frozen=True, slots=True)
class AdmitPatient:
    """The hospital admitted the patient; `ref` is its encounter number."""

    ref: str
    type: Literal["AdmitPatient"] = "AdmitPatient"


@dataclass(frozen=True, slots=True)
class ConfirmScreening:
    """A clinician of the centre confirms, after the tests on site, that treatment goes on as planned."""

    clinician: Identity
    finding: Clinical = ""
    type: Literal["ConfirmScreening"] = "ConfirmScreening"


@dataclass(frozen=True, slots=True)
class FailScreening:
    """A clinician of the centre found a reason not to go on. An alternative is always named."""

    clinician: Identity
    code: Literal["progression", "infection", "organ_function", "antigen_lost", "consent_refused", "other"]
    alternative: Clinical
    type: Literal["FailScreening"] = "FailScreening"


@dataclass(frozen=True, slots=True)
class FileStayExtension:
    """An extension of stay was applied for."""

    type: Literal["FileStayExtension"] = "FileStayExtension"


@dataclass(frozen=True, slots=True)
class DecideStayExtension:
    """The authority decided; `until` is the new end of the permitted stay when granted."""

    granted: bool
    until: datetime | None = None
    type: Literal["DecideStayExtension"] = "DecideStayExtension"


Command = (
    RecordArrival
    | RegisterAddress
    | AdmitPatient
    | ConfirmScreening
    | FailScreening
    | FileStayExtension
    | DecideStayExtension
)


@dataclass(frozen=True, slots=True)
class PatientArrived:
    """The patient is in the country; `stay_until` is the end of the permitted stay, None = no visa needed."""

    entered: datetime
    stay_until: datetime | None
    type: Literal["PatientArrived"] = "PatientArrived"


@dataclass(frozen=True, slots=True)
class AddressRegistered:
    """The address is registered."""

    by: str
    type: Literal["AddressRegistered"] = "AddressRegistered"


@dataclass(frozen=True, slots=True)
class PatientAdmitted:
    """The patient is in hospital."""

    ref: str
    type: Literal["PatientAdmitted"] = "PatientAdmitted"


@dataclass(frozen=True, slots=True)
class ScreeningConfirmed:
    """The centre confirmed on site."""

    clinician: Identity
    finding: Clinical
    type: Literal["ScreeningConfirmed"] = "ScreeningConfirmed"


@dataclass(frozen=True, slots=True)
class ScreeningFailed:
    """The centre stopped before treatment and named an alternative."""

    clinician: Identity
    code: str
    alternative: Clinical
    type: Literal["ScreeningFailed"] = "ScreeningFailed"


@dataclass(frozen=True, slots=True)
class StayExtensionFiled:
    """An extension of stay is applied for."""

    type: Literal["StayExtensionFiled"] = "StayExtensionFiled"


@dataclass(frozen=True, slots=True)
class StayExtensionDecided:
    """The permitted stay was extended, or not."""

    granted: bool
    until: datetime | None
    type: Literal["StayExtensionDecided"] = "StayExtensionDecided"


Event = (
    PatientArrived
    | AddressRegistered
    | PatientAdmitted
    | ScreeningConfirmed
    | ScreeningFailed
    | StayExtensionFiled
    | StayExtensionDecided
)

TAKES = (
    Takes(RecordArrival, (PatientArrived,), at=stages(Stage.ADMISSION, Stage.REDOSING), settles=("arrival",)),
    Takes(RegisterAddress, (AddressRegistered,), at=stages(Stage.ADMISSION), settles=("address_registration",)),
    Takes(
        AdmitPatient,
        (PatientAdmitted,),
        at=stages(Stage.ADMISSION, Stage.REDOSING),
        by=Action.ANSWER,
        answers=("announce_arrival", "admission"),
    ),
    Takes(
        ConfirmScreening,
        (ScreeningConfirmed,),
        at=(Stage.ADMISSION,),
        by=Action.ANSWER,
        answers=("screening_result",),
    ),
    Takes(
        FailScreening,
        (ScreeningFailed,),
        at=stages(Stage.ADMISSION, Stage.INFUSION),
        by=Action.ANSWER,
        answers=("screening_result",),
    ),
    Takes(FileStayExtension, (StayExtensionFiled,), at=stages(Stage.ADMISSION), settles=("stay_end",)),
    Takes(DecideStayExtension, (StayExtensionDecided,), at=stages(Stage.ADMISSION), settles=("stay_end",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide an admission command: return the events it brings about. Raises Refused."""
    match command:
        case RecordArrival():
            require(case.entered is None, Reason.ALREADY, "the arrival is recorded")
            require(command.entered <= now, Reason.INVALID, "the arrival lies in the future", "entered")
            return [PatientArrived(command.entered, _stay_until(case, command.entered))]
        case RegisterAddress():
            require(case.entered, Reason.MISSING, "the arrival is not recorded")
            return [AddressRegistered(command.by)]
        case AdmitPatient():
            require(not case.admitted, Reason.ALREADY, "the patient is admitted")
            return [PatientAdmitted(command.ref)]
        case ConfirmScreening():
            require(case.admitted, Reason.MISSING, "the patient is not admitted")
            return [ScreeningConfirmed(command.clinician, command.finding)]
        case FailScreening():
            require(command.alternative, Reason.INVALID, "a refusal names an alternative pathway", "alternative")
            return [ScreeningFailed(command.clinician, command.code, command.alternative)]
        case FileStayExtension():
            require(case.stay_until, Reason.MISSING, "no permitted stay is recorded")
            return [StayExtensionFiled()]
        case DecideStayExtension():
            return [_extension(case, command)]
        case _:
            assert_never(command)


def _extension(case: Case, c: DecideStayExtension) -> Event:
    require(case.extension == "filed", Reason.MISSING, "no extension was applied for")
    require(not c.granted or c.until, Reason.INVALID, "a granted stay has an end", "until")
    return StayExtensionDecided(c.granted, c.until if c.granted else None)


def _stay_until(case: Case, entered: datetime) -> datetime | None:
    patient = case.patient
    visa = case.visas.get(patient.id) if patient else None
    return entered + timedelta(days=visa.stay_days) if visa and visa.stay_days else None


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one admission event."""
    event = fact.event
    match event:
        case PatientArrived():
            return _arrived(case, event)
        case AddressRegistered():
            return replace(case, address=fact.id)
        case PatientAdmitted():
            return replace(case, admitted=fact.id)
        case ScreeningConfirmed():
            return replace(case, screening="confirmed", progressed="")
        case ScreeningFailed():
            return replace(case, screening="failed", alternative=fact.id)
        case StayExtensionFiled():
            return replace(case, extension="filed")
        case StayExtensionDecided():
            granted = replace(case, extension="granted", stay_until=event.until)
            return granted if event.granted else replace(case, extension="refused")
        case _:
            assert_never(event)


def _arrived(case: Case, event: PatientArrived) -> Case:
    """The patient is there; visas are used up and doors on the way no longer matter."""
    visas = {p: _used(v) for p, v in case.visas.items()}
    here = replace(case, entered=event.entered, stay_until=event.stay_until, visas=visas)
    return replace(here, returning=False, home=None, shut=(), shut_fact="")


def _used(visa: Visa) -> Visa:
    return replace(visa, state="used") if visa.state == "granted" else visa


def gives_up(case: Case) -> Exit | None:
    """A failed screening ends the main line; the alternative is already named."""
    return Exit.SCREEN_FAILED if case.screening == "failed" and not case.infusions else None


def in_country(case: Case) -> bool:
    """Return whether the patient is away from home, for the treatment."""
    return case.entered is not None and case.home is None and not case.died


def _here(case: Case) -> bool:
    return case.stage is Stage.ADMISSION and not case.exit


def _expected(case: Case, _: str) -> datetime | None:
    """Six hours after the planned day has ended, an arrival is overdue."""
    arrives = case.stay_plan.get("arrives")
    return datetime.combine(arrives, time(), UTC) + timedelta(hours=30) if isinstance(arrives, date) else None


NEEDS = (
    Need("arrival recorded", lambda c, _: c.entered is not None, rests_on=("PatientArrived",)),
    Need("admitted", lambda c, _: bool(c.admitted), rests_on=("PatientAdmitted",)),
    Need("screening confirmed on site", lambda c, _: c.screening == "confirmed", rests_on=("ScreeningConfirmed",)),
    Need(
        "consent to the trial",
        lambda c, _: form_asked(c) != "trial" or consents_to_cells(c),
        waivable=False,
        rests_on=("ConsentGiven", "ProtocolStateNoted"),
    ),
    Need(
        "consent to treatment outside a trial",
        lambda c, _: form_asked(c) != "treatment" or consents_to_cells(c),
        waivable=False,
        rests_on=("ConsentGiven", "ProtocolStateNoted"),
    ),
    Need("acceptance of the particular risks", lambda c, _: c.consented("risks"), waivable=False),
)


def _unarrived(case: Case) -> Iterable[str]:
    travelling = case.stage is Stage.ADMISSION or case.returning
    booked = case.travel.state == "held" or case.stage is Stage.ADMISSION
    return [f"arrival/{case.travel.round}"] if travelling and booked and case.entered is None and not case.exit else []


def _unsigned(case: Case, form: Form) -> Iterable[str]:
    """The patient is there and a consent that nobody can waive is not given yet."""
    return unsigned(case, form) if _here(case) and case.entered else []


def _signed(case: Case, _: str) -> bool:
    return consents_to_cells(case) and case.consented("risks")


def _stay_ends(case: Case) -> Iterable[str]:
    return [case.stay_until.isoformat()] if in_country(case) and case.stay_until else []


OWES = (
    Owes(
        "arrival",
        Party.FAMILY,
        Party.COORDINATOR,
        _unarrived,
        lambda c, _: c.entered is not None,
        _expected,
    ),
    Owes(
        "address_registration",
        Party.FAMILY,
        Party.COORDINATOR,
        lambda c: [f"address/{c.travel.round}"] if in_country(c) and not c.address else [],
        lambda c, _: bool(c.address),
    ),
    Owes(
        "admission",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: ["admission"] if _here(c) and c.entered and not c.admitted else [],
        lambda c, _: bool(c.admitted),
    ),
    Owes(
        "trial_consent",
        Party.FAMILY,
        Party.HOSPITAL,
        lambda c: _unsigned(c, "trial"),
        _signed,
        settled_in="people",
    ),
    Owes(
        "treatment_consent",
        Party.FAMILY,
        Party.HOSPITAL,
        lambda c: _unsigned(c, "treatment"),
        _signed,
        settled_in="people",
    ),
    Owes(
        "screening_result",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: ["screening"] if _here(c) and c.admitted and c.screening == "none" else [],
        lambda c, _: c.screening != "none",
    ),
    Owes(
        "stay_end",
        Party.FAMILY,
        Party.COORDINATOR,
        _stay_ends,
        lambda c, about: c.home is not None or (c.stay_until is not None and c.stay_until.isoformat() != about),
        lambda _, about: datetime.fromisoformat(about),
    ),
)

WANTS = (
    Wants(
        "announce_arrival",
        Party.HOSPITAL,
        lambda c: [f"{c.centre}/{c.travel.round}"] if _here(c) and c.entered and c.centre else [],
        lambda c, _: bool(c.admitted),
        asks=notice("The patient is in the country"),
    ),
)
