"""Urgency: which open deadlines would move if a case became urgent, or stopped being so; nothing moves by asking."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.case.obligation import ObligationRedated
from domain.case.state import Case
from domain.stages.intake.inquiry import repaced

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/urgency")
async def urgency(case: str, urgent: bool, service: Parts, who: Who) -> JSONResponse:
    """Open deadlines that would move under this urgency; `SetUrgency` with `deadlines` = `move` moves them."""
    state, _, now, _ = await seen_case(service, who, case, "urgency")
    moves = [_move(state, event) for event in repaced(state, urgent, now, service.commands.policy)]
    return JSONResponse({"urgent": state.urgent, "would_be": urgent, "moves": moves}, headers=private())


def _move(case: Case, event: ObligationRedated) -> dict[str, Any]:
    known = case.obligations[event.obligation]
    return {
        "obligation": known.id,
        "kind": known.kind,
        "debtor": known.debtor.value,
        "due": known.due.isoformat(),
        "would_be_due": event.due.isoformat(),
        "steps": [{"at": s.at.isoformat(), "action": s.action, "to": s.to.value} for s in event.steps],
    }
