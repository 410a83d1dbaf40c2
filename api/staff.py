"""Looks up whoever a command hands cases to: staff who are there and may do it [people.one-owner].

Everybody who signs in, by an identity provider too, stands in the staff register: that is where their role is read. So
nobody who could work on a case is unknown here.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.http.access import require_command
from api.ports import Service
from domain.catalogue.staff import Staff
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Command
from domain.core.roles import Action, Role
from domain.roles import Actor, allow, of_staff

OWNER = "owner"
NAMED: Mapping[str, str] = {
    "OpenCase": OWNER,
    "AssignCase": OWNER,
    "ImportFacts": OWNER,
    "SetAbsence": "cover",
    "OfferTask": "colleague",
}
"""Command → the field that names somebody of the staff by their stream; empty names nobody."""


OWN_LEAVE = frozenset({"SetAbsence", "EndAbsence"})
"""What everybody tells of themselves, whoever else may keep the register."""
TEAMED = ("OpenCase", "AssignCase", "ImportFacts")
"""Commands that hand a case to a team."""
MOST = 12
"""How many a refusal names who could."""


def require_entry_command(who: Actor, command: str, stream: str) -> None:
    """Refuse a command of the catalogue that this actor may not give; one's own leave everybody may tell."""
    if command not in OWN_LEAVE or stream != who.id:
        require_command(who, command)


async def require_named(service: Service, who: Actor, command: Command, about: str = "") -> None:
    """Refuse whom the register does not know, who has left, who owns no cases, and who would cover for themselves.

    A team is refused where nobody in it could own a case. `about` is the stream the command is given to.
    """
    team = str(getattr(command, "team", "")) if command.type in TEAMED else ""
    owner = await _named(service, command, about)
    known = {who.team if allow(who, Action.COORDINATE) else "", owner.team if owner else ""}
    if not team or team in known:
        return
    teams = sorted({one.team for one in (await _owners(service)).values()})
    there = ", ".join(teams[:MOST])  # before anybody is registered there is no team to be wrong about
    require(not teams or team in teams, Reason.NOT_FOUND, f"no such team owns cases; these do: {there}", "team")


async def _owners(service: Service) -> Mapping[str, Staff]:
    """Everybody who could own a case, by their stream."""
    found = {}
    for stream in await service.commands.ledger.streams("person-"):
        person = (await service.commands.entry(stream)).state
        if person.role and allow(of_staff(stream, person.role, person.team), Action.COORDINATE):
            found[stream] = person
    return found


async def _named(service: Service, command: Command, about: str) -> Staff | None:
    """The member of staff that a command names; None = it names nobody. Raises Refused."""
    field = NAMED.get(command.type, "")
    person = str(getattr(command, field)) if field else ""
    if not person:
        return None
    try:
        found = (await service.commands.entry(person)).state
    except Refused:
        found = None
    if not isinstance(found, Staff) or not found.version:
        raise Refused(Reason.NOT_FOUND, "nobody of the staff has this id; GET /persons lists who has", field)
    require(person != about, Reason.INVALID, "nobody covers for themselves; name somebody else", field)
    if found.role is None:
        raise Refused(Reason.NOT_ALLOWED, "they do not work here any more; name somebody who does", field)
    may = field != OWNER or allow(Actor(person, Role(found.role), found.team), Action.COORDINATE)
    if not may:
        could = ", ".join(sorted(await _owners(service))[:MOST]) or "nobody yet"
        words = f"the role {found.role} owns no cases; a coordinator or a supervisor does: {could}"
        raise Refused(Reason.NOT_ALLOWED, words, field)
    return found
