"""The room behind a message's mailed link: what was written in this thread, and where one answers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from hashlib import sha256
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from structlog.contextvars import bind_contextvars

from activities.case_session import Reply
from activities.command_handler import CommandRequest, Recorded
from activities.effect_handlers.requests import Reader
from activities.ports import CommandKey, Meta
from api.console.dossier_question import written_to
from api.console.forms.uploads import is_upload, upload
from api.console.reply_page import GONE, HEADERS, NOT_FOUND, found, plain_page
from api.console.rooms.family import family_page
from api.console.session import fresh_key
from api.console.text.texts import texts_for
from api.console.text.times import ViewerClock
from api.console.visiting import SEE_OTHER, Door, Row, admit, inside
from api.http.auth import Parts
from api.http.command_json import CASE
from api.http.files.file_types import TYPES
from api.http.form_json import read_form
from api.http.limits import only_head, read_small
from api.http.problems import Problem, invalid, of_refusal
from api.ports import Service
from api.routes.documents import Sent, taken
from api.routes.handing_over import SEEN
from domain.case.messages.threads import DOCTOR, FAMILY
from domain.case.state import Case
from domain.catalogue.centre import Centre
from domain.core.errors import Refused
from domain.core.personal import readable
from domain.stages.messages.writing import WRITES
from domain.stages.records.documents import DocumentStored

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
        await _require_few(request, token)
        await _record(service, row, _key(token, form.get("key", "")), form.get("text", ""))
    except Problem as problem:
        return _shown(request, row, case, problem, form.get("text", ""))
    except Refused as refused:
        return _shown(request, row, case, of_refusal(refused), form.get("text", ""))
    return RedirectResponse(here + "?sent=1", SEE_OTHER, HEADERS)


@router.post("/reply/{token}/messages/file")
async def hand_in(token: str, request: Request, service: Parts) -> Response:
    """Take a file of somebody inside as a document of the case, stored as every document is."""
    row, case = await _thread(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    here = request.url.path.removesuffix("/file")
    if not await inside(request, service, token):
        return RedirectResponse(here, SEE_OTHER, HEADERS)
    try:
        await _require_few(request, token)
        given = await upload(request, service.limits.document) if is_upload(request) else None
        if given is None or not given.name:
            raise invalid("choose a file first")
        key = _key(token, dict(given.pairs).get("key", ""))
        sent = Sent(key, given.media, given.name, {"type": "ReceiveMessage"})
        kept, noted = await taken(service, case.id, sent, given.content)
    except Problem as problem:
        return _shown(request, row, case, problem)
    try:
        done = await _record(service, row, key, "", kept.name, noted)
    except Refused as refused:
        await service.documents.remove(kept.name)
        return _shown(request, row, case, of_refusal(refused))
    if done.repeated:  # the same form came twice: what came second is named nowhere
        await service.documents.remove(kept.name)
    return RedirectResponse(here + "?sent=1", SEE_OTHER, HEADERS)


async def _require_few(request: Request, token: str) -> None:
    """Count what is sent behind one link, which stays for ever: nobody writes as fast as a program. Raises Problem."""
    await request.app.state.throttle.hit("sign_in", f"written {sha256(token.encode()).hexdigest()}")


def _key(token: str, form: str) -> str:
    """What a sending of a form is remembered by."""
    return f"reply/{sha256(token.encode()).hexdigest()[:32]}/{sha256(form[:KEY].encode()).hexdigest()[:32]}"


async def _record(
    service: Service, row: Row, key: str, text: str, document: str = "", noted: DocumentStored | None = None
) -> Recorded:
    tree = {"type": "ReceiveMessage", "text": text, "thread": row["fixed"]["thread"], "document": document}
    command = CASE.parse_outside(tree, row["actor"])
    bind_contextvars(case=row["stream"], key=key)
    meta = Meta(row["actor"], "treatment", key=key, causation=row["effect"], provenance="message page")
    told = CASE.digest(row["stream"], replace(command, document=""))  # of a file sent again the name is another
    remembered, stored = CommandKey(row["actor"], key, told), (noted,) if noted else ()
    reply = Reply(row["effect"])
    return await service.commands.record(CommandRequest(row["stream"], meta, command, remembered, reply, stored=stored))


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
        base=request.url.path.removesuffix("/answer").removesuffix("/file"),
        family=family_page(case, clock) if row["fixed"]["thread"] == FAMILY else None,
        media=[*TYPES],
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
