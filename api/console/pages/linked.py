"""The page of cases of one person: what stands in those that are linked, and which probably are of the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import OpenedCase, opened, shown_part
from api.console.pages.travel import NOW
from api.console.session import Viewer
from api.console.text.fact_text import FactText, FactWriter
from api.console.web import pages
from api.http.answers import allowed_now
from api.http.auth import Parts
from api.routes.intake.linking import Linked, linked_with, perhaps_of
from domain.case.phases.links import CaseLink
from domain.case.state import Case

router = pages()


@dataclass(frozen=True, slots=True)
class Beside:
    """A linked case in words; `case` is None where it is not the viewer's to see."""

    link: CaseLink
    case: Case | None
    clinical: bool
    told: Sequence[FactText]


@router.get("/console/cases/{case}/same-person")
async def same_person_page(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show what the other cases hold, and whom one could link."""
    one = await opened(request, service, viewer, case, NOW)
    index = request.app.state.person_index
    return shown_part(
        request,
        viewer,
        one,
        "linked",
        beside=[_beside(one, found) for found in await linked_with(service, viewer.who, one.case)],
        perhaps=await perhaps_of(service, index, viewer.who, one.case, one.speaker.visible),
        may=set(allowed_now(viewer.who, one.case)),
    )


def _beside(one: OpenedCase, found: Linked) -> Beside:
    if found.seen is None:
        return Beside(found.link, None, False, ())
    there, _, _, visible = found.seen
    speaker = FactWriter(there, one.speaker.clock, visible, one.speaker.labels, frozenset())
    return Beside(found.link, there, "clinical" in visible, [speaker.fact(fact) for fact in found.facts])
