"""Screening: how the criteria of one protocol stand for one case, and what would settle those that are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.access import stream_meant
from api.http.auth import Parts, Who
from api.http.masking import Sees, mask, masked
from api.routes.reads import private, seen_case
from api.routes.register.reviews import reviewed
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.criteria.screening import next_steps
from domain.stages.eligibility.criteria import Standing, asked_under, counts, standings

router = APIRouter(tags=["cases"])
NOT_AN_ANSWER = "Nothing here says that somebody may be treated: the hospital decides."


@router.get("/cases/{case}/screening/{protocol}")
async def screening_of(
    case: str, protocol: str, service: Parts, who: Who, known_at: datetime | None = None
) -> JSONResponse:
    """Each criterion of a protocol with its finding, what that rests on, and what to obtain next. Never an answer."""
    state, _, now, visible = await seen_case(service, who, case, "screening", known_at)
    entry = (await service.commands.entry(stream_meant(protocol, "protocol"))).state
    require(entry.description, Reason.NOT_FOUND, "no such protocol")
    at = known_at or now
    found = standings(state, entry.description.criteria, asked_under(state, protocol), at)
    shown = "clinical" in visible
    body = {
        "protocol": protocol,
        "version": entry.number,
        "source": entry.description.source,
        "as_of": entry.description.as_of.isoformat(),
        "draft": entry.description.draft,
        "reviewed": reviewed(entry.review, "protocol", service.commands.policy, now),
        "note": NOT_AN_ANSWER,
        "counts": counts(found) if shown else None,
        "criteria": [_line(one, state, visible) for one in found],
        "next": _next(found) if shown else [],
        "masked": masked(visible),
        "as_known_at": at.isoformat(),
    }
    return JSONResponse(body, headers=private())


def _line(one: Standing, case: Case, visible: Sees) -> dict[str, Any]:
    told = {"id": one.criterion.id, "kind": one.criterion.kind, "words": one.criterion.words}
    if "clinical" not in visible:
        return {**told, "result": {"masked": "clinical"}}
    return {
        **told,
        "result": one.finding.result,
        "read": one.read,
        "rests_on": [_observed(name, case, visible) for name in one.finding.rests_on],
        "needs": [asdict(gap) for gap in one.finding.gaps],
    }


def _observed(name: str, case: Case, visible: Sees) -> Mapping[str, Any]:
    """The observation as it was written; the age rests on the birth date."""
    if name not in case.samples:
        return {"id": name, "birth": case.birth}
    return {"id": name, **mask(case.samples[name], visible)}


def _next(found: list[Standing]) -> list[dict[str, Any]]:
    open_ones = [one.finding for one in found if one.open]
    return [{**asdict(gap), "criteria": many} for gap, many in next_steps(open_ones)]
