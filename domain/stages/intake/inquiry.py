"""Inquiry [S1]: who asks, for whom, with whose consent; urgent cases are pointed to local care first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.obligation import ObligationRedated
from domain.case.phases.consents import ASKS_FOR_THE_DOCTOR
from domain.case.reckoning import at_pace
from domain.case.stage import EVERY_STAGE, Exit, Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Owes, Takes
from domain.core.case_number import case_number
from domain.core.codes import require_country
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.criteria.diseases import DISEASES
from domain.criteria.observation import require_born
from domain.stages.intake.people import AddPerson, PersonAdded, added, require_person

Triage = Literal["autologous_not_feasible", "manufacture_failed", "not_fast_enough", "other"]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A family asks for help. `country` is ISO 3166 alpha-2, `zone` an IANA time zone, `language` BCP 47.

    `birth` is the patient's birth date or year, empty = unknown. `despite_duplicates` is the reason where a case of
    probably the same person is there already.
    """

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
    birth: Clinical = ""
    despite_duplicates: Identity = ""
    type: Literal["OpenCase"] = "OpenCase"


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
    """The medical reviewer marks a case urgent, or no longer so.

    `deadlines` says what becomes of open ones that would be reckoned otherwise: they move, or are kept as they are.
    """

    urgent: bool
    reason: Clinical
    deadlines: Literal["", "move", "keep"] = ""
    type: Literal["SetUrgency"] = "SetUrgency"


@dataclass(frozen=True, slots=True)
class StateDiagnosis:
    """State what was diagnosed, and when: in the words of whoever diagnosed it, and as a code, empty = none fits."""

    diagnosis: Clinical
    occurred: When | None = None
    disease: Clinical = ""
    type: Literal["StateDiagnosis"] = "StateDiagnosis"


Command = OpenCase | AcknowledgeScope | ReplyToFamily | AdviseLocalCare | SetUrgency | StateDiagnosis


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
    birth: Clinical = ""
    despite_duplicates: Identity = ""
    consent_rules: int = 0
    schema_version: ClassVar[int] = 3
    type: Literal["CaseOpened"] = "CaseOpened"


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


@dataclass(frozen=True, slots=True)
class DiagnosisStated:
    """What was diagnosed; it happened on the day of the diagnosis."""

    diagnosis: Clinical
    disease: Clinical = ""
    schema_version: ClassVar[int] = 2
    type: Literal["DiagnosisStated"] = "DiagnosisStated"


Event = CaseOpened | ScopeAcknowledged | FamilyAnswered | LocalCareAdvised | UrgencySet | DiagnosisStated
Decided = Event | PersonAdded | ObligationRedated

TAKES = (
    Takes(OpenCase, (CaseOpened, PersonAdded), at=(Stage.INQUIRY,), by=Action.OPEN),
    Takes(AcknowledgeScope, (ScopeAcknowledged,), at=(Stage.INQUIRY,), settles=("family_reply",)),
    Takes(ReplyToFamily, (FamilyAnswered,), at=stages(Stage.INQUIRY, Stage.RECORDS), settles=("first_reply",)),
    Takes(AdviseLocalCare, (LocalCareAdvised,), at=stages(Stage.INQUIRY, Stage.RECORDS)),
    Takes(SetUrgency, (UrgencySet, ObligationRedated), at=EVERY_STAGE, by=Action.REVIEW),
    Takes(StateDiagnosis, (DiagnosisStated,), at=EVERY_STAGE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Decided]:
    """Decide an inquiry command: return the events it brings about. Raises Refused."""
    match command:
        case OpenCase():
            return _open(case, command, now, ids)
        case AcknowledgeScope():
            require_person(case, command.person)
            return [ScopeAcknowledged(command.person, command.form_version)]
        case ReplyToFamily():
            return [FamilyAnswered(command.channel, command.note)]
        case AdviseLocalCare():
            return [LocalCareAdvised(command.channel)]
        case SetUrgency():
            require(command.urgent != case.urgent, Reason.ALREADY, "the case already stands so", "urgent")
            return [UrgencySet(command.urgent, command.reason), *_moved(case, command, now, policy)]
        case StateDiagnosis():
            require(readable(command.diagnosis), Reason.INVALID, "say what was diagnosed", "diagnosis")
            known = not readable(command.disease) or command.disease in DISEASES
            require(known, Reason.INVALID, f"is one of {', '.join(DISEASES)}, or empty", "disease")
            return [DiagnosisStated(command.diagnosis, command.disease)]
        case _:
            assert_never(command)


def _moved(case: Case, c: SetUrgency, now: datetime, policy: Policy) -> Sequence[ObligationRedated]:
    """What moves with the urgency, once somebody who has seen the list said so."""
    listed = repaced(case, c.urgent, now, policy)
    kinds = ", ".join(f"{case.obligations[m.obligation].kind} to {m.due:%Y-%m-%d %H:%M} UTC" for m in listed)
    words = f"open deadlines would move: {kinds}; say `move`, or `keep` them as they are"
    require(not listed or c.deadlines, Reason.MISSING, words, "deadlines")
    return listed if c.deadlines == "move" else []


def repaced(case: Case, urgent: bool, now: datetime, policy: Policy) -> Sequence[ObligationRedated]:
    """Return what of the case's open obligations this urgency would re-date; nothing is recorded by asking."""
    as_set = replace(case, urgent=urgent)
    found = (at_pace(o, as_set, now, policy, "urgency") for o in case.obligations.values())
    return [event for event in found if event is not None]


def _open(case: Case, c: OpenCase, now: datetime, ids: Ids) -> Sequence[Event | PersonAdded]:
    require(case.version == 0, Reason.ALREADY, "the case is open already")
    require_country(c.country)
    require_born(c.birth, now)
    patient = AddPerson("patient", c.patient_name, c.zone, c.language, c.patient_mail, c.patient_phone, c.minor)
    number = case_number(ids())
    opened = CaseOpened(
        number,
        c.country,
        c.language,
        c.zone,
        c.triage,
        c.urgent,
        c.owner,
        c.team,
        c.imported,
        c.diagnosis,
        c.birth,
        c.despite_duplicates,
        ASKS_FOR_THE_DOCTOR,
    )
    return [opened, added(patient, ids, "patient_")]


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
                birth=event.birth,
                consent_rules=event.consent_rules,
                opened_at=fact.at,
                stage=Stage.INQUIRY,
                stage_since=fact.at,
            )
        case ScopeAcknowledged():
            return replace(case, scope_acknowledged=fact.id)
        case FamilyAnswered():
            return replace(case, replied=fact.id)
        case LocalCareAdvised():
            return replace(case, local_care=fact.id, replied=fact.id)
        case UrgencySet():
            return replace(case, urgent=event.urgent)
        case DiagnosisStated():
            return replace(case, diagnosis=event.diagnosis, disease=event.disease)
        case _:
            assert_never(event)


def _in_inquiry(case: Case) -> bool:
    return case.stage is Stage.INQUIRY and case.exit is None


def _answered(case: Case) -> bool:
    return bool(case.replied)


def _agreed(case: Case) -> bool:
    return bool(case.consented("data_processing") and case.scope_acknowledged)


def _consent(case: Case) -> str:
    """What the family is asked for; a reopened case asks anew."""
    return f"consent/{case.reopenings}"


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
        lambda c: [_consent(c)] if _in_inquiry(c) and _answered(c) and not _agreed(c) else [],
        lambda c, _: _agreed(c),
    ),
)


def gives_up(case: Case) -> Exit | None:
    """A family that never answers: the case closes, and can be reopened."""
    silent = _in_inquiry(case) and case.missed("family_reply", _consent(case)) and not _agreed(case)
    return Exit.NO_RESPONSE if silent else None
