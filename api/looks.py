"""Reads are recorded too: what was shown to whom, committed before the answer leaves; and who looked at a case."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from activities.ports import Meta
from api.access import NO_CASE, belonging_of, case_meant
from api.auth import Parts, Who
from api.paging import limited, linked
from api.ports import Service
from api.problems import Fault, invalid
from api.shown import Sees, sees
from domain.errors import Reason, require
from domain.roles import Action, Actor, allow

router = APIRouter(tags=["cases"])
NEWEST = 2**62


async def looked(service: Service, who: Actor, what: str, cases: Collection[str], visible: Sees) -> None:
    """Record a look. Raises Refused (read-only, conflict): what cannot be recorded is not shown."""
    if cases:
        await service.looks.record(Meta(who.id, who.stated), what, cases, visible)


async def looked_over(service: Service, who: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record a look at rows of the worklist; a name in one of them counts for all."""
    named = any("identity" in sees(who, belonging_of(row)) for row in rows)
    await looked(service, who, "worklist", [row["stream"] for row in rows], frozenset({"identity"} if named else ()))


@router.get("/cases/{case}/looks")
async def looks_at(
    case: str, request: Request, service: Parts, who: Who, after: str | None = None, limit: int = 200
) -> JSONResponse:
    """Who saw this case, when, what of it, what for, and which key classes were open: newest first."""
    stream = await case_meant(service, case)
    require(stream in await service.desk.belongings([stream]), Reason.NOT_FOUND, NO_CASE)
    allowed = allow(who, Action.SEE_LOOKS)
    require(allowed, Reason.NOT_ALLOWED, f"who looked at a case is not for a {who.role.value} to see")
    await looked(service, who, "looks", [stream], frozenset())
    rows = await service.desk.looks(stream, _position(after), limited(limit) + 1)
    more = str(rows[limit - 1]["position"]) if len(rows) > limit else None
    body = {"looks": [_line(row) for row in rows[:limit]], "next": more}
    return JSONResponse(body, headers={"Cache-Control": "no-store", **linked(request, more)})


def _position(after: str | None) -> int:
    if after is None:
        return NEWEST
    if not (after.isascii() and after.isdigit() and int(after) <= NEWEST):
        raise invalid("that is no cursor of ours", Fault("must be a cursor", parameter="after"))
    return int(after)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "at": row["at"].isoformat()}
