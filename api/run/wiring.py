"""Puts the parts together, in order, with plain arguments; every process and every end-to-end test starts here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig

from activities.command_handler import CommandHandler
from activities.doses.genealogy import Genealogy
from activities.doses.places import places_of
from activities.doses.recalling import reaching, recalled_of
from activities.effect_handlers.erase import Forget, keep_forgetting
from domain.catalogue.installation import EVENTS as INSTALLATION_EVENTS
from domain.catalogue.looks import EVENTS as LOOKS
from domain.catalogue.staff import Staff
from domain.catalogue.streams import EVENTS as CATALOGUE_EVENTS
from domain.catalogue.streams import parse_source_state
from domain.core.errors import Reason, Refused
from domain.core.roles import Role
from domain.engine.evolve import EVENTS
from domain.recalls.recall import OWN as RECALL_EVENTS
from domain.roles import Actor, of_staff
from infra.clock import Clock
from infra.ids import fresh_id
from infra.keys import FolderKeys
from infra.ledger.key_folder import hold_to_keys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger
from infra.policy.kept import keep_policy
from infra.policy.reading import load_policy, policy_files
from infra.reads.genealogy import GenealogyQueries
from infra.reads.registers import RegisterQueries
from infra.settings import Settings
from infra.tracing import interceptors

RECORDED = (*EVENTS, *CATALOGUE_EVENTS, *RECALL_EVENTS, *LOOKS)
EVERY_EVENT = (*INSTALLATION_EVENTS, *RECORDED)
MACHINE = Actor("operator", Role.MACHINE)
"""Who commands come from that are given on the machine without a person's name."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Holds what every process has: the ledger, its keys, and the command handler."""

    settings: Settings
    ledger: PgLedger
    keys: FolderKeys
    commands: CommandHandler
    forget: list[Forget] = field(default_factory=list)
    """Everything in this process that keeps what it opened; called when a key was destroyed."""


@asynccontextmanager
async def parts(settings: Settings, *, connections: int = 16) -> AsyncIterator[Parts]:
    """Open the ledger of this installation. Read-only when the database or its keys belong to another."""
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    ledger = await open_ledger(
        settings.database_url.get_secret_value(),
        keys,
        RECORDED,
        settings.installation,
        settings.kind,
        ids=fresh_id,
        connections=connections,
        clock=Clock(timedelta(seconds=settings.clock_bound)),
    )
    try:
        await hold_to_keys(ledger, keys, fresh_id)
        if not ledger.read_only:
            await keep_policy(ledger.pool, *policy_files(settings.policy))
        commands = CommandHandler(
            ledger, load_policy(settings.policy), fresh_id, parse_source_state, allowed=settings.allowed
        )
        queries = GenealogyQueries(ledger.pool, keys)
        genealogy = Genealogy(ledger, queries)
        commands.reaches = reaching(genealogy, queries.centres_of)
        commands.recalled = recalled_of(ledger, genealogy)
        commands.places = places_of(commands.entry_at, ledger.head, RegisterQueries(ledger.pool).lots_in)
        here = Parts(settings, ledger, keys, commands, [ledger.forget, commands.fold.forget, commands.entries.forget])
        forgetting = asyncio.create_task(keep_forgetting(keys, here.forget))
        try:
            yield here
        finally:
            forgetting.cancel()
            with suppress(asyncio.CancelledError):
                await forgetting
    finally:
        await ledger.close()


async def actor_of(here: Parts, person: str) -> Actor:
    """Return a registered person with their rights, or the machine where no person is named. Raises Refused."""
    if not person:
        return MACHINE
    state = (await here.commands.entry(person)).state
    if not isinstance(state, Staff) or state.role is None:
        raise Refused(Reason.NOT_FOUND, "nobody of that id is known")
    return of_staff(person, state.role, state.team)


async def connect_temporal(**overrides: Any) -> Client:  # noqa: ANN401 - temporalio's own keywords
    """Return a client by TEMPORAL_* (temporalio.envconfig); lazy, so that a process starts while Temporal is away."""
    config: Mapping[str, Any] = {"lazy": True, **ClientConfig.load_client_connect_config(), **overrides}
    return await Client.connect(**config, data_converter=pydantic_data_converter, interceptors=interceptors())
