"""Finds which case is meant and whether this actor may do this with it. What may not be seen does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.http.problems import Fault, invalid
from api.ports import Service
from domain.case.state import Case
from domain.core.case_number import case_number_of
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Command
from domain.core.roles import Action
from domain.roles import Actor, action_of, allow
from domain.stages.anytime.access import reading

STREAM = re.compile(r"[a-z]+-[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SPOKEN = re.compile(r"\d[\d -]{4,20}")
NO_CASE = "no such case"
NAMES_CASE = frozenset({"BindLot"})
"""Commands of people to something else than a case that say, in their field `case`, whose it is."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Says whose a case is."""

    owner: str
    team: str
    centres: frozenset[str]
    broken: frozenset[str] = frozenset()
    """Who reads it now because they broke the glass."""


def belonging(case: Case, now: datetime | None = None) -> Belonging:
    """Say whose a folded case is: every centre it was put before counts, and who reads it at `now` by broken glass."""
    centres = {case.centre, *(s.centre for s in case.submissions.values())} - {""}
    return Belonging(case.owner, case.team, frozenset(centres), reading(case, now) if now else frozenset())


def belonging_of(row: Mapping[str, Any]) -> Belonging:
    """Say whose the case of a worklist row is; of centres only the treating one counts."""
    return Belonging(row["owner"] or "", row["team"] or "", frozenset({row["centre"]} - {None, ""}))


async def case_meant(service: Service, text: str) -> str:
    """Return the case's stream from its id or from its number as said on the phone. Raises Refused, Problem."""
    if STREAM.fullmatch(text) and text.startswith("case-"):
        return text
    if not SPOKEN.fullmatch(text):
        raise Refused(Reason.NOT_FOUND, NO_CASE)
    number = case_number_of(text)
    if number is None:
        raise invalid("this case number does not hold together", Fault("the check digit is wrong", parameter="case"))
    found = await service.worklist.case_of(number)
    if found is None:
        raise Refused(Reason.NOT_FOUND, NO_CASE)
    return found


async def require_case_named(service: Service, command: Command) -> None:
    """Refuse a command to something else that names a case nobody opened: what is bound to it would be nobody's."""
    if command.type in NAMES_CASE:
        known = await service.worklist.rows([str(getattr(command, "case", ""))])
        require(known, Reason.NOT_FOUND, NO_CASE, "case")


def stream_meant(text: str, prefix: str) -> str:
    """Return the id of a lot, protocol, centre or person. Raises Refused."""
    known = STREAM.fullmatch(text) and text.startswith(f"{prefix}-")
    require(known, Reason.NOT_FOUND, f"no such {prefix}")
    return text


def require_seen(actor: Actor, case: Belonging | None) -> None:
    """Refuse a case this actor may not see as one that does not exist."""
    require(case is not None and allow(actor, Action.SEE, case), Reason.NOT_FOUND, NO_CASE)


def require_command(actor: Actor, command: str, case: Belonging | None = None) -> None:
    """Refuse a command this actor may not give."""
    allowed = allow(actor, action_of(command), case)
    require(allowed, Reason.NOT_ALLOWED, f"{command} is not for the role {actor.role.value} to give here", "type")


async def may_command(service: Service, actor: Actor, stream: str, command: str) -> None:
    """Both, from the worklist row, before a body is taken in."""
    rows = await service.worklist.belongings([stream])
    found = belonging_of(rows[stream]) if stream in rows else None
    require_seen(actor, found)
    require_command(actor, command, found)


def permit(actor: Actor, command: str) -> Callable[[Case], None]:
    """Ask for both when the command handler has loaded the case. A glass is broken by somebody outside of it."""

    def check(case: Case) -> None:
        whose = belonging(case) if case.version else None
        if whose is None or action_of(command) is not Action.BREAK_GLASS:
            require_seen(actor, whose)
        require_command(actor, command, whose)

    return check
