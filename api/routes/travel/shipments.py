"""Says what travels without the patient: the way of doses and of the patient's own cells, from hand to hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.case.supply.shipments import Handover, Shipment
from domain.core.personal import Unread

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/shipments")
async def shipments_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return every shipment in the order it was planned, each with its chain of custody in the order of the instants.

    `gaps` are the instants at which somebody gave it on who had not taken it, as far as was told. Codes are told to
    whoever may see findings, persons and places to whoever may see persons.
    """
    state, _, _, visible = await seen_case(service, who, case, "shipments", known_at)
    body = {
        "id": state.id,
        "shipments": [_shipment(one, visible) for one in state.shipments.values()],
        "masked": sorted({"identity", "trace"} - set(visible)),
    }
    return JSONResponse(body, headers=private())


def _shipment(one: Shipment, visible: frozenset[str]) -> Mapping[str, Any]:
    codes = {"carries": one.carries or None, "lot": one.lot or None} if "trace" in visible else {}
    return {
        "id": one.id,
        "cargo": one.cargo,
        "state": one.state,
        "centre": one.centre,
        **codes,
        "resource": one.resource or None,
        "shipper": one.shipper or None,
        "seal": one.seal or None,
        "legs": [
            {"carrier": leg.carrier, "departs": leg.departs.isoformat(), "arrives": leg.arrives.isoformat()}
            for leg in one.legs
        ],
        "late_for": one.late_for.isoformat() if one.late_for else None,
        "stops": list(one.stops),
        "judged": one.judged,
        "outcome": one.outcome or None,
        "too_warm": one.warmed,
        "handovers": [_handover(h, told="identity" in visible) for h in one.handovers],
        "gaps": [at.isoformat() for at in one.gaps],
        "unexplained": [at.isoformat() for at in one.gaps if at not in one.open_gaps],
    }


def _handover(one: Handover, *, told: bool) -> Mapping[str, Any]:
    people = {"gave": one.gave, "took": one.took, "place": one.place} if told else {}
    return {
        "at": one.at.isoformat(),
        "giver": one.giver,
        "taker": one.taker,
        "condition": one.condition,
        "seal": one.seal or None,
        "new_seal": one.new_seal or None,
        "findings": list(one.findings),
        **{name: None if isinstance(value, Unread) else value or None for name, value in people.items()},
    }
