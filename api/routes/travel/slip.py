"""Says what of a case does not hold on a day of arrival, what mends it, and what the price says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.case.phases.travel import SlipStep
from domain.stages.travel.arrangement_kinds import planned_arrival
from domain.stages.treatment.slip import SlipLine, next_day, slip

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/slip")
async def slip_of(
    case: str, service: Parts, who: Who, arrives: date | None = None, known_at: datetime | None = None
) -> JSONResponse:
    """Return each thing that does not hold if the patient arrives on that day, in the order in which it is asked for.

    Without `arrives` it is the planned day, or the first on which the hospital admits. Nothing is changed by asking:
    `MoveArrival` carries out the steps that are named to it.
    """
    state, _, now, _ = await seen_case(service, who, case, "slip", known_at)
    at = known_at or now
    day = arrives or next_day(state, at) or at.date()
    lines = slip(state, day, at, service.commands.policy)
    planned, moved = planned_arrival(state), state.moved
    body = {
        "id": state.id,
        "arrives": day.isoformat(),
        "planned": planned.isoformat() if planned else None,
        "steps": [_line(line) for line in lines],
        "left_out": [_step(step) for step in moved.left_out] if moved else [],
        "as_known_at": at.isoformat(),
    }
    return JSONResponse(body, headers=private())


def _step(step: SlipStep) -> Mapping[str, Any]:
    until = step.until.isoformat() if step.until else None
    return {
        "step": step.name,
        "kind": step.kind,
        "about": step.about,
        "until": until,
        "needed": step.needed.isoformat(),
    }


def _line(line: SlipLine) -> Mapping[str, Any]:
    price = {"currency": line.currency, **asdict(line.price)} if line.price else None
    return {
        **_step(line.step),
        "why": line.why,
        "mend": line.mend,
        "to": line.to.value,
        "asked": line.asked,
        "price": price,
    }
