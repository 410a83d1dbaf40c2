"""How the disease answered: each assessment as written, what it counts as, best response and its duration."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.stages.response.cell_loss import below_limit
from domain.stages.response.course import response_courses, response_lines
from domain.stages.response.donor_search import often_followed, searched

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/responses")
async def responses_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Each assessment of the response, the oldest first, and what is computed from them.

    `counts_as` is CR, PR, SD, PD or empty; `calculated` is Lugano's category by Deauville score and uptake, and
    `deep_enough` whether finding no residual disease was sensitive enough for the system: both stand beside the
    assessor's word, which counts. `courses`: best response to each treatment by each assessor; `days` is at least,
    up to the newest assessment, while `until` is null. `losses`: the cells lost or rejected, by which assay.
    `transplant_often_follows` is a hint for this disease in complete response; a clinician decides.
    """
    state, *_, visible = await seen_case(service, who, case, "responses", known_at)
    told = "clinical" in visible
    lines = response_lines(state) if told else ()
    courses = response_courses(state) if told else ()
    losses = state.cell_losses if told else {}
    lost = [{"fact": fact, **asdict(one), "below_limit": below_limit(one)} for fact, one in losses.items()]
    body: dict[str, Any] = {
        "assessments": list(map(asdict, lines)),
        "courses": list(map(asdict, courses)),
        "losses": lost,
    }
    search = searched(state) if told else None
    donor = {**asdict(search), "donor_ref": search.donor_ref if "trace" in visible else ""} if search else None
    body |= {"donor_search": donor, "transplant_often_follows": told and often_followed(state)}
    masked = [] if told else ["clinical"]
    return JSONResponse(jsonable_encoder({**body, "masked": masked}), headers=private())
