"""Sees to what workers do beside cases: desks adopted, mail about changes two people make, the catalogue followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from activities.command_handler import CommandRequest
from activities.following.first_ranks import FollowingCatalogue
from activities.following.stopping import StoppingUnits
from activities.ports import Meta
from activities.telling import TellingChanges
from api.run.wiring import Parts
from domain.catalogue.desks import STREAM, AdoptDesks, Desk, Desks
from domain.catalogue.streams import fold
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.core.policy import Party
from infra.settings import Settings

log = structlog.get_logger()
EVERY = 5.0
"""Seconds between two looks for somebody to tell."""


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


async def tell_changes(telling: TellingChanges) -> None:
    """Tell whoever is to be told, again and again; what fails is tried at the next look."""
    while True:
        try:
            await telling.round()
        except Exception as error:  # noqa: BLE001 - the database may be away; its texts may hold what no log should
            log.warning("not told of changes", error=type(error).__name__)
        await asyncio.sleep(EVERY)


async def follow_catalogue(following: FollowingCatalogue) -> None:
    """Follow what changes in the catalogue, again and again; what fails is followed at a later look."""
    while True:
        try:
            await following.round()
        except Exception as error:  # noqa: BLE001 - the database may be away; its texts may hold what no log should
            log.warning("catalogue not followed", error=type(error).__name__)
        await asyncio.sleep(EVERY)


async def watch_stores(stopping: StoppingUnits) -> None:
    """Stop what lay in a store that was too warm, again and again; what fails is tried at the next look."""
    while True:
        try:
            await stopping.round()
        except Exception as error:  # noqa: BLE001 - the database may be away; its texts may hold what no log should
            log.warning("stores not looked at", error=type(error).__name__)
        await asyncio.sleep(EVERY)
