"""Shows who looked at a case, when and what for; who broke the glass, why, until when, and the review of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import OpenedCase, opened, shown_part
from api.console.session import Viewer
from api.console.web import pages
from api.http.auth import Parts
from api.routes.looks import NEWEST, looks_of
from domain.core.roles import Action
from domain.roles import allow

router = pages()
PAGE = 100


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """One broken glass."""

    access: str
    who: str
    at: datetime
    until: datetime
    reason: str
    finding: str


@router.get("/console/cases/{case}/looks")
async def looks(case: str, request: Request, service: Parts, viewer: Viewer, before: int = NEWEST) -> Response:
    """Show who looked at the case, newest first."""
    one = await opened(request, service, viewer, case)
    rows, more = await looks_of(service, viewer.who, one.case.id, min(max(before, 0), NEWEST), PAGE)
    return shown_part(
        request,
        viewer,
        one,
        "looks",
        rows=rows,
        more=more,
        broken=_broken(one),
        first=before == NEWEST,
        may_review=allow(viewer.who, Action.REVIEW_ACCESS),
    )


def _broken(one: OpenedCase) -> Sequence[BrokenGlass]:
    told = [fact for fact in reversed(one.facts) if fact.event.type == "GlassBroken"]
    return [
        BrokenGlass(
            fact.event.access,
            one.speaker.actor(fact),
            fact.at,
            fact.event.until,
            one.speaker.said(fact.event, "reason"),
            one.case.accesses[fact.event.access].finding,
        )
        for fact in told
    ]
