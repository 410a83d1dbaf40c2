"""Matching: protocols at centres ranked for one case, with the reason for each rank and each exclusion. No answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.ports import Service
from api.routes.reads import private, seen_case
from api.routes.screening import NOT_AN_ANSWER
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.criteria.matching import Match
from domain.roles import Actor, allow
from domain.stages.eligibility.matching import disease_of, matches, offers, ways_left

router = APIRouter(tags=["cases"])
PAGE, MOST = 500, 10_000


@router.get("/cases/{case}/matches")
async def matches_of(
    case: str, service: Parts, who: Who, known_at: datetime | None = None, limit: int = 50
) -> JSONResponse:
    """Protocols at centres, the one with least against it first; what is alike has the same rank.

    Each check says yes, no, unknown or that it does not matter here. A hospital's name counts for nothing.
    """
    state, _, now, visible = await seen_case(service, who, case, "matches", known_at)
    require("clinical" in visible, Reason.NOT_ALLOWED, f"what a match rests on is not for a {who.role.value}")
    at = known_at or now
    found = await ranked(service, who, state, at)
    known = disease_of(state)
    body = {
        "id": state.id,
        "note": NOT_AN_ANSWER,
        "disease": {"code": known.code, "from_words": known.from_words},
        "matches": [_line(one) for one in found[: max(1, min(limit, MOST))]],
        "of": len(found),
        "next_ways": [_named(one) for one in ways_left(state, found)],
        "as_known_at": at.isoformat(),
    }
    return JSONResponse(body, headers=private())


async def ranked(service: Service, who: Actor, case: Case, now: datetime) -> Sequence[Match]:
    """Return the catalogue as it stands, ranked for a case at an instant. Raises Refused."""
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see the catalogue")
    protocols, centres = [await _every(service, prefix) for prefix in ("protocol", "centre")]
    return matches(case, offers(protocols, centres, now), now)


async def _every(service: Service, prefix: str) -> Mapping[str, Any]:
    """Every protocol or centre as it stands, by stream."""
    found: dict[str, Any] = {}
    after = ""
    while rows := await service.registers.catalogue(prefix, after, PAGE):
        for row in rows:
            found[row["stream"]] = (await service.commands.entry(row["stream"])).state
        after = rows[-1]["stream"]
        if len(found) >= MOST:
            break
    return found


def _line(one: Match) -> Mapping[str, Any]:
    checks = [{"name": c.name, "result": c.result, "about": list(c.about)} for c in one.checks]
    return {**_named(one), "rank": one.rank, "standing": one.standing, "checks": checks}


def _named(one: Match) -> Mapping[str, Any]:
    return {"protocol": one.offer.protocol, "centre": one.offer.centre, "rank": one.rank}
