"""Looks up whoever a command hands cases to: staff who are there and may do it [people.one-owner].

Everybody who signs in, by an identity provider too, stands in the staff register: that is where their role is read. So
nobody who could work on a case is unknown here.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.ports import Service
from domain.catalogue.staff import Staff
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Command
from domain.core.roles import Action, Role
from domain.roles import Actor, allow

OWNER = "owner"
NAMED: Mapping[str, str] = {"OpenCase": OWNER, "AssignCase": OWNER, "ImportFacts": OWNER, "SetAbsence": "cover"}
"""Command → the field that names somebody of the staff by their stream; empty names nobody."""


async def require_named(service: Service, command: Command, about: str = "") -> None:
    """Refuse whom the register does not know, who has left, who owns no cases, and who would cover for themselves.

    `about` is the stream the command is given to.
    """
    field = NAMED.get(command.type, "")
    person = str(getattr(command, field)) if field else ""
    if not person:
        return
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
    words = f"the role {found.role} owns no cases; a coordinator or a supervisor does"
    require(may, Reason.NOT_ALLOWED, words, field)
