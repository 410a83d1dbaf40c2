"""Recalls and their drills: opened from any material or lot, with every unit and patient, answered per hospital."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from activities.command_handler import CommandRequest
from activities.ports import CommandKey, Meta
from api.http.access import require_command, stream_meant
from api.http.answers import CREATED, entry_answer, idempotency_key, if_match
from api.http.auth import Parts, Who
from api.http.command_json import HttpCommands
from api.http.limits import read_body
from api.http.paging import limited, linked
from api.routes.doses.genealogy import answered, require_quality
from api.routes.reads import private
from domain.core.fact import Command
from domain.core.personal import unread
from domain.recalls.recall import GIVEN, Recall
from domain.roles import Actor

router = APIRouter(prefix="/recalls", tags=["recalls"])
COMMANDS = HttpCommands(GIVEN)


@router.post("", status_code=CREATED, summary="Open a recall or a drill")
async def open_recall(request: Request, service: Parts, who: Who) -> JSONResponse:
    """Recall everything made of a material or lot: its lots are stopped at once, its hospitals asked to acknowledge.

    With `drill` nothing is stopped, and the hospitals are asked to acknowledge a drill.
    """
    key = idempotency_key(request)
    command = COMMANDS.parse(await read_body(request), who.id, only=("OpenRecall",), default="OpenRecall")
    require_command(who, command.type)
    recorded = await service.commands.record(sent_of(who, key, service.fresh_stream("recall"), command))
    await request.app.state.ringing.ring()
    return entry_answer(recorded, CREATED)


@router.get("", summary="List recalls")
async def recalls(request: Request, service: Parts, who: Who, after: str = "", limit: int = 100) -> JSONResponse:
    """Recalls and drills, whether each is over, and the hospitals it waits for."""
    require_quality(who)
    rows = await service.registers.catalogue("recall", after, limited(limit) + 1)
    more = rows[limit - 1]["stream"] if len(rows) > limit else None
    told = [{"id": row["stream"], **row["state"]} for row in rows[:limit]]
    return JSONResponse({"recalls": told, "next": more}, headers={**private(), **linked(request, more)})


@router.get("/{recall}", summary="One recall as it stands")
async def one(recall: str, service: Parts, who: Who) -> JSONResponse:
    """Return how far it is with each lot and hospital, and the units and patients as they stand now."""
    require_quality(who)
    stream = stream_meant(recall, "recall")
    state, now = await service.commands.driven(stream)
    assert isinstance(state, Recall)
    trace = await service.genealogy.trace([state.scope])
    return JSONResponse({**shown(state), **await answered(service, who, trace, now)}, headers=private())


@router.post("/{recall}/commands", summary="Give a command to a recall")
async def command_recall(recall: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Enter that a hospital has acknowledged."""
    key, expected = idempotency_key(request), if_match(request)
    stream = stream_meant(recall, "recall")
    command = COMMANDS.parse(await read_body(request), who.id, only=("AcknowledgeRecall",))
    require_command(who, command.type)
    recorded = await service.commands.record(sent_of(who, key, stream, command, expected, about=stream))
    await request.app.state.ringing.ring()
    return entry_answer(recorded)


def sent_of(
    who: Actor, key: str, stream: str, command: Command, expected: int | None = None, about: str = ""
) -> CommandRequest:
    """Make the request; `about` is what its digest names: a new recall has no name that a repeat would know."""
    remembered = CommandKey(who.id, key, COMMANDS.digest(about, command))
    return CommandRequest(stream, Meta(who.id, who.stated, key=key), command, remembered, if_version=expected)


def shown(recall: Recall) -> Mapping[str, Any]:
    """Return how far a recall is, as JSON."""
    hospitals = [
        {
            "centre": name,
            "cases": len(one.cases),
            "acknowledged": bool(one.acknowledged),
            "by": _said(one.by),
            "note": _said(one.note),
            "units": [{"lot": lot, "unit": unit, "fate": fate} for (lot, unit), fate in sorted(one.fates.items())],
        }
        for name, one in sorted(recall.hospitals.items())
    ]
    lots = {lot: recall.stopped(lot) for lot in recall.lots}
    owed = [
        {"centre": o.about, "due": o.due.isoformat(), "state": o.state}
        for o in recall.obligations.values()
        if o.state in ("open", "missed")
    ]
    messages = [
        {"kind": e.kind, "about": e.about, "state": "bounced" if e.bounced else e.state}
        for e in recall.effects.values()
    ]
    return {
        "id": recall.id,
        "scope": recall.scope,
        "drill": recall.drill,
        "reason": _said(recall.reason),
        "opened_at": recall.opened_at.isoformat() if recall.opened_at else None,
        "opened_by": recall.opened_by,
        "state": "ended" if recall.over else "open",
        "stopped": lots,
        "hospitals": hospitals,
        "owed": owed,
        "messages": messages,
    }


def _said(value: object) -> object:
    return None if unread(value) else value
