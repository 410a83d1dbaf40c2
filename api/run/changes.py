"""Sees to what workers do beside cases: desks are adopted, and what is to be told or followed is looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.catalogue.desks import STREAM, AdoptDesks, Desk, Desks
from domain.catalogue.streams import fold
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.core.policy import Party
from infra.settings import Settings

log = structlog.get_logger()
EVERY = 5.0
"""Seconds between two looks."""


def desks(settings: Settings) -> Mapping[Party, str]:
    """Read the desks' addresses from the setting."""
    return {Party(role): mail for role, mail in settings.role_mail.items()}


async def adopt_desks(here: Parts) -> None:
    """Have the ledger keep the desks' addresses, as the setting says them at the first start; later it only warns."""
    told = desks(here.settings)
    try:
        begin = AdoptDesks(tuple(Desk(role, mail) for role, mail in sorted(told.items())))
        await here.commands.record(CommandRequest(STREAM, Meta(ENGINE, "operation"), begin))
    except Refused as no:
        if no.reason is not Reason.ALREADY:
            raise
    known = fold(STREAM, (await here.ledger.load(STREAM)).facts)
    assert isinstance(known, Desks)
    for role in Party:
        if told.get(role, "") != known.mails.get(role, ""):
            way = f"caravel desk send {STREAM} ChangeDesk role={role.value} mail=..."
            log.warning("CARAVEL_ROLE_MAIL differs from the ledger, which counts", role=role.value, change=way)


async def again_and_again(look: Callable[[], Awaitable[object]], failed: str) -> None:
    """Look, every few seconds, for ever; what fails is logged in these words and made up for at a later look."""
    while True:
        try:
            await look()
        except Exception as error:  # noqa: BLE001 - the database may be away; its texts may hold what no log should
            log.warning(failed, error=type(error).__name__)
        await asyncio.sleep(EVERY)
