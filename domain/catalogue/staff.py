"""Somebody of the service's own staff: role, team, and who covers while they are away [people.one-owner]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, assert_never, get_args
from zoneinfo import ZoneInfo

from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.roles import Action

Role = Literal["coordinator", "supervisor", "reviewer", "translator", "quality", "auditor", "operator"]


@dataclass(frozen=True, slots=True)
class RegisterPerson:
    """Somebody joins. `zone` IANA, `language` BCP 47; name and mail are sealed, others know the opaque id."""

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


Command = RegisterPerson | SetAbsence | EndAbsence

BY = dict.fromkeys(get_args(Command), Action.KEEP_CATALOGUE)
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


Event = PersonRegistered | AbsenceSet | AbsenceEnded


@dataclass(frozen=True, slots=True)
class Staff:
    """One member of staff as folded from the facts; `role` None = not registered."""

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

    def away_at(self, now: datetime) -> bool:
        """Return whether somebody else sees to their cases at that instant."""
        return bool(self.absent_from and self.absent_until and self.absent_from <= now < self.absent_until)


initial = Staff()


def decide(staff: Staff, command: Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """Decide a staff command: return the events it brings about. Raises Refused."""
    if isinstance(command, RegisterPerson):
        return [_registered(staff, command)]
    require(staff.role, Reason.NOT_FOUND, "no such person")
    match command:
        case SetAbsence():
            c = command
            require(c.since < c.until, Reason.INVALID, "an absence begins before it ends", "until")
            require(c.until > now, Reason.INVALID, "that lies in the past", "until")
            require(c.cover.startswith("person-"), Reason.INVALID, "name who covers", "cover")
            return [AbsenceSet(c.since, c.until, c.cover)]
        case EndAbsence():
            told = staff.absent_until is not None and now < staff.absent_until
            require(told, Reason.NOT_NOW, "no absence is under way or to come")
            return [AbsenceEnded()]
        case _:
            assert_never(command)


def _registered(staff: Staff, c: RegisterPerson) -> PersonRegistered:
    require(staff.role is None, Reason.ALREADY, "this person is registered")
    require(readable(c.name), Reason.INVALID, "a person needs a name", "name")
    require(c.team, Reason.INVALID, "a person belongs to a team", "team")
    require(_is_zone(c.zone), Reason.INVALID, "no such time zone", "zone")
    return PersonRegistered(c.role, c.team, c.name, c.mail, c.zone, c.language)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def evolve(staff: Staff, fact: Fact[Event]) -> Staff:
    """Fold one staff event."""
    return replace(_folded(staff, fact.event), version=fact.version)


def _folded(staff: Staff, event: Event) -> Staff:
    match event:
        case PersonRegistered():
            return Staff(0, event.role, event.team, event.name, event.mail, event.zone, event.language)
        case AbsenceSet():
            return replace(staff, absent_from=event.since, absent_until=event.until, cover=event.cover)
        case AbsenceEnded():
            return replace(staff, absent_from=None, absent_until=None, cover="")
        case _:
            assert_never(event)


def read_model(staff: Staff) -> Mapping[str, Any]:
    """Return what cases note of their owner; an absence to come has begun only at `absent_from`."""
    return {"absent_from": staff.absent_from, "absent_until": staff.absent_until, "cover": staff.cover}
