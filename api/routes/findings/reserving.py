"""Why a case has the unit it has, or none: the units passed over when one was asked for, and how each is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.ports import Service
from api.routes.reads import private, seen_case
from domain.case.state import Case
from domain.doses.allocation import judged
from domain.stages.travel.dose_matching import dose_wanted
from domain.stages.treatment.dose import needed

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/dose")
async def dose_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """The unit held for the case, and those `passed_over` when one was last asked for, counted by lot and reason.

    `units`: each unit of the product as it stands now, the soonest to expire first, with why the case could not have
    it, null = it could; none for a moment in the past, or while no dose is needed. `lasts`: a lot must expire later
    than that. `antibodies`: HLA alleles that donors must not have, where the protocol asks for these. `waiting`: its
    place among those who wait for a unit, and what decides it; left out where it does not wait, or for the past.
    """
    state, _, now, visible = await seen_case(service, who, case, "dose", known_at)
    told = "trace" in visible
    dose = state.dose
    unit = {"lot": state.lot, "unit": dose.ref} if told and dose.state in ("held", "done") else None
    body: dict[str, Any] = {
        "state": dose.state,
        "held": unit,
        "until": dose.until.isoformat() if dose.until else None,
        "passed_over": list(map(asdict, state.passed_over)) if told else [],
    }
    if known_at is None and state.dose_waits_since is not None:
        body |= await place_of(service, state)
    if told and known_at is None and needed(state):
        body |= await now_in_stock(service, state, now, clinical="clinical" in visible)
    masked = [name for name in ("clinical", "trace") if name not in visible]
    return JSONResponse({**body, "masked": masked}, headers=private())


async def place_of(service: Service, case: Case) -> Mapping[str, Any]:
    """Return as `waiting` the case's place among those who wait for a unit of its product; empty = it does not."""
    turns = await service.turns.of_case(case)
    for place, own in enumerate(turns, 1):
        if own.wanted.case == case.id:
            since = own.since.isoformat()
            told = {"urgent": own.urgent, "out_of_turn": own.out_of_turn, "since": since, "asked": own.asked}
            return {"waiting": {"place": place, "of": len(turns), **told}}
    return {}


async def now_in_stock(service: Service, case: Case, now: datetime, *, clinical: bool) -> Mapping[str, Any]:
    """Return what the case asks of a unit, and how each unit of the product stands to that."""
    wanted = dose_wanted(case, now, service.commands.policy)
    units: Sequence[Mapping[str, Any]] = [
        {"lot": one.stream, "unit": unit, "expires": one.lot.expires.isoformat(), "because": because}
        for one in await service.stock.of(case, now, typed=bool(wanted.antibodies))
        for unit, because in judged(one, wanted, now).items()
        if one.lot.expires
    ]
    antibodies = sorted(wanted.antibodies) if clinical else []
    return {"lasts": wanted.lasts.isoformat(), "antibodies": antibodies, "units": units}
