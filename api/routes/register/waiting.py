"""The waiting list of a protocol: who waits in the order in which places are offered, and whose each place is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.access import stream_meant
from api.http.auth import Parts, Who
from domain.catalogue.protocol import Protocol
from domain.catalogue.waiting.waiting_list import Entry, Place
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.roles import allow

router = APIRouter(tags=["protocols"])


@router.get("/protocols/{entry}/waiting")
async def waiting(entry: str, service: Parts, who: Who) -> JSONResponse:
    """List who waits for a place, urgent ones first, then who has waited longest; and each place with its reasons."""
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see the catalogue")
    found = await service.commands.entry(stream_meant(entry, "protocol"))
    state: Protocol = found.state
    body = {
        "id": found.stream,
        "waiting": [_entry(number, one) for number, one in enumerate(state.waiting.in_order(), 1)],
        "places": [_place(one) for one in state.waiting.places],
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _entry(number: int, one: Entry) -> Mapping[str, Any]:
    since = one.since.isoformat()
    return {"number": number, "case": one.case, "centre": one.centre or None, "urgent": one.urgent, "since": since}


def _place(one: Place) -> Mapping[str, Any]:
    """A place; why it is this case's: of `waiting` cases so many had waited longer."""
    why = {"because": one.because, "waiting": one.waiting, "longer": one.longer} if one.case else None
    until = one.until.isoformat() if one.until and one.state == "offered" else None
    return {
        "id": one.id,
        "centre": one.centre,
        "state": one.state,
        "case": one.case or None,
        "until": until,
        "why": why,
    }
