"""The people of a case [S1]: patient, carer, legal representative, home oncologist; and who consents to what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.phases.consents import RISK_ITEMS, WITH_DOCTOR, Consent, RiskItem
from domain.case.phases.intake import Person
from domain.case.stage import EVERY_STAGE, Stage
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.codes import require_language, require_mail, require_name, require_phone, require_zone
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Party, Policy
from domain.stages.intake.majority import is_minor

PersonRole = Literal["patient", "carer", "legal_representative", "home_oncologist"]
Purpose = Literal[
    "data_processing",
    "share_with_hospital",
    "cross_border",
    "translation",
    "trial",
    "treatment",
    "registry",
    "risks",
    "share_with_home_doctor",
]
NAMED = ("share_with_hospital", "cross_border")
"""Consents that hold for one centre only."""


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
    """The patient, or who represents them, consents to one purpose, for one recipient where one is named.

    The particular risks may be accepted one by one: `items` names those that are, beside those accepted before; none =
    all that the signed form of that version names. Without a recipient sharing with the doctor at home is with the one
    whom the case knows.
    """

    purpose: Purpose
    person: str
    form_version: str
    language: str
    recipient: str = ""
    items: tuple[RiskItem, ...] = ()
    type: Literal["GiveConsent"] = "GiveConsent"


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """A consent is taken back; what was done under it stays lawful. `items`: of the risks only these, none = all."""

    purpose: Purpose
    person: str
    recipient: str = ""
    items: tuple[RiskItem, ...] = ()
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
    items: tuple[RiskItem, ...] = ()
    schema_version: ClassVar[int] = 2
    type: Literal["ConsentGiven"] = "ConsentGiven"


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    """A consent ended."""

    purpose: Purpose
    recipient: str
    person: str
    items: tuple[RiskItem, ...] = ()
    schema_version: ClassVar[int] = 2
    type: Literal["ConsentWithdrawn"] = "ConsentWithdrawn"


Event = PersonAdded | ContactChanged | ConsentGiven | ConsentWithdrawn

TAKES = (
    Takes(AddPerson, (PersonAdded,), at=EVERY_STAGE),
    Takes(ChangeContact, (ContactChanged,), at=EVERY_STAGE),
    Takes(
        GiveConsent,
        (ConsentGiven,),
        at=EVERY_STAGE,
        settles=("family_reply", "doctor_consent", "consent_at_majority", "trial_consent", "treatment_consent"),
    ),
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
            require_reachable(command)
            c = command
            return [ContactChanged(c.person, c.mail, c.phone, c.zone, c.language)]
        case GiveConsent():
            return [_consent(case, command, now)]
        case WithdrawConsent():
            return [_withdrawal(case, command, now)]
        case _:
            assert_never(command)


def require_person(case: Case, person: str, field: str = "person") -> Person:
    """Return the person, or a refusal."""
    known = case.people.get(person)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such person in this case", field)
    return known


def require_reachable(c: AddPerson | ChangeContact, prefix: str = "") -> None:
    """Refuse what nobody could write to, dial, speak or reckon with; `prefix` stands before the fields' names."""
    require_zone(c.zone)
    require_language(c.language, "language")
    require_mail(str(c.mail), f"{prefix}mail")
    require_phone(str(c.phone), f"{prefix}phone")


def added(c: AddPerson, ids: Ids, prefix: str = "") -> PersonAdded:
    """Return the event that makes somebody part of the case; `prefix` stands before names of the command's fields."""
    require(readable(c.name), Reason.INVALID, f"a {c.role} needs a name".replace("_", " "), f"{prefix}name")
    require_name(str(c.name), f"{prefix}name")
    require_reachable(c, prefix)
    return PersonAdded(ids(), c.role, c.name, c.mail, c.phone, c.zone, c.language, c.minor)


def require_decider(case: Case, person: str, now: datetime) -> Person:
    """Return the patient, or the legal representative, for a minor only the latter; or a refusal."""
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
    recipient = _recipient(case, c)
    party = not recipient or recipient in case.people or case.noted(recipient).get("country")
    require(party, Reason.NOT_FOUND, "no such centre, and nobody of this case; GET /centres lists who is", "recipient")
    require_language(c.language, "language")
    require(c.form_version.strip(), Reason.INVALID, "a consent names the version of the form", "form_version")
    named = f"only risks are accepted one by one: {', '.join(RISK_ITEMS)}"
    require(not c.items or c.purpose == "risks", Reason.INVALID, named, "items")
    return ConsentGiven(c.purpose, recipient, c.person, c.form_version, c.language, c.items)


def _recipient(case: Case, c: GiveConsent | WithdrawConsent) -> str:
    """The centre or the doctor that a consent is for; empty for the others."""
    if c.purpose == WITH_DOCTOR:
        doctor = case.people.get(c.recipient) if c.recipient else case.home_doctor
        known = doctor is not None and doctor.role == "home_oncologist"
        require(known, Reason.NOT_FOUND, "no such doctor at home in this case; add the doctor first", "recipient")
        return doctor.id if doctor else ""
    named = c.purpose in NAMED
    require(not named or c.recipient, Reason.INVALID, "this consent names its recipient", "recipient")
    require(named or not c.recipient, Reason.INVALID, "this consent has no recipient", "recipient")
    return c.recipient


def _withdrawal(case: Case, c: WithdrawConsent, now: datetime) -> Event:
    require_decider(case, c.person, now)
    recipient = _recipient(case, c)
    known = case.consents.get(f"{c.purpose}:{recipient}")
    require(known is not None and known.given, Reason.MISSING, "this consent is not given", "purpose")
    accepted = known.items if known else ()
    require(set(c.items) <= set(accepted), Reason.MISSING, "this risk is not accepted", "items")
    return ConsentWithdrawn(c.purpose, recipient, c.person, c.items)


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
            given = consent_of(case, event.purpose, event.recipient, fact.id, event.items, event.person)
            return _consented(case, given)
        case ConsentWithdrawn():
            kept = _risks_kept(case, event)
            left = Consent(event.purpose, event.recipient, bool(kept), fact.id, event.person, kept)
            return _consented(case, left)
        case _:
            assert_never(event)


def consent_of(
    case: Case, purpose: str, recipient: str, fact: str, items: tuple[RiskItem, ...] = (), person: str = ""
) -> Consent:
    """Return the consent as it stands once given; risks that were accepted as a whole, as before, are all of them."""
    known = case.consents.get(f"{purpose}:{recipient}")
    told = items or RISK_ITEMS
    accepted = tuple(i for i in RISK_ITEMS if i in told or (known and i in known.items)) if purpose == "risks" else ()
    return Consent(purpose, recipient, True, fact, person, accepted)


def _risks_kept(case: Case, e: ConsentWithdrawn) -> tuple[RiskItem, ...]:
    known = case.consents.get(f"{e.purpose}:{e.recipient}")
    return tuple(i for i in known.items if i not in e.items) if known and e.items else ()


def _contact(case: Case, e: ContactChanged) -> Case:
    known = case.people.get(e.person)
    if known is None:
        return case
    changed = replace(known, mail=e.mail, phone=e.phone, zone=e.zone, language=e.language)
    return replace(case, people={**case.people, e.person: changed})


def _consented(case: Case, consent: Consent) -> Case:
    return replace(case, consents={**case.consents, f"{consent.purpose}:{consent.recipient}": consent})


def _unasked_doctor(case: Case) -> Iterable[str]:
    """The doctor at home of whom the family has not said whether anything may be shared."""
    doctor = case.home_doctor
    going = case.stage not in (Stage.INQUIRY, Stage.CLOSED) and not case.died
    said = doctor is not None and f"{WITH_DOCTOR}:{doctor.id}" in case.consents
    return [doctor.id] if doctor and going and not said and not case.shares_with_doctor else []


OWES = (
    Owes(
        "doctor_consent",
        Party.FAMILY,
        Party.COORDINATOR,
        _unasked_doctor,
        lambda c, about: f"{WITH_DOCTOR}:{about}" in c.consents,
    ),
)
