"""The page of matches: protocols at centres ranked for a case, each with what is for, against and not known."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import opened, shown_part
from api.console.pages.travel import NOW
from api.console.session import Viewer
from api.console.ways import rank_change, way_of
from api.console.web import pages
from api.http.answers import allowed_now
from api.http.auth import Parts
from api.ranking import first_doses, ranked
from domain.core.errors import Reason, require
from domain.criteria.comparison import KINDS, compare
from domain.stages.eligibility.matching import disease_of, patient_of, ways_left

router = pages()
SHOWN = 40


@router.get("/console/cases/{case}/matches")
async def matches(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show what the catalogue offers, the one with least against it first."""
    one = await opened(request, service, viewer, case, NOW)
    may_read = "clinical" in one.speaker.visible
    require(may_read, Reason.NOT_ALLOWED, f"what a match rests on is not for the role {viewer.who.role.value}")
    found = await ranked(service, viewer.who, one.case, one.now)
    may = allowed_now(viewer.who, one.case)
    left = {(m.offer.protocol, m.offer.centre) for m in ways_left(one.case, found)}
    shown = found[:SHOWN]
    times = await first_doses(service, one.case, shown, one.now)
    return shown_part(
        request,
        viewer,
        one,
        "matches",
        disease=disease_of(one.case),
        ways=[
            way_of(m, first, one.speaker, may, len(found), left=(m.offer.protocol, m.offer.centre) in left)
            for m, first in zip(shown, times, strict=True)
        ],
        more=max(0, len(found) - SHOWN),
        changed=rank_change(one.case, one.speaker),
        factors=compare(patient_of(one.case, one.now), found),
        kinds=KINDS,
    )
