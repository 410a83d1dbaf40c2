"""The API as a process, or inside `caravel up`: bound, announced, and stopped cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx2
import structlog

from api.ports import DevSignIn
from api.run.http import http_app
from api.run.processes import stop_on_signals
from api.run.wiring import Parts, connect_temporal, parts
from api.serve import serve
from infra.oidc import Oidc
from infra.settings import Settings
from infra.telemetry import configure_logs
from infra.tracing import configure_traces

log = structlog.get_logger()


async def run_api(settings: Settings) -> None:
    """`caravel api`: without a development sign-in, whatever the ledger."""
    configure_logs(settings.log_level)
    stop = stop_on_signals()
    async with parts(settings) as here:
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
        oidc = await _oidc(settings, stack)
        app = http_app(here, await connect_temporal(**address), dev=dev, oidc=oidc)
        await serve(app, host, port, stop, lambda bound: ready(f"http://{host}:{bound}"))


async def _oidc(settings: Settings, stack: AsyncExitStack) -> Oidc | None:
    if not settings.oidc_issuer:
        return None
    http = await stack.enter_async_context(httpx2.AsyncClient())
    return Oidc(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks, http, settings.oidc_claim)
