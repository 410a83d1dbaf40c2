"""Somebody of the service's own staff: role, team, who covers while they are away [people.one-owner], and leaving.

Who may do what is decided by two people (four_eyes.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, assert_never

from domain.catalogue import four_eyes
from domain.catalogue.around import Around
from domain.catalogue.four_eyes import NOTHING, FourEyes, Told
from domain.core.codes import require_mail, require_zone
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.roles import Action

Role = Literal["coordinator", "supervisor", "reviewer", "translator", "quality", "auditor", "operator", "hospital"]
"""`hospital` is a clerk of one centre, whose team is that centre's stream."""
CENTRE = "centre-"
Leaving = Literal["left", "contract_ended", "right_misused", "registered_by_mistake", "other"]


@dataclass(frozen=True, slots=True)
class RegisterPerson:
    """Somebody joins, once another person confirms it. `zone` IANA, `language` BCP 47.

    Name and mail are sealed, others know the opaque id.
    """

    role: Role
    team: str
    name: Identity
    mail: Identity
    zone: str
    language: str
    type: Literal["RegisterPerson"] = "RegisterPerson"


@dataclass(frozen=True, slots=True)
class SetAbsence:
    """Away from `since` until `until`; `cover` is the stream of whoever sees to their cases meanwhile."""

    since: datetime
    until: datetime
    cover: str
    type: Literal["SetAbsence"] = "SetAbsence"


@dataclass(frozen=True, slots=True)
class EndAbsence:
    """Back, or not going after all."""

    type: Literal["EndAbsence"] = "EndAbsence"


@dataclass(frozen=True, slots=True)
class ChangeRole:
    """Somebody has another role or team from now on, or comes back, once another person confirms it."""

    role: Role
    team: str
    type: Literal["ChangeRole"] = "ChangeRole"


@dataclass(frozen=True, slots=True)
class DismissPerson:
    """Somebody leaves, once another person confirms it: nothing is open to them from then on."""

    reason: Leaving
    type: Literal["DismissPerson"] = "DismissPerson"


Command = RegisterPerson | SetAbsence | EndAbsence | ChangeRole | DismissPerson | four_eyes.Command

OWN = (RegisterPerson, SetAbsence, EndAbsence, ChangeRole, DismissPerson)
BY: Mapping[type[Any], Action] = {**dict.fromkeys(OWN, Action.KEEP_CATALOGUE), **four_eyes.BY}
"""What giving each command is called in the table of roles."""


@dataclass(frozen=True, slots=True)
class PersonRegistered:
    """Somebody belongs to the service."""

    role: Role
    team: str
    name: Identity
    mail: Identity
    zone: str
    language: str
    type: Literal["PersonRegistered"] = "PersonRegistered"


@dataclass(frozen=True, slots=True)
class AbsenceSet:
    """Away from `since` until `until`, which ends it by itself; replaces an absence told before."""

    since: datetime
    until: datetime
    cover: str
    type: Literal["AbsenceSet"] = "AbsenceSet"


@dataclass(frozen=True, slots=True)
class AbsenceEnded:
    """No longer away."""

    type: Literal["AbsenceEnded"] = "AbsenceEnded"


@dataclass(frozen=True, slots=True)
class PersonProposed:
    """Somebody shall belong to the service, once another person confirms it before the proposal lapses."""

    proposal: str
    role: Role
    team: str
    name: Identity
    mail: Identity
    zone: str
    language: str
    until: datetime
    type: Literal["PersonProposed"] = "PersonProposed"


@dataclass(frozen=True, slots=True)
class RoleProposed:
    """Somebody shall have this role and team, once another person confirms it before the proposal lapses."""

    proposal: str
    role: Role
    team: str
    until: datetime
    type: Literal["RoleProposed"] = "RoleProposed"


@dataclass(frozen=True, slots=True)
class DismissalProposed:
    """Somebody shall leave, once another person confirms it before the proposal lapses."""

    proposal: str
    reason: Leaving
    until: datetime
    type: Literal["DismissalProposed"] = "DismissalProposed"


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """Somebody has this role and team from now on."""

    role: Role
    team: str
    type: Literal["RoleChanged"] = "RoleChanged"


@dataclass(frozen=True, slots=True)
class PersonDismissed:
    """Somebody belongs to the service no more."""

    reason: Leaving
    type: Literal["PersonDismissed"] = "PersonDismissed"


Change = PersonRegistered | RoleChanged | PersonDismissed
Proposing = PersonProposed | RoleProposed | DismissalProposed
Event = Change | Proposing | AbsenceSet | AbsenceEnded | four_eyes.Event


@dataclass(frozen=True, slots=True)
class Staff:
    """One member of staff as folded from the facts; `role` None = not registered, or not any more (`left`)."""

    version: int = 0
    role: Role | None = None
    team: str = ""
    name: Identity = ""
    mail: Identity = ""
    zone: str = "UTC"
    language: str = ""
    absent_from: datetime | None = None
    absent_until: datetime | None = None
    cover: str = ""
    left: Leaving | None = None
    eyes: FourEyes = NOTHING


initial = Staff()


def decide(staff: Staff, command: Command, now: datetime, ids: Ids, around: Around) -> Sequence[Event]:
    """Decide a staff command: return the events it brings about. Raises Refused."""
    match command:
        case RegisterPerson() | ChangeRole() | DismissPerson():
            change = _change(staff, command)
            return four_eyes.told(
                staff.eyes, change, lambda *at: _proposal(change, *at), _tell(staff, change), around, now, ids
            )  # fmt: skip
        case SetAbsence() | EndAbsence():
            require(staff.role, Reason.NOT_FOUND, "no such person")
            return [_absence(staff, command, now)]
        case _:
            return four_eyes.decide(staff.eyes, command, lambda change: _tell(staff, change), around, now)


def _tell(staff: Staff, change: Change) -> Told:
    was = f"{staff.role} {staff.team}" if staff.role else ""
    becomes = f"- ({change.reason})" if isinstance(change, PersonDismissed) else f"{change.role} {change.team}"
    return Told(four_eyes.from_to(("", was, becomes)))


def _absence(staff: Staff, command: SetAbsence | EndAbsence, now: datetime) -> Event:
    match command:
        case SetAbsence():
            c = command
            require(c.since < c.until, Reason.INVALID, "an absence begins before it ends", "until")
            require(c.until > now, Reason.INVALID, "that lies in the past", "until")
            require(c.cover.startswith("person-"), Reason.INVALID, "name who covers", "cover")
            return AbsenceSet(c.since, c.until, c.cover)
        case EndAbsence():
            told = staff.absent_until is not None and now < staff.absent_until
            require(told, Reason.NOT_NOW, "no absence is under way or to come")
            return AbsenceEnded()
        case _:
            assert_never(command)


def _change(staff: Staff, command: RegisterPerson | ChangeRole | DismissPerson) -> Change:
    """The event that brings it into force. Raises Refused."""
    if isinstance(command, RegisterPerson):
        return _registered(staff, command)
    if isinstance(command, DismissPerson):
        require(staff.role, Reason.NOT_FOUND, "no such person")
        return PersonDismissed(command.reason)
    require(staff.role or staff.left, Reason.NOT_FOUND, "no such person")
    _belongs(command.role, command.team)
    same = (command.role, command.team) == (staff.role, staff.team)
    require(not same, Reason.ALREADY, "that is their role and team", "role")
    return RoleChanged(command.role, command.team)


def _proposal(change: Change, proposal: str, until: datetime) -> Proposing:
    match change:
        case PersonRegistered():
            e = change
            return PersonProposed(proposal, e.role, e.team, e.name, e.mail, e.zone, e.language, until)
        case RoleChanged():
            return RoleProposed(proposal, change.role, change.team, until)
        case PersonDismissed():
            return DismissalProposed(proposal, change.reason, until)
        case _:
            assert_never(change)


def _proposed(event: Proposing) -> Change:
    """The change that waits, as `_proposal` was given it."""
    match event:
        case PersonProposed():
            return PersonRegistered(event.role, event.team, event.name, event.mail, event.zone, event.language)
        case RoleProposed():
            return RoleChanged(event.role, event.team)
        case DismissalProposed():
            return PersonDismissed(event.reason)
        case _:
            assert_never(event)


def _back(staff: Staff) -> Change:
    """The event that puts back what stands now."""
    if staff.role is None:
        return PersonDismissed(staff.left or "registered_by_mistake")
    return RoleChanged(staff.role, staff.team)


def _registered(staff: Staff, c: RegisterPerson) -> PersonRegistered:
    known = staff.role or staff.left
    require(not known, Reason.ALREADY, "this person is registered; change their role instead")
    require(readable(c.name), Reason.INVALID, "a person needs a name", "name")
    if isinstance(c.mail, str):
        require_mail(c.mail)
    _belongs(c.role, c.team)
    require_zone(c.zone)
    return PersonRegistered(c.role, c.team, c.name, c.mail, c.zone, c.language)


def _belongs(role: Role, team: str) -> None:
    """Refuse somebody without a team, a hospital's clerk without a centre, and staff in the team of a centre."""
    require(team, Reason.INVALID, "a person belongs to a team", "team")
    words = "a hospital's clerk belongs to one centre, named by its stream; nobody else does"
    require((role == "hospital") == team.startswith(CENTRE), Reason.INVALID, words, "team")


def evolve(staff: Staff, fact: Fact[Event]) -> Staff:
    """Fold one staff event."""
    return replace(_folded(staff, fact), version=fact.version)


def _folded(staff: Staff, fact: Fact[Event]) -> Staff:
    event = fact.event
    match event:
        case PersonProposed() | RoleProposed() | DismissalProposed():
            return replace(staff, eyes=four_eyes.proposed(staff.eyes, fact, _proposed(event)))  # type: ignore[arg-type] # its event
        case RoleChanged():
            return replace(staff, role=event.role, team=event.team, left=None)
        case PersonDismissed():
            return replace(staff, role=None, left=event.reason)
        case PersonRegistered():
            e = event
            return Staff(0, e.role, e.team, e.name, e.mail, e.zone, e.language, eyes=staff.eyes)
        case AbsenceSet():
            return replace(staff, absent_from=event.since, absent_until=event.until, cover=event.cover)
        case AbsenceEnded():
            return replace(staff, absent_from=None, absent_until=None, cover="")
        case _:
            return replace(staff, eyes=four_eyes.evolve(staff.eyes, fact, lambda: _back(staff)))  # type: ignore[arg-type] # its event


def read_model(staff: Staff) -> Mapping[str, Any]:
    """Return what cases note of their owner; an absence to come has begun only at `absent_from`."""
    noted = {"absent_from": staff.absent_from, "absent_until": staff.absent_until, "cover": staff.cover}
    return {**noted, **four_eyes.read_model(staff.eyes)}
