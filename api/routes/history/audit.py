"""Checkpoints and proofs, for those who look whether history is whole; every answer says what is not covered yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.http.access import STREAM
from api.http.auth import Parts, Who
from api.http.paging import limited, linked
from api.ports import Service
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.roles import Actor, allow

router = APIRouter(prefix="/audit", tags=["audit"])
FRESH = {"Cache-Control": "no-store"}


@router.get("/status")
async def status(service: Parts, who: Who) -> JSONResponse:
    """Say how much is sealed, what no checkpoint outside covers yet, where they are kept, and what the night found."""
    may_prove(who)
    return await _answer(service, who, {"nightly": await service.audit.nightly()})


@router.get("/checkpoints")
async def checkpoints(request: Request, service: Parts, who: Who, after: int = 0, limit: int = 100) -> JSONResponse:
    """Signed checkpoints (C2SP tlog-checkpoint), by size."""
    may_prove(who)
    rows = await service.audit.checkpoints(after, limited(limit) + 1)
    more = str(rows[limit - 1]["size"]) if len(rows) > limit else None
    return await _answer(service, who, {"checkpoints": list(rows[:limit]), "next": more}, linked(request, more))


@router.get("/events/{stream}/{version}/inclusion")
async def inclusion(stream: str, version: int, service: Parts, who: Who, size: int | None = None) -> JSONResponse:
    """That an event is in the tree of a checkpoint (RFC 9162, 2.1.3); the newest when no size is given."""
    may_prove(who)
    require(STREAM.fullmatch(stream), Reason.NOT_FOUND, "no such event")
    return await _answer(service, who, await service.audit.inclusion(stream, version, size))


@router.get("/consistency")
async def consistency(old: int, new: int, service: Parts, who: Who) -> JSONResponse:
    """That the tree of one checkpoint is the beginning of another's (RFC 9162, 2.1.4)."""
    may_prove(who)
    return await _answer(service, who, await service.audit.consistency(old, new))


async def _answer(
    service: Service, who: Actor, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    may_prove(who)
    shown = {**body, "exposure": await service.audit.exposure()}
    return JSONResponse(shown, headers={**FRESH, **(headers or {})})


def may_prove(who: Actor) -> None:
    """Refuse whoever does not see checkpoints and proofs."""
    require(allow(who, Action.PROVE), Reason.NOT_ALLOWED, f"a {who.role.value} does not see checkpoints")
