"""The page behind a recall's mail: exactly the hospital's units and patients, and what was done with each; used once.

It shows numbers of cases and units, no name; it works without script and account, and looking does not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from structlog.contextvars import bind_contextvars

from activities.command_handler import CommandRequest
from activities.ports import CommandKey, Meta
from api.console.dossier_question import RECALL
from api.console.reply_page import GONE, NOT_FOUND, plain_page
from api.console.text.texts import texts_for
from api.console.web import wrong
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import address, note_known, read_body
from api.http.problems import Problem, of_refusal
from api.ports import Service
from api.routes.doses.accounting import FATES, Question, answer, question
from api.routes.doses.recalls import COMMANDS
from domain.core.errors import Refused
from domain.recalls.recall import Recall

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
PURPOSE = "treatment"


@dataclass(frozen=True, slots=True)
class Asked:
    """Holds a recall's link as it stands: its row, the recall, and what is asked; None = it asks nothing any more."""

    row: Mapping[str, Any]
    recall: Recall
    question: Question | None


@router.get("/reply/{token}/recall")
async def page(token: str, request: Request, service: Parts) -> HTMLResponse:
    """Show what is asked. Looking does not use the link: mail scanners look too."""
    return _shown(request, await _asked(token, request, service))


@router.post("/reply/{token}/recall")
async def reply(token: str, request: Request, service: Parts) -> HTMLResponse:
    """The answer: recorded in the hospital's name, once."""
    asked = await _asked(token, request, service)
    if asked is None or asked.question is None:
        return _shown(request, asked)
    given = dict(read_form(await read_body(request)))
    try:
        await _record(service, token, asked, asked.question, given)
    except Problem as problem:
        return _shown(request, asked, problem, given)
    except Refused as refused:
        return _shown(request, asked, of_refusal(refused), given)
    await request.app.state.ringing.ring()
    await service.capabilities.use(token)
    return plain_page(request, "recall_answer.html", 200, done="reply.done")


async def _asked(token: str, request: Request, service: Service) -> Asked | None:
    row = await service.capabilities.find(token[:200])
    if row is None or row["question"] != RECALL:
        await request.app.state.throttle.hit("sign_in", f"reply {address(request)}")
        return None
    note_known(request)
    state, now = await service.commands.driven(row["stream"])
    assert isinstance(state, Recall)
    if not row["open"] or row["used_at"] or row["actor"] not in state.waiting:
        return Asked(row, state, None)
    looker = Meta(row["actor"], PURPOSE)
    return Asked(row, state, await question(service, state, row["actor"], now, looker))


async def _record(service: Service, token: str, asked: Asked, said: Question, given: Mapping[str, str]) -> None:
    centre, stream = asked.row["actor"], asked.recall.id
    command = answer(said, centre, given.get("said_by", ""), given)
    key = f"reply/{sha256(token.encode()).hexdigest()[:32]}"
    bind_contextvars(case=stream, key=key)
    meta = Meta(centre, PURPOSE, key=key, causation=asked.row["effect"], provenance="reply form")
    remembered = CommandKey(centre, key, COMMANDS.digest(stream, command))
    await service.commands.record(CommandRequest(stream, meta, command, remembered))


def _shown(
    request: Request, asked: Asked | None, problem: Problem | None = None, given: Mapping[str, str] | None = None
) -> HTMLResponse:
    t = texts_for(request)
    if asked is None:
        return plain_page(request, "recall_answer.html", NOT_FOUND, error=t("reply.unknown"))
    if asked.question is None:
        return plain_page(request, "recall_answer.html", GONE, error=t("reply.answered"))
    return plain_page(
        request,
        "recall_answer.html",
        problem.status if problem else 200,
        asked=asked.question,
        drill=asked.recall.drill,
        fates=FATES,
        given=given or {},
        error=wrong(t, problem, problem.detail) if problem else "",
    )
