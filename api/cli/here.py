"""The whole application in this process, for a machine that holds the database and the keys."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import structlog

from api.cli.outcome import REFUSED, UNAVAILABLE, CommandFailed
from api.run.engine.courier import Courier
from api.run.http_app import http_app
from api.run.wiring import Parts, actor_of, connect_temporal, parts
from infra.reads.worklist import WorklistQueries
from infra.settings import Settings


@asynccontextmanager
async def in_process(person: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield the API without a socket; the machine gives the commands, or a person by name, with their rights."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet, logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    async with opened() as here:
        transport = httpx2.ASGITransport(app=http_app(here, local=await actor_of(here, person)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://caravel") as http:
            yield http


@asynccontextmanager
async def opened() -> AsyncIterator[Parts]:
    """Return the ledger of this machine. Raises CommandFailed when none is configured."""
    settings = Settings()
    if not settings.database_url.get_secret_value():
        raise CommandFailed(
            UNAVAILABLE, "set CARAVEL_API (and CARAVEL_TOKEN), or CARAVEL_DATABASE_URL and CARAVEL_HOME"
        )
    async with parts(settings, connections=4) as here:
        yield here


async def nudged(case: str) -> None:
    """Wake the loop of a case. Raises CommandFailed."""
    async with opened() as here:
        stream = case if case.startswith("case-") else await WorklistQueries(here.ledger).case_of(case)
        if stream is None:
            raise CommandFailed(REFUSED, "no such case")
        courier = Courier(here.ledger, await connect_temporal(), here.settings.database_url.get_secret_value())
        await courier.nudge(stream, (await here.ledger.engine()).epoch)
