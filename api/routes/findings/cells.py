"""Compares the cells of each infusion with what the protocol writes for the patient's weight; it decides nothing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.stages.treatment.bedside.dosing import CellRange, cell_lines, cell_range

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/cells")
async def cells_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """What the protocol writes for the patient now, and of each infusion what was authorised and what was recorded.

    `written` goes from `least` to `most` cells in all, both 0 where that is not known: `unknown` says why (protocol,
    weight, or no_dose for that weight). `too_old`: the weight is older than the protocol lets it be. In `infusions`
    each `order` stands within, below, above, weight_old or unknown, as it was when it was authorised.
    """
    state, _, now, visible = await seen_case(service, who, case, "cells", known_at)
    told = "clinical" in visible
    body = {
        "written": _written(cell_range(state, known_at or now)) if told else None,
        "infusions": [asdict(line) for line in cell_lines(state)] if told else [],
        "masked": [] if told else ["clinical"],
    }
    return JSONResponse(body, headers=private())


def _written(found: CellRange) -> dict[str, Any]:
    return {
        **asdict(found),
        "kg": None if found.kg is None else str(found.kg),
        "weighed": found.weighed.isoformat() if found.weighed else None,
        "too_old": found.too_old,
    }
