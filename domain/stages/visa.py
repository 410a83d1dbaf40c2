"""Visa [S5] with the letter track: invitation letter, visas of all travellers, stay plan, ticket (DOMAIN.md 1.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, Refused, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Identity
from domain.policy import Party, Policy
from domain.stages.eligibility import accepted_now, protocol_open, require_open_door
from domain.state import Case, Stage, Visa
from domain.table import Need


@dataclass(frozen=True, slots=True)
class IssueLetter:
    """The hospital issued the invitation letter; `ref` is its own number."""

    ref: str
    valid_until: datetime
    type: Literal["IssueLetter"] = "IssueLetter"


@dataclass(frozen=True, slots=True)
class AskLetterAgain:
    """A coordinator asks for a corrected or new letter."""

    reason: Literal["wrong_details", "expired", "incomplete"]
    type: Literal["AskLetterAgain"] = "AskLetterAgain"


@dataclass(frozen=True, slots=True)
class RecordPassport:
    """A traveller's passport and the day it expires."""

    person: str
    expires: date
    number: Identity = ""
    type: Literal["RecordPassport"] = "RecordPassport"


@dataclass(frozen=True, slots=True)
class FileVisa:
    """An application went to the consulate. `category` is whatever that consulate calls it."""

    person: str
    category: str
    type: Literal["FileVisa"] = "FileVisa"


@dataclass(frozen=True, slots=True)
class GrantVisa:
    """The consulate granted it: enter by `valid_until`, stay `stay_days` days from entry."""

    person: str
    valid_until: datetime
    stay_days: int
    entries: int = 1
    type: Literal["GrantVisa"] = "GrantVisa"


@dataclass(frozen=True, slots=True)
class RefuseVisa:
    """The consulate refused."""

    person: str
    code: Literal["incomplete", "wrong_category", "not_convinced", "other"]
    type: Literal["RefuseVisa"] = "RefuseVisa"


@dataclass(frozen=True, slots=True)
class PlanStay:
    """When, how long, with whom, where to live and with what money. Days of 24 hours."""

    arrives: date
    days: int
    attendant: str
    lodging: Identity
    funds_confirmed: bool
    interpreter_language: str = ""
    type: Literal["PlanStay"] = "PlanStay"


@dataclass(frozen=True, slots=True)
class RecordFitToTravel:
    """A clinician states fitness to travel until `valid_until`."""

    clinician: Identity
    valid_until: datetime
    type: Literal["RecordFitToTravel"] = "RecordFitToTravel"


@dataclass(frozen=True, slots=True)
class BookTravel:
    """Buy the tickets: from here it costs money. Refused at a closed door (P7)."""

    departs: datetime
    type: Literal["BookTravel"] = "BookTravel"


@dataclass(frozen=True, slots=True)
class ConfirmTravel:
    """The centre confirmed the door is open at the instant of booking; `ref` is its confirmation."""

    ref: str
    type: Literal["ConfirmTravel"] = "ConfirmTravel"


@dataclass(frozen=True, slots=True)
class StopTravel:
    """The centre said the door is closed; the ticket is not bought."""

    code: str
    type: Literal["StopTravel"] = "StopTravel"


Command = (
    IssueLetter
    | AskLetterAgain
    | RecordPassport
    | FileVisa
    | GrantVisa
    | RefuseVisa
    | PlanStay
    | RecordFitToTravel
    | BookTravel
    | ConfirmTravel
    | StopTravel
)


@dataclass(frozen=True, slots=True)
class LetterIssued:
    """The hospital's invitation letter exists, valid until."""

    ref: str
    valid_until: datetime
    type: Literal["LetterIssued"] = "LetterIssued"


@dataclass(frozen=True, slots=True)
class LetterAsked:
    """A new invitation letter is needed."""

    reason: str
    round: int
    type: Literal["LetterAsked"] = "LetterAsked"


@dataclass(frozen=True, slots=True)
class PassportRecorded:
    """A traveller's passport is known."""

    person: str
    expires: date
    number: Identity
    type: Literal["PassportRecorded"] = "PassportRecorded"


@dataclass(frozen=True, slots=True)
class VisaFiled:
    """The consulate has an application; `round` counts a person's applications."""

    person: str
    category: str
    round: int
    type: Literal["VisaFiled"] = "VisaFiled"


@dataclass(frozen=True, slots=True)
class VisaGranted:
    """A traveller may enter until `valid_until` and stay `stay_days`."""

    person: str
    valid_until: datetime
    stay_days: int
    entries: int
    type: Literal["VisaGranted"] = "VisaGranted"


@dataclass(frozen=True, slots=True)
class VisaRefused:
    """A traveller was refused."""

    person: str
    code: str
    type: Literal["VisaRefused"] = "VisaRefused"


@dataclass(frozen=True, slots=True)
class StayPlanned:
    """The weeks in the country are planned."""

    arrives: date
    days: int
    attendant: str
    lodging: Identity
    funds_confirmed: bool
    interpreter_language: str
    type: Literal["StayPlanned"] = "StayPlanned"


@dataclass(frozen=True, slots=True)
class FitToTravelRecorded:
    """A clinician stated fitness to travel."""

    clinician: Identity
    valid_until: datetime
    type: Literal["FitToTravelRecorded"] = "FitToTravelRecorded"


@dataclass(frozen=True, slots=True)
class TravelAsked:
    """Tickets are to be bought if the centre confirms the open door; `round` counts the attempts."""

    departs: datetime
    round: int
    type: Literal["TravelAsked"] = "TravelAsked"


@dataclass(frozen=True, slots=True)
class TravelBooked:
    """The centre confirmed and the tickets are bought."""

    ref: str
    type: Literal["TravelBooked"] = "TravelBooked"


@dataclass(frozen=True, slots=True)
class TravelStopped:
    """The centre did not confirm; nobody travels."""

    code: str
    type: Literal["TravelStopped"] = "TravelStopped"


Event = (
    LetterIssued
    | LetterAsked
    | PassportRecorded
    | VisaFiled
    | VisaGranted
    | VisaRefused
    | StayPlanned
    | FitToTravelRecorded
    | TravelAsked
    | TravelBooked
    | TravelStopped
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What a visa or travel command brings about."""
    match command:
        case IssueLetter():
            require(command.valid_until > now, Reason.INVALID, "the letter has ended already", "valid_until")
            return [LetterIssued(command.ref, command.valid_until)]
        case AskLetterAgain():
            return [LetterAsked(command.reason, case.letter.round + 1)]
        case RecordPassport():
            _traveller(case, command.person)
            return [PassportRecorded(command.person, command.expires, command.number)]
        case FileVisa():
            return [_file(case, command, now)]
        case GrantVisa():
            _visa(case, command.person, "filed")
            require(command.valid_until > now, Reason.INVALID, "the visa has ended already", "valid_until")
            require(command.stay_days > 0, Reason.INVALID, "a stay has at least one day", "stay_days")
            return [VisaGranted(command.person, command.valid_until, command.stay_days, command.entries)]
        case RefuseVisa():
            _visa(case, command.person, "filed")
            return [VisaRefused(command.person, command.code)]
        case PlanStay():
            c = command
            require(c.days > 0, Reason.INVALID, "a stay has at least one day", "days")
            require(not c.attendant or c.attendant in case.people, Reason.NOT_FOUND, "no such person", "attendant")
            return [StayPlanned(c.arrives, c.days, c.attendant, c.lodging, c.funds_confirmed, c.interpreter_language)]
        case RecordFitToTravel():
            require(command.valid_until > now, Reason.INVALID, "the statement has ended already", "valid_until")
            return [FitToTravelRecorded(command.clinician, command.valid_until)]
        case BookTravel():
            return [_book(case, command, now)]
        case ConfirmTravel():
            require(case.travel.state == "asked", Reason.NOT_NOW, "no booking is waiting for the centre")
            return [TravelBooked(command.ref)]
        case StopTravel():
            require(case.travel.state == "asked", Reason.NOT_NOW, "no booking is waiting for the centre")
            return [TravelStopped(command.code)]
        case _:
            assert_never(command)


def _traveller(case: Case, person: str) -> None:
    require(person in case.people, Reason.NOT_FOUND, "no such person in this case", "person")


def _visa(case: Case, person: str, *states: str) -> Visa:
    known = case.visas.get(person)
    if known is None:
        raise Refused(Reason.MISSING, "no application was filed for this person", "person")
    require(known.state in states, Reason.NOT_NOW, f"the application is {known.state}", "person")
    return known


def _file(case: Case, c: FileVisa, now: datetime) -> Event:
    _traveller(case, c.person)
    known = case.visas.get(c.person)
    require(known is None or known.state != "filed", Reason.ALREADY, "an application is with the consulate", "person")
    require(case.letter.good_at(now), Reason.MISSING, "there is no valid invitation letter")
    require(c.person in case.passports, Reason.MISSING, "this person's passport is not recorded", "person")
    return VisaFiled(c.person, c.category, known.round + 1 if known else 1)


def travellers(case: Case) -> Sequence[str]:
    """The patient and the planned attendant."""
    patient = [case.patient.id] if case.patient else []
    attendant = str(case.stay_plan.get("attendant", ""))
    return [*patient, *([attendant] if attendant else [])]


def needs_visa(case: Case) -> bool:
    """Whether anybody crosses a border: the patient's country is not the centre's."""
    return bool(case.country != case.noted(case.centre).get("country", ""))


def closed_doors(case: Case, now: datetime) -> Sequence[str]:
    """What is shut or about to end, in words; empty = the way is free right now."""
    arrives = case.stay_plan.get("arrives")
    lands = datetime.combine(arrives, time(), UTC) if isinstance(arrives, date) else now
    door = max(now, lands)
    checks: list[tuple[bool, str]] = [
        (accepted_now(case, now), "the centre's acceptance has ended"),
        (protocol_open(case, case.protocol, now), "the protocol is not known to be open"),
        (case.dose.good_at(now), "no dose is held"),
        (case.bed.good_at(now), "no bed is held"),
        (case.fit_to_travel.good_at(now), "fitness to travel is not stated or has ended"),
        (bool(case.stay_plan.get("funds_confirmed")), "the stay is not planned and funded"),
    ]
    if needs_visa(case):
        checks += [(_may_enter(case, p, door), "a traveller has no visa valid on arrival") for p in travellers(case)]
        checks += [(_passport_lasts(case, p, lands), "a passport ends too soon") for p in travellers(case)]
    return [words for good, words in checks if not good]


def _may_enter(case: Case, person: str, at: datetime) -> bool:
    visa = case.visas.get(person)
    if visa is None or visa.state != "granted" or visa.valid_until is None:
        return False
    return at < visa.valid_until


def _passport_lasts(case: Case, person: str, lands: datetime) -> bool:
    """At least six months after entry (DOMAIN J2)."""
    expires = case.passports.get(person)
    return expires is not None and expires >= (lands + timedelta(days=183)).date()


def _book(case: Case, c: BookTravel, now: datetime) -> Event:
    require(case.travel.state not in ("asked", "held"), Reason.ALREADY, "travel is booked or being booked")
    require(c.departs > now, Reason.INVALID, "the departure lies in the past", "departs")
    require_open_door(case, case.centre, case.protocol, now)
    shut = closed_doors(case, now)
    require(not shut, Reason.LAPSED, "; ".join(dict.fromkeys(shut)))
    return TravelAsked(c.departs, case.travel.round)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one visa or travel event."""
    event = fact.event
    match event:
        case LetterIssued():
            return replace(case, letter=case.letter.held(event.ref, event.valid_until, fact.id))
        case LetterAsked():
            return replace(case, letter=case.letter.again(fact.id, keep=False))
        case PassportRecorded():
            return replace(case, passports={**case.passports, event.person: event.expires})
        case VisaFiled():
            return _with(case, Visa(event.person, "filed", event.round, event.category))
        case VisaGranted():
            known = case.visas.get(event.person, Visa(event.person, "filed"))
            return _with(
                case, replace(known, state="granted", valid_until=event.valid_until, stay_days=event.stay_days)
            )
        case VisaRefused():
            return _with(case, replace(case.visas.get(event.person, Visa(event.person, "filed")), state="refused"))
        case StayPlanned():
            return replace(case, stay_plan=_plan(event))
        case FitToTravelRecorded():
            return replace(case, fit_to_travel=case.fit_to_travel.held("", event.valid_until, fact.id))
        case TravelAsked():
            return replace(case, travel=replace(case.travel, state="asked", until=event.departs, fact=fact.id))
        case TravelBooked():
            return replace(case, travel=case.travel.held(event.ref, None, fact.id))
        case TravelStopped():
            stopped = replace(case.travel, state="refused", round=case.travel.round + 1, fact=fact.id)
            return replace(case, travel=stopped)
        case _:
            assert_never(event)


def _with(case: Case, visa: Visa) -> Case:
    return replace(case, visas={**case.visas, visa.person: visa})


def _plan(e: StayPlanned) -> dict[str, Any]:
    return {
        "arrives": e.arrives,
        "days": e.days,
        "attendant": e.attendant,
        "funds_confirmed": e.funds_confirmed,
        "interpreter_language": e.interpreter_language,
    }


def _here(case: Case) -> bool:
    return case.stage is Stage.VISA and not case.exit


def _letter_wanted(case: Case) -> Iterable[str]:
    asked = _here(case) and needs_visa(case) and case.letter.unanswered
    return [f"{case.centre}/{case.letter.round}"] if asked else []


def _unfiled(case: Case) -> Iterable[str]:
    if not (_here(case) and needs_visa(case) and case.letter.state == "held"):
        return []
    return [p for p in travellers(case) if p not in case.visas or case.visas[p].state == "refused"]


def _filed(case: Case) -> Iterable[str]:
    return [f"{v.person}/{v.round}" for v in case.visas.values() if v.state == "filed" and not case.exit]


def _decided(case: Case, about: str) -> bool:
    visa = case.visas.get(about.split("/", maxsplit=1)[0])
    return visa is not None and visa.state in ("granted", "refused")


NEEDS = (
    Need("stay planned and funded", lambda c, _: bool(c.stay_plan.get("funds_confirmed")), rests_on=("StayPlanned",)),
    Need(
        "visas of all travellers",
        lambda c, now: not needs_visa(c) or (bool(c.visas) and all(_may_enter(c, p, now) for p in travellers(c))),
        rests_on=("VisaGranted",),
    ),
    Need("travel booked at an open door", lambda c, _: c.travel.state == "held", rests_on=("TravelBooked",)),
)

OWES = (
    Owes(
        "invitation_letter",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _letter_wanted,
        lambda c, about: not c.letter.unanswered or not about.endswith(f"/{c.letter.round}"),
    ),
    Owes("visa_application", Party.FAMILY, Party.COORDINATOR, _unfiled, lambda c, about: about in c.visas),
    Owes("visa_outcome", Party.CONSULATE, Party.FAMILY, _filed, _decided),
    Owes(
        "stay_plan",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: ["stay"] if _here(c) and not c.stay_plan else [],
        lambda c, _: bool(c.stay_plan),
    ),
    Owes(
        "travel_booking",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: [str(c.travel.round)] if _here(c) and c.stay_plan and c.travel.state in ("none", "refused") else [],
        lambda c, about: c.travel.state == "held" or str(c.travel.round) != about,
    ),
)

WANTS = (
    Wants("request_invitation_letter", Party.HOSPITAL, _letter_wanted),
    Wants(
        "confirm_open_door",
        Party.HOSPITAL,
        lambda c: [f"{c.centre}/{c.travel.round}"] if c.travel.state == "asked" and not c.exit else [],
    ),
    Wants(
        "arrange_stay",
        Party.HOSPITAL,
        lambda c: [c.centre] if c.travel.state == "held" and not c.exit else [],
    ),
)
