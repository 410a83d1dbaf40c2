"""Inquiry [S1]: who asks, for whom, with whose consent; urgent cases are pointed to local care first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.case_number import case_number
from domain.errors import Reason, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Clinical, Identity
from domain.policy import Party, Policy
from domain.state import Case, Consent, Exit, Person, Stage, readable
from domain.table import Need

PersonRole = Literal["patient", "carer", "legal_representative", "home_oncologist"]
Purpose = Literal["data_processing", "share_with_hospital", "cross_border", "translation", "trial", "registry", "risks"]
Triage = Literal["autologous_not_feasible", "manufacture_failed", "not_fast_enough", "other"]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A family asks for help. `country` is ISO 3166 alpha-2, `zone` an IANA time zone, `language` BCP 47."""

    country: str
    language: str
    zone: str
    patient_name: Identity
    patient_mail: Identity = ""
    patient_phone: Identity = ""
    diagnosis: Clinical = ""
    triage: Triage = "other"
    urgent: bool = False
    minor: bool = False
    owner: str = ""
    team: str = ""
    imported: bool = False
    type: Literal["OpenCase"] = "OpenCase"


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


@dataclass(frozen=True, slots=True)
class AcknowledgeScope:
    """The family read that nothing is promised: no access, no eligibility, no outcome."""

    person: str
    form_version: str
    type: Literal["AcknowledgeScope"] = "AcknowledgeScope"


@dataclass(frozen=True, slots=True)
class ReplyToFamily:
    """A coordinator answered the inquiry."""

    channel: Literal["call", "mail", "message", "visit"]
    note: Identity = ""
    type: Literal["ReplyToFamily"] = "ReplyToFamily"


@dataclass(frozen=True, slots=True)
class AdviseLocalCare:
    """An emergency: the family was told to seek local care now. No triage advice is given."""

    channel: Literal["call", "mail", "message", "visit"]
    type: Literal["AdviseLocalCare"] = "AdviseLocalCare"


@dataclass(frozen=True, slots=True)
class SetUrgency:
    """The medical reviewer marks a case urgent, or no longer so."""

    urgent: bool
    reason: Clinical
    type: Literal["SetUrgency"] = "SetUrgency"


Command = (
    OpenCase
    | AddPerson
    | ChangeContact
    | GiveConsent
    | WithdrawConsent
    | AcknowledgeScope
    | ReplyToFamily
    | AdviseLocalCare
    | SetUrgency
)


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """An inquiry became a case with a number people can say on the phone."""

    number: str
    country: str
    language: str
    zone: str
    triage: Triage
    urgent: bool
    owner: str
    team: str
    imported: bool
    diagnosis: Clinical
    type: Literal["CaseOpened"] = "CaseOpened"


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


@dataclass(frozen=True, slots=True)
class ScopeAcknowledged:
    """The family knows that nothing is promised."""

    person: str
    form_version: str
    type: Literal["ScopeAcknowledged"] = "ScopeAcknowledged"


@dataclass(frozen=True, slots=True)
class FamilyAnswered:
    """The inquiry got its first human answer."""

    channel: str
    note: Identity
    type: Literal["FamilyAnswered"] = "FamilyAnswered"


@dataclass(frozen=True, slots=True)
class LocalCareAdvised:
    """The family was told to seek local care now."""

    channel: str
    type: Literal["LocalCareAdvised"] = "LocalCareAdvised"


@dataclass(frozen=True, slots=True)
class UrgencySet:
    """The case became urgent, or stopped being so."""

    urgent: bool
    reason: Clinical
    type: Literal["UrgencySet"] = "UrgencySet"


Event = (
    CaseOpened
    | PersonAdded
    | ContactChanged
    | ConsentGiven
    | ConsentWithdrawn
    | ScopeAcknowledged
    | FamilyAnswered
    | LocalCareAdvised
    | UrgencySet
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What an inquiry command brings about."""
    match command:
        case OpenCase():
            return _open(case, command, ids)
        case AddPerson():
            return [_person(command, ids)]
        case ChangeContact():
            require(command.person in case.people, Reason.NOT_FOUND, "no such person in this case", "person")
            c = command
            return [ContactChanged(c.person, c.mail, c.phone, c.zone, c.language)]
        case GiveConsent():
            return [_consent(case, command)]
        case WithdrawConsent():
            require(
                case.consented(command.purpose, command.recipient),
                Reason.MISSING,
                "this consent is not given",
                "purpose",
            )
            return [ConsentWithdrawn(command.purpose, command.recipient, command.person)]
        case AcknowledgeScope():
            require(command.person in case.people, Reason.NOT_FOUND, "no such person in this case", "person")
            return [ScopeAcknowledged(command.person, command.form_version)]
        case ReplyToFamily():
            return [FamilyAnswered(command.channel, command.note)]
        case AdviseLocalCare():
            return [LocalCareAdvised(command.channel)]
        case SetUrgency():
            require(command.urgent != case.urgent, Reason.ALREADY, "the case already stands so", "urgent")
            return [UrgencySet(command.urgent, command.reason)]
        case _:
            assert_never(command)


def _open(case: Case, c: OpenCase, ids: Ids) -> Sequence[Event]:
    require(case.version == 0, Reason.ALREADY, "the case is open already")
    require(readable(c.patient_name), Reason.INVALID, "a patient needs a name", "patient_name")
    number = case_number(ids())
    opened = CaseOpened(
        number, c.country, c.language, c.zone, c.triage, c.urgent, c.owner, c.team, c.imported, c.diagnosis
    )
    patient = AddPerson("patient", c.patient_name, c.zone, c.language, c.patient_mail, c.patient_phone, c.minor)
    return [opened, _person(patient, ids)]


def _person(c: AddPerson, ids: Ids) -> PersonAdded:
    require(readable(c.name), Reason.INVALID, "a person needs a name", "name")
    return PersonAdded(ids(), c.role, c.name, c.mail, c.phone, c.zone, c.language, c.minor)


def _consent(case: Case, c: GiveConsent) -> Event:
    giver = case.people.get(c.person)
    if giver is None:
        require(False, Reason.NOT_FOUND, "no such person in this case", "person")
    elif giver.role == "patient":
        require(not giver.minor, Reason.NOT_ALLOWED, "for a minor the legal representative consents", "person")
    else:
        require(
            giver.role == "legal_representative",
            Reason.NOT_ALLOWED,
            "only the patient or the legal representative consents",
            "person",
        )
    if c.purpose in ("share_with_hospital", "cross_border"):
        require(c.recipient, Reason.INVALID, "this consent names its recipient", "recipient")
    return ConsentGiven(c.purpose, c.recipient, c.person, c.form_version, c.language)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one inquiry event."""
    event = fact.event
    match event:
        case CaseOpened():
            return replace(
                case,
                number=event.number,
                country=event.country,
                language=event.language,
                zone=event.zone,
                triage=event.triage,
                urgent=event.urgent,
                owner=event.owner,
                team=event.team,
                imported=event.imported,
                diagnosis=event.diagnosis,
                opened_at=fact.at,
                stage=Stage.INQUIRY,
                stage_since=fact.at,
            )
        case PersonAdded():
            e = event
            person = Person(e.person, e.role, e.name, e.mail, e.phone, e.zone, e.language, e.minor)
            return replace(case, people={**case.people, person.id: person})
        case ContactChanged():
            return _contact(case, event)
        case ConsentGiven():
            return _consented(case, Consent(event.purpose, event.recipient, True, fact.id))
        case ConsentWithdrawn():
            return _consented(case, Consent(event.purpose, event.recipient, False, fact.id))
        case ScopeAcknowledged():
            return replace(case, scope_acknowledged=fact.id)
        case FamilyAnswered():
            return replace(case, replied=fact.id)
        case LocalCareAdvised():
            return replace(case, local_care=fact.id, replied=fact.id)
        case UrgencySet():
            return replace(case, urgent=event.urgent)
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


def _in_inquiry(case: Case) -> bool:
    return case.stage is Stage.INQUIRY and case.exit is None


def _answered(case: Case) -> bool:
    return bool(case.replied)


def _agreed(case: Case) -> bool:
    return bool(case.consented("data_processing") and case.scope_acknowledged)


NEEDS = (
    Need("first answer to the family", lambda c, _: _answered(c), rests_on=("FamilyAnswered", "LocalCareAdvised")),
    Need(
        "consent to process health data",
        lambda c, _: c.consented("data_processing"),
        waivable=False,
        rests_on=("ConsentGiven",),
    ),
    Need("acknowledgement that nothing is promised", lambda c, _: bool(c.scope_acknowledged)),
)

OWES = (
    Owes(
        "first_reply",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: ["inquiry"] if _in_inquiry(c) and not _answered(c) else [],
        lambda c, _: _answered(c),
    ),
    Owes(
        "family_reply",
        Party.FAMILY,
        Party.COORDINATOR,
        lambda c: ["consent"] if _in_inquiry(c) and _answered(c) and not _agreed(c) else [],
        lambda c, _: _agreed(c),
    ),
)


def gives_up(case: Case) -> Exit | None:
    """A family that never answers: the case closes, and can be reopened."""
    silent = _in_inquiry(case) and case.missed("family_reply", "consent") and not _agreed(case)
    return Exit.NO_RESPONSE if silent else None
