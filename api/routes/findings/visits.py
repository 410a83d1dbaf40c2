"""Follow-up as planned: how long it lasts, each visit with its date, and what became of it."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.stages.follow_up.follow_up import visit_lines
from domain.stages.follow_up.visit_plan import last_due

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/visits")
async def visits_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return the visits of follow-up in order, as the protocol had them at infusion; `until`: when follow-up is over.

    `stands`: recorded, missed, owed, ahead, or earlier (seen at the hospital before the patient was let go).
    """
    state, _, _, _ = await seen_case(service, who, case, "visits", known_at)
    until = last_due(state)
    body = {
        "state": state.follow_up,
        "until": until.isoformat() if until else None,
        "visits": [{"visit": v.name, "due": v.due.isoformat(), "stands": v.stands} for v in visit_lines(state)],
    }
    return JSONResponse(body, headers=private())
