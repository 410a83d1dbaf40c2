"""Matching: protocols at centres ranked for one case, with the reason for each rank and each exclusion. No answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from activities.following.first_ranks import MOST
from api.http.auth import Parts, Who
from api.ranking import change_line, lines, ranked
from api.routes.reads import private, seen_case
from api.routes.screening import NOT_AN_ANSWER
from domain.core.errors import Reason, require
from domain.criteria.comparison import FactorRow, compare
from domain.stages.eligibility.matching import disease_of, patient_of, ways_left

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/matches")
async def matches_of(
    case: str, service: Parts, who: Who, known_at: datetime | None = None, limit: int = 50
) -> JSONResponse:
    """Protocols at centres, the one with least against it first; what is alike has the same rank.

    Each check says yes, no, unknown or that it does not matter here. A hospital's name counts for nothing.
    The time to a first dose is said beside it and is no factor: `most_days` null = a part is not known.
    """
    state, _, now, visible = await seen_case(service, who, case, "matches", known_at)
    require("clinical" in visible, Reason.NOT_ALLOWED, f"what a match rests on is not for the role {who.role.value}")
    at = known_at or now
    found = await ranked(service, who, state, at)
    known = disease_of(state)
    body = {
        "id": state.id,
        "note": NOT_AN_ANSWER,
        "disease": {"code": known.code, "from_words": known.from_words},
        "matches": await lines(service, state, found[: max(1, min(limit, MOST))], len(found), at),
        "of": len(found),
        "next_ways": await lines(service, state, ways_left(state, found), len(found), at),
        "first_rank_changed": change_line(state.first_rank) if state.first_rank else None,
        "as_known_at": at.isoformat(),
    }
    return JSONResponse(body, headers=private())


@router.get("/cases/{case}/comparison")
async def comparison_of(case: str, service: Parts, who: Who) -> JSONResponse:
    """Four kinds of products side by side by six factors: what is known, its source, and what in the case bears on it.

    Evidence for people: no verdict and no rank. `known` null = not known.
    """
    state, _, now, visible = await seen_case(service, who, case, "matches")
    require("clinical" in visible, Reason.NOT_ALLOWED, f"what it rests on is not for the role {who.role.value}")
    rows = compare(patient_of(state, now), await ranked(service, who, state, now))
    body = {"id": state.id, "note": NOT_AN_ANSWER, "factors": [_factor(row) for row in rows]}
    return JSONResponse(body, headers=private())


def _factor(row: FactorRow) -> Mapping[str, Any]:
    kinds = {
        one.kind: {"known": one.known or None, "source": one.source or None, "ways": dict(one.ways)}
        for one in row.cells
    }
    return {"factor": row.factor, "in_the_case": list(row.bears), "kinds": kinds}
