"""Tells another case of the same person what is wanted of both; its answer is recorded together with the delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from activities.command_handler import CommandHandler, CommandRequest, Recorded
from activities.gateways import GatewayRefused
from activities.perform import Delivered, EffectHandler
from activities.ports import CommandKey, Meta
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.about import About
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE, Command
from domain.stages.anytime.erasing import Keep, OrderErasure
from domain.stages.anytime.linking import AcceptLink, ConfirmLink, RefuseLink
from domain.stages.anytime.wait_handover import handed

NO = frozenset({Reason.NOT_FOUND, Reason.NOT_NOW, Reason.ALREADY, Reason.IRREVERSIBLE, Reason.MERGED, Reason.MISSING})
"""Refusals by the other case; whatever else stops a command is tried again."""


def on_cases(commands: CommandHandler) -> Mapping[str, EffectHandler]:
    """Return the handlers of what one case tells another."""
    return {"tell_linked_case": TellingLinkedCase(commands), "erase_linked_case": ErasingLinkedCase(commands)}


class TellingLinkedCase:
    """tell_linked_case: the other case says yes or no to a link, an end of it, or a merge, once for each request."""

    def __init__(self, commands: CommandHandler) -> None:
        self._commands = commands

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises GatewayRefused(no_link) where nothing is asked any more; Refused where nobody could answer."""
        del now, repeat
        asked = case.link_asked
        if asked is None or asked.fact != effect.about:
            raise GatewayRefused("no_link")
        try:
            waits = handed(case) if asked.kind == "merge" else ()
            says = AcceptLink(case.id, case.number, asked.kind, case.open, waits)
            there = (await told(self._commands, asked.other, says, effect.id)).case
        except Refused as no:
            if no.reason not in NO:
                raise
            return Delivered(f"{asked.other}: {no.reason}", answer=RefuseLink(asked.fact, no.reason.value))
        kept = tuple(one.wait for one in waits if one.wait in there.waiting)
        return Delivered(asked.other, answer=ConfirmLink(asked.fact, kept))


class ErasingLinkedCase:
    """erase_linked_case: the erasure is ordered in the other case of the person, too; somebody confirms it there."""

    def __init__(self, commands: CommandHandler) -> None:
        self._commands = commands

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises GatewayRefused where the other case cannot be erased yet, and why: then a person sees to it."""
        del now, repeat
        order, other = case.erasure, About.of(effect.about).round
        if order is None or other not in case.links:
            raise GatewayRefused("no_link")
        keep: Keep = "trace" if "clinical" in order.classes else "trace_and_clinical"
        try:
            await told(self._commands, other, OrderErasure(order.reason, keep, by=order.by), effect.id)
        except Refused as no:
            if no.reason is Reason.ALREADY:
                return Delivered(f"{other}: {no.detail}")
            if no.reason not in NO:
                raise
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(f"{other}: ordered")


async def told(commands: CommandHandler, other: str, command: Command, effect: str) -> Recorded:
    """Record a command in another case, once for each effect, and return what it came to. Raises Refused."""
    name = f"{effect}/{other}/{command.type}"
    key = CommandKey(ENGINE, name, sha256(name.encode()).digest())
    return await commands.record(CommandRequest(other, Meta(ENGINE, "operation", key=name), command, key))
