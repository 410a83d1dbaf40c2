"""Searching: a case number goes on to the case, a name is looked up in memory. No address holds what was asked."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.desk.worklist import line, owners, to_number
from api.console.session import CSRF, Viewer, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages
from api.http.access import SPOKEN
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.name_index import NameIndex
from api.routes.looks import looked_over
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.roles import allow

router = pages()
LONGEST = 80


@router.post("/console/search")
async def search(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show cases by number or by the patient's name."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    asked = given.get("q", "").strip()[:LONGEST]
    if SPOKEN.fullmatch(asked):
        return await to_number(request, service, viewer, asked)
    allowed = allow(viewer.who, Action.SEE_PERSON)
    require(allowed, Reason.NOT_ALLOWED, f"a {viewer.who.role.value} sees no names")
    index: NameIndex = request.app.state.name_index
    rows = await index.find(service, viewer.who, asked)
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    names = await owners(request, service, viewer)
    lines = [await line(service, viewer, clock, names, row) for row in rows]
    await looked_over(service, viewer.who, rows)
    return page(request, "found.html", viewer, clock=clock, lines=lines, asked=asked, bulk=False)
