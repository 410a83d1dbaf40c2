"""The API as a process, or inside `caravel up`: bound, announced, and stopped cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx2
import structlog

from api.http.strangers.bounds import Bounds
from api.http.streams_end import serve
from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.loss import explained, find
from api.run.processes import stop_on_signals
from api.run.waiting import parts_when_there
from api.run.wiring import Parts, connect_temporal
from infra.identity.oidc import Oidc
from infra.identity.oidc_sign_in import OidcSignIn
from infra.settings import Settings
from infra.telemetry import configure_logs
from infra.tracing import configure_traces

log = structlog.get_logger()


async def run_api(settings: Settings) -> None:
    """`caravel api`: without a development sign-in, whatever the ledger. It listens once the database is there."""
    configure_logs(settings.log_level)
    stop = stop_on_signals()
    async with parts_when_there(settings, stop) as here:
        if here is None:
            return
        for line in explained(found) if (found := await find(here)) else ():
            log.error(line)
        await serve_api(here, "", None, stop, lambda url: log.info("api ready", url=url))


async def serve_api(
    here: Parts, temporal_address: str, dev: DevSignIn | None, stop: asyncio.Event, ready: Callable[[str], None]
) -> None:
    """Answer until `stop`. With a sign-in, only on this machine; `ready` is told the address once it listens."""
    configure_traces("caravel-api")
    settings = here.settings
    host, port = settings.api_host, settings.api_port
    if dev is not None:
        host = "127.0.0.1"
        dev = replace(dev, hosts=dev.hosts | {f"127.0.0.1:{port}", f"localhost:{port}"})
    address = {"target_host": temporal_address} if temporal_address else {}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient())
        client = await connect_temporal(**address)
        app = http_app(here, client, dev=dev, oidc=_oidc(settings, http), signs_in=_signs_in(settings, http))
        bounds = Bounds(trusted=settings.proxies)
        await serve(app, host, port, stop, lambda bound: ready(f"http://{host}:{bound}"), bounds)


def _oidc(settings: Settings, http: httpx2.AsyncClient) -> Oidc | None:
    """For programs that bring a bearer token."""
    if not (settings.oidc_issuer and settings.oidc_jwks):
        return None
    return Oidc(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks, http, settings.oidc_claim)


def _signs_in(settings: Settings, http: httpx2.AsyncClient) -> OidcSignIn | None:
    """For people in the console."""
    if not (settings.oidc_issuer and settings.oidc_client):
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return OidcSignIn(settings.oidc_issuer, settings.oidc_client, secret, http, settings.oidc_claim, settings.oidc_jwks)
