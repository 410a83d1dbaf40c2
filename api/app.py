"""The HTTP application: which routes there are, put together from plain arguments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from api.console import home_room, reading_room, recall_answer, reply_page, site, translation_room
from api.console.rooms import messages
from api.http import health, problems, stream
from api.http.auth import Doorkeeper
from api.http.files.previews.renderer import Renderer
from api.http.health import Figures, Readiness
from api.http.limits import Seats, Throttle
from api.http.middleware import QUIET, OuterMiddleware
from api.http.openapi import openapi_of
from api.http.stream import Ringing
from api.papers import questions
from api.papers import routes as papers
from api.ports import Service
from api.routes import (
    callbacks,
    cases,
    changes,
    checklist,
    documents,
    handing_over,
    looks,
    matches,
    previews,
    reads,
    results,
    screening,
    sign_in,
    start,
)
from api.routes.desk import tasks
from api.routes.developers import metadata, sandbox
from api.routes.doses import genealogy, readings, recalls, turns
from api.routes.files import uploads
from api.routes.findings import (
    cells,
    depletion,
    links,
    monitoring,
    redosing,
    registries,
    reserving,
    responses,
    summaries,
    visits,
)
from api.routes.history import audit, evidence, figures, moments
from api.routes.intake import linking, urgency
from api.routes.register import entries, loading, reviews, rules, waiting
from api.routes.then import Rows
from api.routes.travel import preparing, shipments, slip
from domain.catalogue.streams import CATALOGUE

PARTS = (
    start,
    cases,
    documents,
    previews,
    uploads,
    reads,
    moments,
    screening,
    matches,
    slip,
    preparing,
    shipments,
    checklist,
    cells,
    depletion,
    monitoring,
    redosing,
    responses,
    reserving,
    registries,
    visits,
    tasks,
    urgency,
    linking,
    results,
    summaries,
    links,
    looks,
    audit,
    evidence,
    callbacks,
    sandbox,
    metadata,
    handing_over,
    changes,
    genealogy,
    recalls,
    papers,
    questions,
    readings,
    turns,
    figures,
    loading,
    reviews,
    rules,
    waiting,
    reply_page,
    reading_room,
    recall_answer,
    translation_room,
    home_room,
    messages,
    stream,
    sign_in,
    health,
)
"""What brings routes, in the order they are asked in; those of the catalogue's kinds come after."""
ABOUT = "System of record and engine for cell-therapy patient journeys."


def create_app(service: Service) -> FastAPI:
    """Return the app over these parts. A development sign-in is there only if `service.dev` is."""
    throttle, figures = Throttle(service.limits), Figures()
    app = FastAPI(
        title="Caravel",
        description=ABOUT,
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"operation_spans": False, "metrics": False, "logs": False, "exclude": _quiet},
    )
    app.state.service = service
    app.state.throttle = throttle
    app.state.figures = figures
    app.state.readiness = Readiness(service)
    app.state.doorkeeper = Doorkeeper(service, throttle)
    app.state.ringing = Ringing()
    app.state.renderer = Renderer()
    app.state.rows_then = Rows()
    app.state.streams = Seats(service.limits.streams, service.limits.streams_in_all)
    # As they are: they find what they need in `app.state`, and including a router makes all its routes once more.
    for part in PARTS:
        app.router.routes.extend(part.router.routes)
    for prefix in CATALOGUE:
        app.router.routes.extend(entries.router_of(prefix).routes)
    if service.dev is not None:
        app.router.routes.extend(sign_in.dev_router.routes)
    site.install(app)
    problems.install(app)
    hosts = service.dev.hosts if service.dev else ()
    app.add_middleware(OuterMiddleware, figures=figures, throttle=throttle, hosts=hosts)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return app


def _quiet(scope: MutableMapping[str, Any]) -> bool:
    """What monitors ask all day long has no trace."""
    return scope["path"] in QUIET


def _description(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi_of(app)
    return app.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    ringing: Ringing = app.state.ringing
    task = asyncio.create_task(ringing.run(app.state.service))
    try:
        yield
    finally:
        await ringing.stop()
        await app.state.service.checks.stop()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
