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
from domain.stages.schedule.infusion_slip import (
    expected_infusion,
    infusion_slip,
    moved_infusion,
    next_infusion,
    there,
)
from domain.stages.travel.arrangement_kinds import planned_arrival
from domain.stages.treatment.slip import SlipLine, next_day, slip, sums

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/slip")
async def slip_of(
    case: str,
    service: Parts,
    who: Who,
    arrives: date | None = None,
    infusion_day: date | None = None,
    known_at: datetime | None = None,
) -> JSONResponse:
    """Return each thing that does not hold if the patient arrives on that day, in the order in which it is asked for.

    Without `arrives` it is the planned day, or the first on which the hospital admits; of a patient who is there, the
    day of the next infusion (`infusion_day`). Nothing is changed by asking: `MoveArrival` and `MoveInfusion` carry out
    the steps that are named to them. Each says what it costs to move as far as that was told (`RecordMovingCost`), who
    is to be asked where it was not, and what is lost with it; `sums` adds up the open ones.
    """
    state, _, now, _ = await seen_case(service, who, case, "slip", known_at)
    at = known_at or now
    policy, then = service.commands.policy, infusion_day is not None or (arrives is None and there(state))
    if then:
        day, named = infusion_day or next_infusion(state, at, policy), "infusion_day"
        lines, planned = infusion_slip(state, day, at, policy), expected_infusion(state, policy)
    else:
        day, named = arrives or next_day(state, at) or at.date(), "arrives"
        lines, planned = slip(state, day, at, policy), planned_arrival(state)
    moved = moved_infusion(state) if then else state.moved
    body = {
        "id": state.id,
        named: day.isoformat(),
        "planned": planned.isoformat() if planned else None,
        "steps": [_line(line) for line in lines],
        "sums": [asdict(one) for one in sums(lines)],
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
    told = line.priced.isoformat() if line.priced else None
    price = {"currency": line.currency, "told": told, **asdict(line.price)} if line.price else None
    return {
        **_step(line.step),
        "why": line.why,
        "mend": line.mend,
        "to": line.to.value,
        "asked": line.asked,
        "lost": line.lost or None,
        "cost": _cost(line),
        "ask": None if line.cost else line.told_by,
        "price": price,
    }


def _cost(line: SlipLine) -> Mapping[str, Any] | None:
    """What moving it costs now, and from when on how much; None = nobody has told it."""
    known, now = line.cost, line.charged
    if known is None or now is None:
        return None
    return {
        "currency": known.currency,
        "low": now[0],
        "high": now[1],
        "free_until": known.free_until.isoformat() if known.free_until else None,
        "then": {"low": known.low, "high": known.high} if line.free else None,
        "told": known.told.isoformat(),
    }
