"""Shows the stores of doses: how warm each may be, what its readings came to, what lies in it; takes a file of them."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from fastapi import Request
from fastapi.responses import Response

from api.console.forms.uploads import upload
from api.console.session import CSRF, Viewer, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.access import stream_meant
from api.http.auth import Parts
from api.ports import Service
from api.routes.doses.genealogy import require_quality
from api.routes.doses.readings import MAX_FILE, record, require_reads
from domain.doses.stock import Lot, lying
from domain.doses.store import Store
from domain.doses.unit import Unit

router = pages()
PAGE = 50
MOST_LOTS = 200
"""Lots whose units a page of a store lists."""


@router.get("/console/stores")
async def stores(request: Request, service: Parts, viewer: Viewer, after: str = "") -> Response:
    """List freezers and shippers, and how many excursions each had."""
    require_quality(viewer.who)
    rows = await service.registers.catalogue("store", after, PAGE + 1)
    more = rows[PAGE - 1]["stream"] if len(rows) > PAGE else ""
    return page(request, "stores.html", viewer, rows=rows[:PAGE], more=more)


@router.get("/console/stores/{entry}")
async def one(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Show one store with its excursions, the newest first, and what lies in it by position."""
    require_quality(viewer.who)
    found = await service.commands.entry(stream_meant(entry, "store"))
    state: Store = found.state
    return page(
        request,
        "store.html",
        viewer,
        clock=ViewerClock(found.now, viewer.zone, viewer.t),
        id=found.stream,
        store=state,
        excursions=sorted(state.excursions, key=lambda one: one.began, reverse=True),
        lying=await _lying(service, found.stream),
        now=found.now,
        nonce=token_hex(8),
    )


async def _lying(service: Service, store: str) -> Sequence[tuple[str, str, Unit]]:
    """What lies there now: position, lot, unit."""
    found: list[tuple[str, str, Unit]] = []
    for stream in (await service.registers.lying(store))[:MOST_LOTS]:
        lot: Lot = (await service.commands.entry(stream)).state
        found += [(position, stream, unit) for position, unit in lying(lot, store)]
    return sorted(found, key=lambda row: (row[0], row[1], row[2].id))


@router.post("/console/stores/{entry}")
async def read(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Read a file of temperatures, stop what lay there if it was too warm, and show the store then."""
    form = await upload(request, MAX_FILE)
    require_csrf(request, dict(form.pairs).get(CSRF, ""))
    require_reads(viewer.who)
    stream = stream_meant(entry, "store")
    body = b"".join([part async for part in form.content])
    key = f"readings/{dict(form.pairs).get('nonce', '')}"
    await record(request, service, viewer.who, key, stream, body)
    return seen(f"/console/stores/{stream}")
