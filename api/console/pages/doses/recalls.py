"""Shows recalls and drills: which hospitals each waits for, lots, units and patients; opens one, enters an answer."""

from __future__ import annotations

from secrets import token_hex

from fastapi import Request
from fastapi.responses import Response

from api.console.session import CSRF, Viewer, directory_of, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.access import require_command, stream_meant
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.routes.doses.genealogy import answered, require_quality
from api.routes.doses.recalls import COMMANDS, sent_of, shown
from domain.recalls.recall import Recall

router = pages()
PAGE = 100


@router.get("/console/recalls")
async def recalls(request: Request, service: Parts, viewer: Viewer) -> Response:
    """List recalls and drills."""
    require_quality(viewer.who)
    rows = await service.registers.catalogue("recall", "", PAGE)
    names = await directory_of(request).labels(service, viewer.who)
    told = [{"id": row["stream"], **row["state"]} for row in rows]
    told = [{**row, "waiting": [names.get(one, one) for one in row["waiting"]]} for row in reversed(told)]
    return page(request, "recalls.html", viewer, rows=told)


@router.get("/console/recalls/{recall}")
async def one(request: Request, recall: str, service: Parts, viewer: Viewer) -> Response:
    """Show one recall with every hospital, lot, unit and patient, as they stand now."""
    require_quality(viewer.who)
    state, now = await service.commands.driven(stream_meant(recall, "recall"))
    assert isinstance(state, Recall)
    trace = await service.genealogy.trace([state.scope])
    found = {**shown(state), **await answered(service, viewer.who, trace, now)}
    names = await directory_of(request).labels(service, viewer.who)
    clock = ViewerClock(now, viewer.zone, viewer.t)
    states = [unit["state"] for unit in found["units"]]
    return page(
        request,
        "recall.html",
        viewer,
        clock=clock,
        recall=found,
        opened=state.opened_at,
        names=names,
        counts=[(name, states.count(name)) for name in sorted(set(states))],
        due={o.about: o.due for o in state.obligations.values() if o.state == "open"},
        nonce=token_hex(8),
    )


@router.post("/console/recalls")
async def open_one(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Open a recall or a drill from the page of a material or lot, and go there."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    said = {"type": "OpenRecall", "scope": given.get("scope", ""), "reason": given.get("reason", "")}
    command = COMMANDS.parse({**said, "drill": given.get("drill") == "yes"}, viewer.who.id, only=("OpenRecall",))
    require_command(viewer.who, command.type)
    key = f"recall/{given.get('nonce', '')}"
    recorded = await service.commands.record(sent_of(viewer.who, key, service.fresh_stream("recall"), command))
    await request.app.state.ringing.ring()
    return seen(f"/console/recalls/{recorded.stream}")


@router.post("/console/recalls/{recall}/acknowledged")
async def acknowledged(request: Request, recall: str, service: Parts, viewer: Viewer) -> Response:
    """Enter that a hospital has acknowledged."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    stream = stream_meant(recall, "recall")
    said = {"type": "AcknowledgeRecall", **{name: given.get(name, "") for name in ("centre", "said_by", "note")}}
    command = COMMANDS.parse(said, viewer.who.id, only=("AcknowledgeRecall",))
    require_command(viewer.who, command.type)
    key = f"acknowledged/{given.get('nonce', '')}/{given.get('centre', '')}"
    await service.commands.record(sent_of(viewer.who, key, stream, command, about=stream))
    await request.app.state.ringing.ring()
    return seen(f"/console/recalls/{stream}")
