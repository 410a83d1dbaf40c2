"""The days after an infusion: what is looked at on each, by the protocol or the field's default, and what was told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.stages.schedule.monitoring_days import MonitoringLine, monitoring_tables

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/monitoring")
async def monitoring_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Each planned day after every infusion, in order; `day` counts from the infusion, day 0.

    A check `stands`: done, skipped (left out with a reason), missed (not told in time), owed, ahead, or ended (nobody
    owes it any more). `by_protocol`: the protocol names the days; otherwise they are the default of the field.
    """
    state, _, _, visible = await seen_case(service, who, case, "monitoring", known_at)
    told = "clinical" in visible
    tables = monitoring_tables(state) if told else ()
    infusions = [
        {"infusion": one.infusion, "by_protocol": one.by_protocol, "days": list(map(_day, one.lines))} for one in tables
    ]
    return JSONResponse({"infusions": infusions, "masked": [] if told else ["clinical"]}, headers=private())


def _day(line: MonitoringLine) -> dict[str, object]:
    return {**asdict(line), "on": line.on.isoformat() if line.on else None}
