"""Shows who waits for a unit of each product, in which order and why, beside how many units there are."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.console.session import Viewer
from api.console.text.times import ViewerClock
from api.console.web import page, pages
from api.http.auth import Parts
from api.routes.doses.turns import lines, supplies

router = pages()
COUNTS = ("waiting", "free", "coming", "held", "expire", "bound", "short", "short_later")
"""What is counted of a product, in the order of the columns."""


@router.get("/console/doses/waiting")
async def waiting(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show the lists; a case that the reader may not see has its place without its name."""
    found = await lines(service, viewer.who)
    products = [(line["product"], line["waiting"]) for line in found]
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    supply = await supplies(service, viewer.who)
    return page(request, "dose_turns.html", viewer, clock=clock, products=products, supply=supply, counts=COUNTS)
