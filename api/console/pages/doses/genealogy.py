"""Shows what stands around a material, lot or patient: its genealogy, every unit and who got it, now or at an instant.

A code may describe a donor, so it is typed into a form and never stands in an address; ids of ours do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.doses.picture import picture
from api.console.session import CSRF, Viewer, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.routes.doses.genealogy import answered, require_quality, starts_of, traced
from api.routes.reads import zoned
from domain.doses.kinds import KINDS

router = pages()
LOTS = 40
"""How many lots are offered to whoever knows no code yet."""


@router.get("/console/genealogy")
async def ask(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Ask for a code, or choose among the first lots of the catalogue."""
    require_quality(viewer.who)
    lots = await service.registers.catalogue("lot", "", LOTS)
    return page(request, "genealogy.html", viewer, found=None, asked=[], lots=lots)


@router.post("/console/genealogy")
async def find(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Go to what a code names; where it names several, they are listed."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    require_quality(viewer.who)
    code = given.get("code", "").strip()
    if code.startswith("case-"):
        return seen(f"/console/genealogy/{code}")
    starts = await starts_of(service, code)
    if len(starts) == 1:
        return seen(f"/console/genealogy/{starts[0]}")
    return page(request, "genealogy.html", viewer, 200 if starts else 404, found=None, asked=starts, missed=not starts)


@router.get("/console/genealogy/{of}")
async def show(
    request: Request, of: str, service: Parts, viewer: Viewer, known_at: datetime | None = None, shared: bool = False
) -> Response:
    """Show the genealogy of one; `shared`: of everything made with the same vector lots, whoever got it."""
    then = zoned(known_at, "known_at") if known_at else None
    trace, at = await traced(service, viewer.who, of, then, shared=shared)
    answer = await answered(service, viewer.who, trace, at)
    states = [one["state"] for one in answer["units"]]
    return page(
        request,
        "genealogy.html",
        viewer,
        clock=ViewerClock(at, viewer.zone, viewer.t),
        of=of,
        at=at,
        then=then,
        shared=shared,
        found=answer,
        layers=layers(answer),
        drawn=picture(answer, layers(answer)),
        counts=[(state, states.count(state)) for state in sorted(set(states))],
        nonce=token_hex(8),
        recallable=len(answer["of"]) == 1 and then is None,
        asked=[],
    )


def layers(answer: Mapping[str, Any]) -> Sequence[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Return materials and lots from donors down, each with what it was made of."""
    lots = [{**one, "kind": "lot", "code": one["id"]} for one in answer["lots"]]
    edges = {tuple(edge) for edge in (*answer["made_of"], *answer["made_into"])}
    code = {one["id"]: one["code"] or one["id"] for one in (*answer["materials"], *lots)}
    every = [
        {**one, "parents": sorted(code.get(parent, parent) for child, parent in edges if child == one["id"])}
        for one in (*answer["materials"], *lots)
    ]
    told = [(kind, [one for one in every if one["kind"] == kind]) for kind in KINDS]
    return [(kind, ones) for kind, ones in told if ones]
