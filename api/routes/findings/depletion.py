"""Lymphodepletion day by day: what the protocol plans, on which date, and what the hospital told of each day."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.stages.schedule.depletion_days import day_lines, variants

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/depletion")
async def depletion_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return each planned or told day of every treatment, in order; `day` counts from the infusion, day 0.

    `outcome`: planned, late (it was to be told by noon of the day after), given, reduced, omitted, or broken_off.
    `variants`: those the protocol names days of; `PlanDepletion` chooses one and names the day of the infusion.
    """
    state, _, _, visible = await seen_case(service, who, case, "depletion", known_at)
    told = "clinical" in visible
    lines = day_lines(state) if told else ()
    body = {
        "variants": list(variants(state)),
        "days": [{**asdict(line), "on": line.on.isoformat() if line.on else None} for line in lines],
        "masked": [] if told else ["clinical"],
    }
    return JSONResponse(body, headers=private())
