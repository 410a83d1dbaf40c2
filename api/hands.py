"""Asks whether a person can have a task in hand: their role owes it, and the case is one they may work on."""

from __future__ import annotations

from collections.abc import Callable

from api.http.access import belonging
from api.ports import Service
from domain.case.state import Case
from domain.catalogue.staff import Staff
from domain.core.errors import Reason, require
from domain.core.fact import Command
from domain.core.roles import Action, Role
from domain.roles import Actor, allow, of_staff
from domain.stages.anytime.tasks import AcceptTask, ClaimTask, OfferTask


async def hands_of(service: Service, who: Actor, command: Command) -> Callable[[Case], None]:
    """Return what is asked of the loaded case before somebody has a task in hand; most commands give nobody one.

    The colleague of an offer stands in the register of staff by now (api/staff.py).
    """
    if isinstance(command, ClaimTask | AcceptTask):
        task, holder, field = command.obligation, who, "obligation"
    elif isinstance(command, OfferTask):
        person = (await service.commands.entry(command.colleague)).state if command.colleague else None
        if not isinstance(person, Staff) or person.role is None:
            return _nothing
        task, holder, field = command.obligation, of_staff(command.colleague, person.role, person.team), "colleague"
    else:
        return _nothing

    def check(case: Case) -> None:
        owed = case.obligations.get(task)
        if owed is None or holder.role is Role.MACHINE:
            return
        words = f"a {owed.debtor.value} owes this; a {holder.role.value} cannot have it in hand"
        require(holder.role.value == owed.debtor.value, Reason.NOT_ALLOWED, words, field)
        reached = allow(holder, Action.NOTE, belonging(case))
        require(reached, Reason.NOT_ALLOWED, "they work in another team and cannot open this case", field)

    return check


def _nothing(_: Case) -> None:
    """Nobody gets a task by this command."""
