"""Says what is arranged for a stay, what must be there before a family travels, and by when each step is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.case.phases.arrangements import Arrangement
from domain.core.personal import Unread
from domain.stages.travel.arrangement_kinds import PERSONAL
from domain.stages.travel.backward_plan import PlanStep, backward_plan, planned_infusion
from domain.stages.travel.readiness import arrival_items

router = APIRouter(tags=["cases"])
SHOWN = [one.name for one in fields(Arrangement) if one.name not in ("slots", "told", "slot", "offers", "revived")]


@router.get("/cases/{case}/arrangements")
async def arrangements_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return everything arranged for the stay, in the order it was first asked for, and what must be there on arrival.

    `ready` has a line for each of these things: there, asked, missing, contrary (known, and not as needed), waived or
    not_needed. Places and people are told to whoever may see persons.
    """
    state, _, _, visible = await seen_case(service, who, case, "arrangements", known_at)
    body = {
        "id": state.id,
        "arrangements": [_arrangement(a, told="identity" in visible) for a in state.arrangements.values()],
        "ready": [
            {"kind": one.kind, "state": one.state, "waivable": one.waivable, "arrangement": one.about or None}
            for one in arrival_items(state)
        ],
        "masked": [] if "identity" in visible else ["identity"],
    }
    return JSONResponse(body, headers=private())


@router.get("/cases/{case}/plan")
async def plan_of(
    case: str, service: Parts, who: Who, infusion: date | None = None, known_at: datetime | None = None
) -> JSONResponse:
    """By when each step of the journey is to be done, reckoned backwards from the infusion; late ones are marked.

    Without `infusion` it is the day that the planned arrival leads to; with it, the plan as a whole for that day.
    Nothing is changed by asking: `MoveArrival` moves the arrival.
    """
    state, _, now, _ = await seen_case(service, who, case, "plan", known_at)
    policy, at = service.commands.policy, known_at or now
    steps = backward_plan(state, infusion, at, policy)
    planned = planned_infusion(state, policy)
    body = {
        "id": state.id,
        "infusion": steps[-1].by.date().isoformat(),
        "planned": planned.isoformat() if planned else None,
        "steps": [_step(one) for one in steps],
        "as_known_at": at.isoformat(),
    }
    return JSONResponse(body, headers=private())


def _step(one: PlanStep) -> Mapping[str, Any]:
    return {"step": one.kind, "by": one.by.isoformat(), "done": one.done, "late": one.late}


def _arrangement(a: Arrangement, *, told: bool) -> Mapping[str, Any]:
    """What is known of it; a personal detail that is masked or erased is None."""
    shown = {name: getattr(a, name) for name in SHOWN if told or name not in PERSONAL}
    return {
        **{name: _plain(value) for name, value in shown.items()},
        "slots": [{"starts": slot.starts.isoformat(), "ends": slot.ends.isoformat()} for slot in a.slots],
    }


def _plain(value: object) -> object:
    if isinstance(value, Unread) or value in ("", None):
        return None
    return value.isoformat() if isinstance(value, date | datetime) else value
