"""What the protocol asks before another dose, how each stands and what it rests on, and what was decided over it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.stages.eligibility.redosing_criteria import redosing_standings

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/redosing")
async def redosing_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Each thing the protocol asks before another dose, in order; none where it asks nothing or no cells were given.

    It `stands` met, not_met or unknown, as computed; a clinician decides. `found` is what stands there, `rests_on` the
    facts that say so. `overruled`: the treatments decided over what was unmet, each with the clinician's reason.
    """
    state, _, now, visible = await seen_case(service, who, case, "redosing", known_at)
    told = "clinical" in visible
    asked = redosing_standings(state, known_at or now) if told else ()
    over = state.overruled if told else ()
    body = {"asked": list(map(asdict, asked)), "overruled": list(map(asdict, over))}
    return JSONResponse({**body, "masked": [] if told else ["clinical"]}, headers=private())
