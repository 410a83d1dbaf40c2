"""Assembles the HTTP application from the parts every process has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from temporalio.client import Client

from activities.access_log import Looks
from activities.doses.genealogy import Genealogy
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.mail import desks_of
from activities.effect_handlers.reserving import DoseStock
from activities.following.dose_turns import DoseTurns
from activities.gateways import Answer
from api.app import create_app
from api.ports import DevSignIn, Limits, Malformed, Probe, Service, SignsIn, Untrusted
from api.run.changes import desks
from api.run.checking import Checks
from api.run.mailing import code_mail
from api.run.sealing import signs, where_checkpoints_are
from api.run.wiring import EVERY_EVENT, Parts
from domain.roles import Actor
from infra.audit.package.making import EvidencePackages
from infra.destroyed_keys import destroyed_in
from infra.documents import StoredDocuments, store_of
from infra.health_links.fetching import SmartHealthLinks
from infra.hospitals.answers import BadAnswer
from infra.hospitals.callbacks import BadSignature, read_key, verify
from infra.hospitals.pinned import PinnedTransport
from infra.hospitals.recall_tasks import answer_of
from infra.identity.capabilities import Capabilities
from infra.identity.document_links import DocumentLinks
from infra.identity.oidc import Oidc
from infra.identity.sealed_text import SealedText
from infra.identity.sessions import Sessions
from infra.identity.visits import Visits
from infra.ids import fresh_stream
from infra.ledger.bells import EVENTS
from infra.ledger.erasures import unlisted
from infra.ledger.key_folder import keys_here
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.migrate import at_head
from infra.paper.typesetting import Typesetter
from infra.partial_uploads import PartialUploads
from infra.reads import gauges
from infra.reads.access_log import AccessLogQueries, ChangeQueries
from infra.reads.figures import FigureQueries
from infra.reads.genealogy import GenealogyQueries
from infra.reads.operations import OperationsQueries
from infra.reads.proofs import ProofQueries
from infra.reads.registers import RegisterQueries
from infra.reads.tasks import TaskQueries
from infra.reads.worklist import WorklistQueries
from infra.settings import Settings
from infra.virus_scan import Clamd


def http_app(
    here: Parts,
    temporal: Client | None = None,
    *,
    dev: DevSignIn | None = None,
    oidc: Oidc | None = None,
    limits: Limits | None = None,
    local: Actor | None = None,
    signs_in: SignsIn | None = None,
) -> FastAPI:
    """Make the app over these parts. A production ledger refuses a development sign-in; `local` never listens."""
    ledger = here.ledger
    service = Service(
        commands=here.commands,
        **_lists(ledger),
        **_register(here),
        audit=ProofQueries(ledger.pool),
        packages=EvidencePackages(ledger.pool, lambda: signs(here.settings), EVERY_EVENT),
        looks=Looks(ledger, here.commands.ids),
        checks=Checks(here.settings, ledger.pool),
        operations=OperationsQueries(ledger, temporal),
        figures=FigureQueries(ledger.pool),
        sessions=Sessions(ledger),
        capabilities=Capabilities(ledger),
        **_files(here),
        **_dossiers(here),
        signed_by=partial(signed_by, origin=_origin(here.settings)),
        open_callback=partial(open_callback, origin=_origin(here.settings)),
        reject=ledger.reject_callback,
        bell=bell(ledger),
        gauges=lambda: gauges.gauges(ledger),
        needed=_needed(here),
        wanted=_wanted(here, temporal),
        fresh_stream=fresh_stream,
        clock=lambda: datetime.now(UTC),
        person_of_jwt=oidc.person if oidc else None,
        dev=_outside_production(dev, ledger),
        signs_in=signs_in,
        seal=SealedText(here.keys),
        public_url=here.settings.public_url,
        temporal_ui=here.settings.temporal_ui,
        checkpoint_places=where_checkpoints_are(here.settings),
        open_pages=_open_pages(here),
        limits=limits or Limits(document=here.settings.document_bytes),
        local=local,
    )
    app = create_app(service)
    here.forget.extend((app.state.name_index.forget, app.state.person_index.forget))
    return app


def _lists(ledger: PgLedger) -> Mapping[str, Any]:
    """What reads cases, what they owe, who looked at them, and what came in."""
    return {
        "worklist": WorklistQueries(ledger),
        "tasks": TaskQueries(ledger),
        "access_log": AccessLogQueries(ledger),
        "changes": ChangeQueries(ledger),
    }


def turns(here: Parts) -> DoseTurns:
    """Read who waits for a unit from the read models of this ledger."""
    return DoseTurns(here.commands, RegisterQueries(here.ledger.pool).want_unit)


def stock(here: Parts) -> DoseStock:
    """Read lots with what is known of their donors."""
    genealogy = Genealogy(here.ledger, GenealogyQueries(here.ledger.pool, here.keys))
    return DoseStock(StockedLots(here.ledger, here.commands, here.ledger.lots_of), genealogy.donors)


def _register(here: Parts) -> Mapping[str, Any]:
    """What reads lots, protocols, centres and persons, and what lots are made of."""
    pool = here.ledger.pool
    genealogy = Genealogy(here.ledger, GenealogyQueries(pool, here.keys))
    return {"registers": RegisterQueries(pool), "genealogy": genealogy, "stock": stock(here), "turns": turns(here)}


def _dossiers(here: Parts) -> Mapping[str, Any]:
    """What the ways of people outside to their files need: addresses, visits, the mail of their codes, and to whom."""
    links, visits = DocumentLinks(here.keys), Visits(here.ledger)
    desk = desks_of(here.ledger, desks(here.settings))
    shared = SmartHealthLinks(lambda: PinnedTransport(here.settings.allowed), lambda: datetime.now(UTC))
    mail = code_mail(here.settings)
    return {
        "document_links": links,
        "visits": visits,
        "code_mail": mail,
        "desk": desk,
        "health_links": shared,
        "papers": Typesetter(),
    }


def _files(here: Parts) -> Mapping[str, Any]:
    """What becomes of files: where they are kept, whole or not yet, and what looks at them."""
    settings = here.settings
    return {
        "documents": documents(here),
        "uploads": PartialUploads(store_of(settings.documents, settings.document_folder), here.keys),
        "scanner": Clamd(settings.clamd) if settings.clamd else None,
        "unscanned": settings.clamd_down,
    }


def _outside_production(dev: DevSignIn | None, ledger: PgLedger) -> DevSignIn | None:
    """Raise ValueError where a development sign-in would open a production ledger."""
    if dev is not None and _production(ledger):
        raise ValueError("a production ledger has no development sign-in")
    return dev


def _production(ledger: PgLedger) -> bool:
    return ledger.installation is None or ledger.installation.kind == "production"


def _open_pages(here: Parts) -> bool:
    """As it was set, else everywhere but in production."""
    told = here.settings.open_pages
    return told if told is not None else not _production(here.ledger)


def documents(here: Parts) -> StoredDocuments:
    """Open the document store named by CARAVEL_DOCUMENTS, else a folder of this machine."""
    settings = here.settings
    return StoredDocuments(store_of(settings.documents, settings.document_folder), here.keys, settings.home / "spool")


def _origin(settings: Settings) -> str:
    """Where hospitals reach us, as they sign it; what a proxy calls us does not count."""
    parts = urlsplit(settings.public_url)
    return f"{parts.scheme}://{parts.netloc}"


def signed_by(
    key: str, lines: Sequence[tuple[str, str]], path: str, now: datetime, body: bytes | None = None, *, origin: str
) -> None:
    """Refuse what the key did not sign; without the body nothing is said about it. Raises Untrusted."""
    try:
        verify(lines, "POST", path, body, read_key(key), now, origin)
    except BadSignature as bad:
        raise Untrusted(bad.reason) from None
    except ValueError:
        raise Untrusted("the key registered for this centre cannot be read") from None


def open_callback(
    key: str, lines: Sequence[tuple[str, str]], path: str, body: bytes, now: datetime, *, origin: str
) -> Answer:
    """Signature first, then what it says. Raises Untrusted, Malformed."""
    signed_by(key, lines, path, now, body, origin=origin)
    try:
        return answer_of(body)
    except BadAnswer as bad:
        raise Malformed(bad.reason) from None


def bell(ledger: PgLedger) -> Any:  # noqa: ANN401 - a Bell
    """Returns when something was recorded since it last did, and after a few seconds in any case; for one caller."""
    listening: asyncio.Event | None = None

    async def ring() -> None:
        nonlocal listening
        listening = listening or await ledger.bells.listen(EVENTS)
        await ledger.bells.wait(listening)

    return ring


def schema(here: Parts) -> Probe:
    """Make a probe of whether the database has this program's schema; once seen it is not asked again."""
    seen = False

    async def probe() -> bool:
        nonlocal seen
        seen = seen or await at_head(here.settings.database_url.get_secret_value())
        return seen

    return probe


def _needed(here: Parts) -> Mapping[str, Probe]:
    async def keys() -> bool:
        return keys_here(here.ledger, here.keys)

    return {"database": lambda: gauges.database_answers(here.ledger), "schema": schema(here), "keys": keys}


def _wanted(here: Parts, temporal: Client | None) -> Mapping[str, Probe]:
    ledger = here.ledger

    async def erasures() -> bool:
        """As the file has it: what this process remembers of it would not be there at its next start."""
        listed = await asyncio.to_thread(destroyed_in, here.settings.destroyed_keys)
        return not await unlisted(ledger.pool, listed)

    return {
        "courier": lambda: gauges.courier_active(ledger),
        "sealing": lambda: gauges.sealing_fine(ledger),
        "clock": lambda: gauges.clock_fine(ledger),
        "erasures": erasures,
        **_temporal(temporal),
    }


def _temporal(client: Client | None) -> Mapping[str, Probe]:
    if client is None:
        return {}

    async def answers() -> bool:
        return await client.service_client.check_health(timeout=timedelta(seconds=2))

    return {"temporal": answers}
