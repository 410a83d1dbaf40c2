"""The people of a case [S1]: patient, carer, legal representative, home oncologist; and who consents to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from domain.case.phases.intake import Consent, Person
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Policy
from domain.stages.intake.majority import is_minor

PersonRole = Literal["patient", "carer", "legal_representative", "home_oncologist"]
Purpose = Literal["data_processing", "share_with_hospital", "cross_border", "translation", "trial", "registry", "risks"]
NAMED = ("share_with_hospital", "cross_border")
"""Consents that hold for one recipient only."""


@dataclass(frozen=True, slots=True)
class AddPerson:
    """Somebody else belongs to the case."""

    role: PersonRole
    name: Identity
    zone: str
    language: str
    mail: Identity = ""
    phone: Identity = ""
    minor: bool = False
    type: Literal["AddPerson"] = "AddPerson"


@dataclass(frozen=True, slots=True)
class ChangeContact:
    """A person's address, number, language or zone changed."""

    person: str
    mail: Identity
    phone: Identity
    zone: str
    language: str
    type: Literal["ChangeContact"] = "ChangeContact"


@dataclass(frozen=True, slots=True)
class GiveConsent:
    """The patient, or who represents them, consents to one purpose, for one recipient where one is named."""

    purpose: Purpose
    person: str
    form_version: str
    language: str
    recipient: str = ""
    type: Literal["GiveConsent"] = "GiveConsent"


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """A consent is taken back; what was done under it stays lawful."""

    purpose: Purpose
    person: str
    recipient: str = ""
    type: Literal["WithdrawConsent"] = "WithdrawConsent"


Command = AddPerson | ChangeContact | GiveConsent | WithdrawConsent


@dataclass(frozen=True, slots=True)
class PersonAdded:
    """Somebody belongs to the case."""

    person: str
    role: PersonRole
    name: Identity
    mail: Identity
    phone: Identity
    zone: str
    language: str
    minor: bool
    type: Literal["PersonAdded"] = "PersonAdded"


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """A person can be reached differently."""

    person: str
    mail: Identity
    phone: Identity
    zone: str
    language: str
    type: Literal["ContactChanged"] = "ContactChanged"


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """Consent to one purpose, with the form's version and language."""

    purpose: Purpose
    recipient: str
    person: str
    form_version: str
    language: str
    type: Literal["ConsentGiven"] = "ConsentGiven"


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    """A consent ended."""

    purpose: Purpose
    recipient: str
    person: str
    type: Literal["ConsentWithdrawn"] = "ConsentWithdrawn"


Event = PersonAdded | ContactChanged | ConsentGiven | ConsentWithdrawn

TAKES = (
    Takes(AddPerson, (PersonAdded,), at=EVERY_STAGE),
    Takes(ChangeContact, (ContactChanged,), at=EVERY_STAGE),
    Takes(GiveConsent, (ConsentGiven,), at=EVERY_STAGE),
    Takes(WithdrawConsent, (ConsentWithdrawn,), at=EVERY_STAGE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about people and consents: return the events it brings about. Raises Refused."""
    match command:
        case AddPerson():
            require(command.role != "patient", Reason.ALREADY, "a case has one patient", "role")
            return [added(command, ids)]
        case ChangeContact():
            require_person(case, command.person)
            require_zone(command.zone)
            c = command
            return [ContactChanged(c.person, c.mail, c.phone, c.zone, c.language)]
        case GiveConsent():
            return [_consent(case, command, now)]
        case WithdrawConsent():
            require_decider(case, command.person, now)
            given = case.consented(command.purpose, command.recipient)
            require(given, Reason.MISSING, "this consent is not given", "purpose")
            return [ConsentWithdrawn(command.purpose, command.recipient, command.person)]
        case _:
            assert_never(command)


def require_person(case: Case, person: str, field: str = "person") -> Person:
    """The person, or a refusal."""
    known = case.people.get(person)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such person in this case", field)
    return known


def require_zone(zone: str) -> None:
    """Refuse a time zone nobody could reckon with."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise Refused(Reason.INVALID, "no such time zone", "zone") from None


def added(c: AddPerson, ids: Ids) -> PersonAdded:
    """The event that makes somebody part of the case."""
    require(readable(c.name), Reason.INVALID, "a person needs a name", "name")
    require_zone(c.zone)
    return PersonAdded(ids(), c.role, c.name, c.mail, c.phone, c.zone, c.language, c.minor)


def require_decider(case: Case, person: str, now: datetime) -> Person:
    """The patient, or the legal representative, for a minor only the latter; or a refusal."""
    giver = require_person(case, person)
    if giver.role == "patient":
        require(
            not is_minor(case, giver, now), Reason.NOT_ALLOWED, "for a minor the legal representative decides", "person"
        )
    else:
        represents = giver.role == "legal_representative"
        require(represents, Reason.NOT_ALLOWED, "only the patient or the legal representative decides", "person")
    return giver


def _consent(case: Case, c: GiveConsent, now: datetime) -> Event:
    require_decider(case, c.person, now)
    named = c.purpose in NAMED
    require(not named or c.recipient, Reason.INVALID, "this consent names its recipient", "recipient")
    require(named or not c.recipient, Reason.INVALID, "this consent has no recipient", "recipient")
    return ConsentGiven(c.purpose, c.recipient, c.person, c.form_version, c.language)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about people and consents."""
    event = fact.event
    match event:
        case PersonAdded():
            e = event
            person = Person(e.person, e.role, e.name, e.mail, e.phone, e.zone, e.language, e.minor)
            return replace(case, people={**case.people, person.id: person})
        case ContactChanged():
            return _contact(case, event)
        case ConsentGiven():
            return _consented(case, Consent(event.purpose, event.recipient, True, fact.id, event.person))
        case ConsentWithdrawn():
            return _consented(case, Consent(event.purpose, event.recipient, False, fact.id, event.person))
        case _:
            assert_never(event)


def _contact(case: Case, e: ContactChanged) -> Case:
    known = case.people.get(e.person)
    if known is None:
        return case
    changed = replace(known, mail=e.mail, phone=e.phone, zone=e.zone, language=e.language)
    return replace(case, people={**case.people, e.person: changed})


def _consented(case: Case, consent: Consent) -> Case:
    return replace(case, consents={**case.consents, f"{consent.purpose}:{consent.recipient}": consent})
