"""The room behind a message's mailed link: what was written in this thread, and where one answers."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from structlog.contextvars import bind_contextvars

from activities.case_session import Reply
from activities.command_handler import CommandRequest
from activities.effect_handlers.requests import Reader
from activities.ports import CommandKey, Meta
from api.console.dossier_question import written_to
from api.console.reply_page import GONE, HEADERS, NOT_FOUND, found, plain_page
from api.console.session import fresh_key
from api.console.text.texts import texts_for
from api.console.text.times import ViewerClock
from api.console.visiting import SEE_OTHER, Door, Row, admit, inside
from api.http.auth import Parts
from api.http.command_json import CASE
from api.http.form_json import read_form
from api.http.limits import only_head, read_small
from api.http.problems import Problem, of_refusal
from api.ports import Service
from api.routes.handing_over import SEEN
from domain.case.messages.threads import DOCTOR, FAMILY
from domain.case.state import Case
from domain.catalogue.centre import Centre
from domain.core.errors import Refused
from domain.core.personal import readable
from domain.stages.messages.writing import WRITES

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
KEY = 64
"""Characters of a form's key that count."""


@router.get("/reply/{token}/messages")
async def room(token: str, request: Request, service: Parts) -> Response:
    """Show the thread for whoever has entered, else the way to a code; the look is recorded first."""
    row, case = await _thread(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return _door(request, case)
    if not only_head(request):
        await service.looks.record(Meta(row["actor"], "treatment"), "messages", [case.id], SEEN)
    return _shown(request, row, case)


@router.post("/reply/{token}/messages")
async def enter(token: str, request: Request, service: Parts) -> Response:
    """Send a code to the reader's own address, or enter with one."""
    row, case = await _thread(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    reader = await _reader(service, row, case)
    return await admit(
        request, service, token, row, Door("messages", case.number, reader, partial(_door, request, case))
    )


@router.post("/reply/{token}/messages/answer")
async def answer(token: str, request: Request, service: Parts) -> Response:
    """Take what somebody inside wrote, each sending once, and show the thread with it."""
    row, case = await _thread(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    here = request.url.path.removesuffix("/answer")
    if not await inside(request, service, token):
        return RedirectResponse(here, SEE_OTHER, HEADERS)
    form = dict(read_form(await read_small(request)))
    try:
        await _record(service, token, row, form.get("text", ""), form.get("key", ""))
    except Problem as problem:
        return _shown(request, row, case, problem, form.get("text", ""))
    except Refused as refused:
        return _shown(request, row, case, of_refusal(refused), form.get("text", ""))
    return RedirectResponse(here + "?sent=1", SEE_OTHER, HEADERS)


async def _record(service: Service, token: str, row: Row, text: str, key: str) -> None:
    tree = {"type": "ReceiveMessage", "text": text, "thread": row["fixed"]["thread"]}
    command = CASE.parse_outside(tree, row["actor"])
    key = f"reply/{sha256(token.encode()).hexdigest()[:32]}/{sha256(key[:KEY].encode()).hexdigest()[:32]}"
    bind_contextvars(case=row["stream"], key=key)
    meta = Meta(row["actor"], "treatment", key=key, causation=row["effect"], provenance="message page")
    remembered = CommandKey(row["actor"], key, CASE.digest(row["stream"], command))
    await service.commands.record(CommandRequest(row["stream"], meta, command, remembered, Reply(row["effect"])))


async def _reader(service: Service, row: Row, case: Case) -> Reader | None:
    """Who reads this thread: the code goes to the address as it stands now."""
    thread = row["fixed"].get("thread", "")
    if thread in (FAMILY, DOCTOR):
        known = case.family_reader if thread == FAMILY else case.home_doctor
        return Reader(str(known.mail), known.language) if known and readable(known.mail) else None
    centre = (await service.commands.entry(thread)).state
    return Reader(centre.mail, next(iter(centre.languages), "en")) if isinstance(centre, Centre) else None


async def _thread(token: str, request: Request, service: Service) -> tuple[Row | None, Case | None]:
    """The link, and its case while this reader may be written to; both None where there is no such link."""
    row = await found(token, request, service)
    if row is None or row["question"] not in WRITES or not row["open"]:
        return row, None
    bind_contextvars(case=row["stream"])
    return row, await written_to(service, row)


def _shown(request: Request, row: Row, case: Case, no: Problem | None = None, typed: str = "") -> HTMLResponse:
    t = texts_for(request)
    clock = ViewerClock(row["now"], ZoneInfo(row["zone"]), t)
    return plain_page(
        request,
        "messages_room.html",
        no.status if no else 200,
        number=case.number,
        thread=[
            (one, clock.instant(one.at), str(one.text) if readable(one.text) else "")
            for one in reversed(case.thread(row["fixed"]["thread"]))
        ],
        base=request.url.path.removesuffix("/answer"),
        key=fresh_key(),
        typed=typed,
        wrong=no.detail if no else "",
        sent=bool(request.query_params.get("sent")),
    )


def _door(request: Request, case: Case, status: int = 200, sent: bool = False, error: str = "") -> HTMLResponse:
    return plain_page(
        request, "messages_room.html", status, number=case.number, closed=True, code_sent=sent, error=error
    )


def _closed(request: Request, row: Row | None) -> HTMLResponse:
    """The consent does not stand, somebody else is written to now, or there is no such link."""
    t = texts_for(request)
    if row is None or row["question"] not in WRITES:
        return plain_page(request, "reply.html", NOT_FOUND, title="reply.title", error=t("reply.unknown"))
    return plain_page(request, "reply.html", GONE, title="post.title", error=t("post.over"))
