"""The long-running processes: what a worker is made of, and how it stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

import httpx2
import structlog
from temporalio.client import Client

from activities.access_log import Looks
from activities.command_handler import CommandRequest
from activities.doses.genealogy import Genealogy
from activities.doses.recalling import units_at
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.erase import Erasing
from activities.effect_handlers.linking import on_cases
from activities.effect_handlers.mail import desks_of
from activities.effect_handlers.recalls import recall_handlers
from activities.effect_handlers.requests import Link, Offices
from activities.effect_handlers.table import effect_handlers
from activities.effect_handlers.uploading import Uploading
from activities.effect_handlers.vector_lots import on_genealogy
from activities.following.chasing import ChasingOverdue
from activities.following.first_ranks import FollowingCatalogue
from activities.following.offering import OfferingDoses
from activities.following.stopping import StoppingUnits
from activities.perform import EffectHandler
from activities.ports import Meta
from activities.telling import TellingChanges
from api.run.alive import alive
from api.run.backups.recover import tombstones
from api.run.changes import adopt_desks, again_and_again, desks
from api.run.engine.courier import Courier
from api.run.engine.nightly import chores_of, plan
from api.run.engine.restore import own_engine
from api.run.engine.worker import night_worker, work, workers
from api.run.http_app import documents, stock, turns
from api.run.loss import explained, find
from api.run.mailing import mail_server
from api.run.sealing import sealing
from api.run.waiting import parts_when_there
from api.run.wiring import Parts, connect_temporal
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.stages.anytime.outcomes import ReportBounce
from infra.documents import store_of
from infra.hospitals.fhir_client import FhirGateway, Patience
from infra.hospitals.pinned import PinnedTransport
from infra.identity.capabilities import Capabilities, links, recall_links
from infra.identity.document_links import addresses
from infra.leader import myself
from infra.mail.bounces import Bounce, ReturnAddresses, inbox
from infra.mail.quiet import quiet_until
from infra.mail.smtp import MailGateway
from infra.partial_uploads import PartialUploads
from infra.reads.followed import FollowedCatalogue
from infra.reads.genealogy import GenealogyQueries
from infra.reads.registers import RegisterQueries
from infra.settings import Settings
from infra.telemetry import configure_logs
from infra.tracing import configure_traces
from workflows.journey import EFFECTS

log = structlog.get_logger()


def stop_on_signals() -> asyncio.Event:
    """Return an event set by SIGINT and SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def return_addresses(here: Parts) -> ReturnAddresses:
    """Make the addresses bounces come back to, at the domain that mail is from."""
    return ReturnAddresses(here.keys, here.settings.mail_from.rpartition("@")[2].rstrip(">"))


@asynccontextmanager
async def taking_bounces(here: Parts) -> AsyncIterator[None]:
    """Listens for what comes back, where an address to listen at is set."""
    if not here.settings.bounces:
        yield
        return

    async def take(bounce: Bounce) -> None:
        case = await here.ledger.case_of_effect(bounce.effect)
        if case is None:
            log.warning("a bounce of no effect of ours")
            return
        meta = Meta(ENGINE, "operation", key=f"bounce/{bounce.effect}", causation=bounce.effect)
        await here.commands.record(
            CommandRequest(case, meta, ReportBounce(bounce.effect, bounce.code, bounce.diagnostic))
        )

    host, _, port = here.settings.bounces.rpartition(":")
    addresses = return_addresses(here)
    server = await asyncio.get_running_loop().create_server(lambda: inbox(addresses, take), host, int(port))
    async with server:
        yield


def offices(here: Parts) -> Offices:
    """Return addresses per role; a role without one cannot be reached, and an effect for it is refused plainly."""
    return Offices(here.settings.mail_from, desks_of(here.ledger, desks(here.settings)))


def telling(here: Parts) -> TellingChanges:
    """Tell of changes two people make, and of what is overdue at stores and lots, by the same mail server."""
    settings, server = here.settings, MailGateway(mail_server(here.settings))
    link = f"{settings.public_url.rstrip('/')}/console/operations"
    found = desks_of(here.ledger, desks(settings))
    return TellingChanges(here.commands, here.ledger.owing_notices, server, link, settings.mail_from, found)


def stopping(here: Parts) -> StoppingUnits:
    """Make what stops the units of stores that were too warm."""
    return StoppingUnits(here.commands, RegisterQueries(here.ledger.pool))


def offering(here: Parts) -> OfferingDoses:
    """Make what offers units that became free to those who wait."""
    return OfferingDoses(here.commands, turns(here), stock(here))


def chasing(here: Parts) -> ChasingOverdue:
    """Make what chases silent loggers and decisions about lots that nobody makes."""
    return ChasingOverdue(here.commands, RegisterQueries(here.ledger.pool))


def following(here: Parts) -> FollowingCatalogue:
    """Follow the catalogue in the name of this process."""
    return FollowingCatalogue(here.commands, FollowedCatalogue(here.ledger.pool), f"{myself()}/{here.commands.ids()}")


@asynccontextmanager
async def handlers(here: Parts, link: Link) -> AsyncIterator[Mapping[str, EffectHandler]]:
    """Return the effect handlers with real far sides."""
    settings = here.settings
    async with httpx2.AsyncClient(transport=PinnedTransport(settings.allowed)) as http:

        def hospital(_centre: str, endpoint: str) -> FhirGateway:
            return FhirGateway(
                http, endpoint, Patience(connect=5, read=10, total=14)
            )  # asking and sending fit into one call

        keeper, walks = here.commands, GenealogyQueries(here.ledger.pool, here.keys)
        genealogy = Genealogy(here.ledger, walks)
        lots = StockedLots(here.ledger, keeper, here.ledger.lots_of)
        mail = MailGateway(mail_server(settings), return_to=return_addresses(here).of if settings.bounces else None)
        uploading = Uploading(
            keeper, documents(here), Looks(here.ledger, keeper.ids), addresses(here.keys, settings.public_url), hospital
        )  # fmt: skip
        uploads = PartialUploads(store_of(settings.documents, settings.document_folder), here.keys)
        erasing = Erasing(here.keys, Capabilities(here.ledger).clear, uploads.clear)
        table = effect_handlers(
            {kind: row.channel for kind, row in EFFECTS.items()},
            here.ledger,
            here.commands.policy,
            offices(here),
            lots,
            genealogy.donors,
            turns(here).of_case,
            hospital,
            mail,
            link,
            uploading.handed,
            {"erase_case": erasing, **on_genealogy(keeper, genealogy), **on_cases(keeper)},
            quiet_until,
        )
        yield {
            **table,
            **recall_handlers(
                keeper,
                offices(here),
                mail,
                walks.numbers_of,
                recall_links(here.ledger, settings.public_url),
                hospital,
                units_at(genealogy),
            ),
        }


async def run_worker(settings: Settings) -> None:
    """Work until told to stop. Waits for the database and a Temporal of its own; another one's ledger is left alone."""
    configure_logs(settings.log_level)
    configure_traces("caravel-worker")
    stop = stop_on_signals()
    async with alive(settings), parts_when_there(settings, stop) as here:
        if here is None:
            return
        if here.ledger.read_only:
            raise Refused(Reason.READ_ONLY, f"{here.ledger.stands_back}; no courier, no effects")
        async with sealing(settings):  # while Temporal is away, too
            await _work(here, stop)


async def _work(here: Parts, stop: asyncio.Event) -> None:
    settings = here.settings
    await _own(here, await connect_temporal(), stop)
    if stop.is_set():
        return
    client = await connect_temporal(lazy=False)  # a worker's has to be connected
    await _whole(here, client, stop)
    if stop.is_set():
        return
    for case in await tombstones(here):
        log.warning("erased after this database was backed up; its tombstone is recorded again", case=case)
    async with taking_bounces(here), handlers(here, links(here.ledger, settings.public_url)) as table:
        courier = Courier(here.ledger, client, settings.database_url.get_secret_value())
        log.info("worker ready")
        await plan(client)
        await adopt_desks(here)
        await work(
            [*workers(client, here.commands, table), night_worker(client, chores_of(here, client))],
            [
                courier.run,
                partial(again_and_again, telling(here).round, "not told of changes"),
                partial(again_and_again, following(here).round, "catalogue not followed"),
                partial(again_and_again, stopping(here).round, "stores not looked at"),
                partial(again_and_again, offering(here).round, "free units not offered"),
                partial(again_and_again, chasing(here).round, "nobody chased"),
            ],
            stop,
        )


async def _whole(here: Parts, client: Client, stop: asyncio.Event) -> None:
    """Say once what is missing of this history, and wait until a person has accepted it."""
    found = await find(here, client)
    for line in explained(found) if found else ():
        log.error(line)
    while found and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 2)
        found = await here.ledger.loss()


async def _own(here: Parts, client: Client, stop: asyncio.Event) -> None:
    """Wait until this Temporal is the one that acts for the ledger (`caravel restore` says so)."""
    while not stop.is_set():
        try:
            if await own_engine(here.ledger, client):
                return
            log.warning("another Temporal acts for this ledger; `caravel restore --take-over` changes that")
        except Exception as error:  # noqa: BLE001 - Temporal or the database is away; they come back
            log.warning("waiting for Temporal", error=type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), 2)
        except TimeoutError:
            continue
