"""Shows who waits for a unit of each product, in the order in which units are offered, and why in that."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.console.session import Viewer
from api.console.text.times import ViewerClock
from api.console.web import page, pages
from api.http.auth import Parts
from api.routes.doses.turns import lines

router = pages()


@router.get("/console/doses/waiting")
async def waiting(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show the lists; a case that the reader may not see has its place without its name."""
    found = await lines(service, viewer.who)
    products = [(line["product"], line["waiting"]) for line in found]
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    return page(request, "dose_turns.html", viewer, clock=clock, products=products)
