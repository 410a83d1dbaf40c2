"""Reads are recorded too: what was shown to whom, committed before the answer leaves; and who looked at a case."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from activities.ports import Meta
from api.http.access import NO_CASE, belonging_of, case_meant
from api.http.auth import Parts, Who
from api.http.masking import Sees, sees
from api.http.paging import limited, linked
from api.http.problems import Fault, invalid
from api.ports import Service
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.roles import Actor, allow

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
    """Return who saw this case, when, what of it, what for, and which key classes were open: newest first."""
    rows, more = await looks_of(service, who, await case_meant(service, case), _position(after), limited(limit))
    body = {"looks": [_line(row) for row in rows], "next": more}
    return JSONResponse(body, headers={"Cache-Control": "no-store", **linked(request, more)})


async def looks_of(
    service: Service, who: Actor, stream: str, before: int, most: int
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """List the looks before a position, newest first, and where the next page begins. This is a look of its own."""
    require(stream in await service.worklist.belongings([stream]), Reason.NOT_FOUND, NO_CASE)
    allowed = allow(who, Action.SEE_LOOKS)
    require(allowed, Reason.NOT_ALLOWED, f"who looked at a case is not for the role {who.role.value} to see")
    await looked(service, who, "looks", [stream], frozenset())
    rows = await service.access_log.looks(stream, before, most + 1)
    return rows[:most], str(rows[most - 1]["position"]) if len(rows) > most else None


def _position(after: str | None) -> int:
    if after is None:
        return NEWEST
    if not (after.isascii() and after.isdigit() and int(after) <= NEWEST):
        raise invalid("that is no cursor of ours", Fault("must be a cursor", parameter="after"))
    return int(after)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "at": row["at"].isoformat()}
