"""The one-question page behind a link in a mail: works without script and account, is used once, shows no patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape
from structlog.contextvars import bind_contextvars

from activities.case_session import Reply
from activities.command_handler import CommandRequest
from activities.ports import CommandKey, Meta
from api.console.text.texts import Texts
from api.http.auth import Parts
from api.http.command_json import CASE
from api.http.form_json import answer_for, read_form, words
from api.http.form_parse import form_parse
from api.http.limits import address, read_small
from api.http.problems import Problem, of_refusal
from api.ports import Service
from domain.core.errors import Reason, Refused

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}
PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(), trim_blocks=True)
TITLE = "A question about your patient"
THANKS = "Thank you. Your answer has been recorded."
ANSWERED = "This question has been answered already. Thank you."
OVER = "This link has expired. Please write to the address in the mail, and you will get a new one."
UNKNOWN = "This link is not known here."
GONE, NOT_FOUND = 410, 404
Row = Mapping[str, Any]
ENGLISH = Texts("en")
"""The page is in English alone."""


@router.get("/reply/{token}")
async def question(token: str, request: Request, service: Parts) -> HTMLResponse:
    """The question. Looking does not use the link: mail scanners look too."""
    row = await _row(token, request, service)
    return _closed(row) or _form(row)  # type: ignore[arg-type]


@router.post("/reply/{token}")
async def reply(token: str, request: Request, service: Parts) -> HTMLResponse:
    """The answer: recorded like a hospital's callback, once."""
    row = await _row(token, request, service)
    if row is None or not (row["open"] or row["used_at"]):
        return _closed(row)  # type: ignore[return-value]
    pairs = read_form(await read_small(request))
    given = dict(pairs)
    try:
        await _record(service, token, row, pairs)
    except Problem as problem:
        said = "; ".join(f"{words((f.pointer or '').rpartition('/')[2])}: {f.detail}" for f in problem.faults)
        return _form(row, said or problem.detail, given, problem.status)
    except Refused as refused:
        if refused.reason is Reason.KEY_REUSED:
            return _page(GONE, done=ANSWERED)
        return _form(row, refused.detail, given, of_refusal(refused).status)
    await service.capabilities.use(token)
    return _page(200, done=THANKS)


async def _row(token: str, request: Request, service: Service) -> Row | None:
    await request.app.state.throttle.hit("sign_in", f"reply {address(request)}")
    return await service.capabilities.find(token[:200])


async def _record(service: Service, token: str, row: Row, pairs: Sequence[tuple[str, str]]) -> None:
    name = dict(pairs).get("type", "")
    if name not in row["commands"]:
        raise Problem(422, "invalid", "choose one of the answers")
    tree = form_parse(CASE.by_name[name], pairs, ZoneInfo(row["zone"]), row["fixed"], rules_say=False)
    command = CASE.parse(tree, row["actor"])
    key = f"reply/{sha256(token.encode()).hexdigest()[:32]}"
    bind_contextvars(case=row["stream"], key=key)
    meta = Meta(row["actor"], "treatment", key=key, causation=row["effect"], provenance="reply form")
    remembered = CommandKey(row["actor"], key, CASE.digest(row["stream"], command))
    await service.commands.record(CommandRequest(row["stream"], meta, command, remembered, Reply(row["effect"])))


def _closed(row: Row | None) -> HTMLResponse | None:
    if row is None:
        return _page(NOT_FOUND, error=UNKNOWN)
    if row["used_at"]:
        return _page(GONE, done=ANSWERED)
    return None if row["open"] else _page(GONE, error=OVER)


def _form(row: Row, error: str = "", given: Mapping[str, str] | None = None, status: int = 200) -> HTMLResponse:
    given = given or {}
    answers = [
        answer_for(
            CASE.by_name[name], row["fixed"], given if given.get("type") == name else {}, ENGLISH.named("meaning", name)
        )
        for name in row["commands"]
        if name in CASE.by_name
    ]
    until = row["expires_at"].astimezone(ZoneInfo(row["zone"])).strftime("%d %B %Y, %H:%M")
    question = words(row["question"]) + "?"
    return _page(status, question=question, answers=answers, zone=row["zone"], until=until, error=error)


def _page(status: int, **values: object) -> HTMLResponse:
    text = PAGES.get_template("reply.html").render(title=TITLE, **values)
    return HTMLResponse(text, status, HEADERS)
