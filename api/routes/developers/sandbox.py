"""Lets a hospital try its signed answers: they are read and decided as in earnest, and nothing of them is kept."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.http.auth import Parts
from api.http.problems import Problem
from api.routes.callbacks import heard, taken
from domain.case.obligation import ObligationOpened
from domain.recalls.recall import AcknowledgeRecall

router = APIRouter(tags=["hospitals"])


@router.post("/hospitals/{centre}/callbacks/sandbox", summary="Try a callback")
async def sandbox(centre: str, request: Request, service: Parts) -> JSONResponse:
    """Take a callback as the address without `/sandbox` does and say what it would have recorded; nothing is kept.

    It is signed over this path. What would be refused is refused alike, with the same status and reason. `repeated`:
    this callback id was taken in earnest before. The answer to a recall is not tried here.
    """
    answer, command = await heard(centre, request, service, noted=False)
    if isinstance(command, AcknowledgeRecall):
        raise Problem(409, "not_now", "the answer to a recall is not tried here; drills are for that")
    made = await taken(service, centre, answer, command, dry=True)
    owed = [fact.event for fact in made.facts if isinstance(fact.event, ObligationOpened)]
    body = {
        "case": made.stream,
        "command": command.type,
        "would_record": [fact.event.type for fact in made.facts],
        "stage": made.case.stage,
        "would_owe": [{"kind": one.kind, "debtor": one.debtor, "due": one.due} for one in owed],
        "repeated": made.repeated,
    }
    return JSONResponse(jsonable_encoder(body), headers={"Cache-Control": "no-store"})
