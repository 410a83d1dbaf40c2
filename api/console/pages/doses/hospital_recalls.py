"""Shows a hospital's clerk the recalls that wait for their hospital; the clerk acknowledges in their own name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from activities.ports import Meta
from api.console.pages.clerk import clerk_of
from api.console.session import CSRF, Viewer, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.access import stream_meant
from api.http.auth import CLERKS, Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.ports import Service
from api.routes.doses.accounting import FATES, Question, answer, question
from api.routes.doses.recalls import sent_of
from domain.core.errors import Reason, Refused
from domain.recalls.recall import Recall
from domain.roles import Actor

router = pages()
PAGE = 500


@router.get("/hospital/recalls")
async def recalls(request: Request, service: Parts, viewer: Viewer) -> Response:
    """List the recalls and drills that reach the clerk's hospital and are not over; the look at its cases is kept."""
    who = clerk_of(viewer)
    now, looker = service.clock(), Meta(who.id, who.stated)
    found = [one for one in await _open(service) if who.centre in one.hospitals]
    told = [_line(one, who, await question(service, one, who.centre, now, looker)) for one in found]
    clock = ViewerClock(now, viewer.zone, viewer.t)
    return page(request, "clerk_recalls.html", viewer, clock=clock, found=told, fates=FATES)


@router.post("/hospital/recalls/{recall}")
async def acknowledge(request: Request, recall: str, service: Parts, viewer: Viewer) -> Response:
    """Record that the clerk's hospital has taken note and what was done with its units, on the word of the clerk."""
    who = clerk_of(viewer)
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    stream = stream_meant(recall, "recall")
    state, now = await service.commands.driven(stream)
    if not isinstance(state, Recall) or who.centre not in state.hospitals:
        raise Refused(Reason.NOT_FOUND, "no such recall reaches your hospital")
    asked = await question(service, state, who.centre, now, Meta(who.id, who.stated))
    command = answer(asked, who.centre, viewer.name, given)
    key = f"acknowledged/{stream}/{asked.shown}"
    await service.commands.record(sent_of(who, key, stream, command, state.version, about=stream))
    await request.app.state.ringing.ring()
    return seen(f"{CLERKS}recalls")


async def _open(service: Service) -> Sequence[Recall]:
    found: list[Recall] = []
    for row in await service.registers.catalogue("recall", "", PAGE):
        if row["state"]["state"] == "open":
            state, _ = await service.commands.driven(row["stream"])
            assert isinstance(state, Recall)
            found.append(state)
    return found


def _line(recall: Recall, who: Actor, asked: Question) -> Mapping[str, Any]:
    own = recall.hospitals[who.centre]
    owed = [o.due for o in recall.obligations.values() if o.state == "open" and o.about == who.centre]
    return {
        "id": recall.id,
        "drill": recall.drill,
        "asked": asked,
        "acknowledged": bool(own.acknowledged),
        "due": owed[0] if owed else None,
    }
