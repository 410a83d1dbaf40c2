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
from domain.criteria.analytes import ANALYTES
from domain.criteria.computed import Computed
from domain.criteria.screening import next_steps
from domain.stages.eligibility.criteria import Standing, asked_under, counts, standings
from domain.stages.records.observing import observed, reckoned

router = APIRouter(tags=["cases"])
NOT_AN_ANSWER = "Nothing here says that somebody may be treated: the hospital decides."


@router.get("/cases/{case}/screening/{protocol}")
async def screening_of(
    case: str, protocol: str, service: Parts, who: Who, known_at: datetime | None = None
) -> JSONResponse:
    """Return each criterion of a protocol with its finding, its grounds, and what to obtain next. Never an answer."""
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
        "criteria": [_line(one, state, visible, at) for one in found],
        "next": _next(found) if shown else [],
        "masked": masked(visible),
        "as_known_at": at.isoformat(),
    }
    return JSONResponse(body, headers=private())


def _line(one: Standing, case: Case, visible: Sees, now: datetime) -> dict[str, Any]:
    told = {"id": one.criterion.id, "kind": one.criterion.kind, "words": one.criterion.words}
    if "clinical" not in visible:
        return {**told, "result": {"masked": "clinical"}}
    return {
        **told,
        "result": one.finding.result,
        "read": one.read,
        "rests_on": [_observed(name, case, visible, now) for name in one.finding.rests_on],
        "needs": [asdict(gap) for gap in one.finding.gaps],
    }


def _observed(name: str, case: Case, visible: Sees, now: datetime) -> Mapping[str, Any]:
    """The observation as it was written, or what it was reckoned from: the age from the birth date."""
    if name in case.samples:
        return {"id": name, **mask(case.samples[name], visible)}
    if name == "therapies":
        return {"id": name, "therapies": [mask(one, visible) for one in case.therapies.values()]}
    return _computed(name, case, now) or {"id": name, "birth": case.birth}


def _computed(name: str, case: Case, now: datetime) -> Mapping[str, Any] | None:
    """A value that was reckoned, with its formula and the observations it rests on; None = it was not."""
    one = next((one for one in reckoned(case, observed(case, now), now) if one.observation.id == name), None)
    return reckoned_as_json(one) if one else None


def reckoned_as_json(one: Computed) -> Mapping[str, Any]:
    """Write a value that was reckoned: what it is, by which formula, and on what it rests."""
    made = one.observation
    return {
        "id": made.id,
        "analyte": made.analyte,
        "computed": made.method,
        "low": str(made.low),
        "high": str(made.high),
        "unit": ANALYTES[made.analyte].unit,
        "inputs": list(one.inputs),
    }


def _next(found: list[Standing]) -> list[dict[str, Any]]:
    open_ones = [one.finding for one in found if one.open]
    return [{**asdict(gap), "criteria": many} for gap, many in next_steps(open_ones)]
