"""The list of documents a case needs: how each line stands, and who owes what is missing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.routes.reads import private, seen_case
from domain.case.state import Case
from domain.stages.follow_up.custody import specimen_lines
from domain.stages.records.needed import Line, lines, outstanding

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/checklist")
async def checklist_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return each document this disease, age and protocol need, because of what, its state, and who owes the next step.

    `specimens`: the slides or blocks that were asked for with it, where each is, and at which submission's centre.
    `drawn_up`: whether the dossier waits for the list; it is drawn up by DrawUpChecklist.
    """
    state, _, _, visible = await seen_case(service, who, case, "checklist", known_at)
    told = "clinical" in visible  # which documents are needed tells the disease
    body = {
        "drawn_up": bool(state.checklist),
        "outstanding": outstanding(state),
        "lines": [_line(one, state) for one in lines(state)] if told else [],
        "specimens": [asdict(one) for one in specimen_lines(state)] if told else [],
        "masked": [] if told else ["clinical"],
    }
    return JSONResponse(body, headers=private())


def _line(one: Line, case: Case) -> dict[str, Any]:
    known = case.records.get(one.item)
    found = case.stored.get(known.document) if known else None
    return {
        "kind": one.kind,
        "because": one.because,
        "state": one.state,
        "item": one.item,
        "owes": one.owes.value if one.owes else None,
        "troubles": list(found.troubles) if found else [],
        "into": known.into if known else "",
    }
