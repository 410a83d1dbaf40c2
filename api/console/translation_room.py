"""The page behind a translator's mailed link: exactly the file to translate, and where its translation is handed in."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from structlog.contextvars import bind_contextvars

from activities.case_session import Reply
from activities.command_handler import CommandRequest
from activities.ports import CommandKey, Kept, Meta
from api.console.dossier_question import SHOWN, TRANSLATION, Ordered, ending_of, ordered, size_of
from api.console.forms.uploads import is_upload, upload
from api.console.reply_page import GONE, HEADERS, NOT_FOUND, found, plain_page
from api.console.text.texts import texts_for
from api.console.visiting import OPENS, SEE_OTHER, Door, Row, admit, inside
from api.http.auth import Parts
from api.http.files.file_types import TYPES
from api.http.limits import only_head
from api.http.problems import Problem, invalid, of_refusal
from api.ports import Service
from api.routes.documents import FAILED, UNREADABLE, Sent, taken
from api.routes.handing_over import HEADERS as PRIVATE
from domain.core.errors import Reason, Refused
from domain.core.policy import Party
from domain.stages.records.documents import DocumentStored
from domain.stages.records.dossier import DeliverTranslation

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
ROOM = "translation"
TRIES = 5
OVER = (Reason.LAPSED, Reason.KEY_REUSED)
"""Why a translation comes too late: the order is over, or another one came by this link."""


@router.get("/reply/{token}/translation")
async def room(token: str, request: Request, service: Parts) -> Response:
    """Show what is to be translated from which language into which, for whoever has entered, else the way to a code."""
    row, order = await _order(token, request, service)
    if row is None or order is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return _door(request, order)
    return _shown(request, order)


@router.post("/reply/{token}/translation")
async def enter(token: str, request: Request, service: Parts) -> Response:
    """Send a code to the address the order went to, or enter with one."""
    row, order = await _order(token, request, service)
    if row is None or order is None:
        return _closed(request, row)
    reader = await service.desk(Party.TRANSLATOR)
    return await admit(
        request, service, token, row, Door(ROOM, order.case.number, reader, partial(_door, request, order))
    )


@router.get("/reply/{token}/translation/file")
async def file(token: str, request: Request, service: Parts, view: bool = False) -> Response:
    """Show the one file, to be looked at or kept; the look is recorded before the first byte leaves."""
    row, order = await _order(token, request, service)
    if row is None or order is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return RedirectResponse(request.url.path.removesuffix("/file"), SEE_OTHER, HEADERS)
    name = order.known.document
    try:
        opened = await service.documents.open(order.case.id, name)
    except UNREADABLE as error:
        raise Problem(*FAILED[type(error)]) from None
    if not only_head(request):
        await service.looks.record(Meta(row["actor"]), "document", [order.case.id], {opened.key_class})
    inline = view and opened.media_type in SHOWN
    ending = TYPES[opened.media_type].ending
    said = {"Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{name[:12]}.{ending}"'}
    headers = {**PRIVATE, **said, **(OPENS if inline else {})}
    return StreamingResponse(opened.content, media_type=opened.media_type, headers=headers)


@router.post("/reply/{token}/translation/file")
async def deliver(token: str, request: Request, service: Parts) -> Response:
    """Take the translation. It is stored as every document is, and the link ends with it."""
    row, order = await _order(token, request, service)
    if row is None or order is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return RedirectResponse(request.url.path.removesuffix("/file"), SEE_OTHER, HEADERS)
    try:
        if not is_upload(request):  # a browser that sends none, or a program that leaves it out
            raise invalid("choose a file first")
        given = await upload(request, service.limits.document)
        if not given.name:
            raise invalid("choose a file first")
        key = f"reply/{sha256(token.encode()).hexdigest()[:32]}/translation"
        told = {"type": "DeliverTranslation", "item": order.known.item.id}
        sent = Sent(key, given.media, given.name, told)
        kept, noted = await taken(service, order.case.id, sent, given.content)
    except Problem as problem:
        return _shown(request, order, problem)
    try:
        await _recorded(service, row, key, kept, noted)
    except Refused as refused:
        await service.documents.remove(kept.name)
        return _closed(request, row) if refused.reason in OVER else _shown(request, order, of_refusal(refused))
    return plain_page(request, "reply.html", 200, title="translation.title", done="translation.done")


async def _recorded(service: Service, row: Row, key: str, kept: Kept, noted: DocumentStored) -> None:
    """Record it for the order as it stands at that instant. Raises Refused(LAPSED) where it is over."""
    bind_contextvars(case=row["stream"], key=key)
    meta = Meta(row["actor"], key=key, causation=row["effect"], provenance="translation link")
    remembered = CommandKey(row["actor"], key, sha256(row["stream"].encode() + b"\0" + kept.same).digest())
    for _ in range(TRIES):
        order = await ordered(service, row)
        if order is None:
            break
        command = DeliverTranslation(order.known.item.id, kept.name, row["actor"])
        version, reply = order.case.people_version, Reply(row["effect"])
        request = CommandRequest(order.case.id, meta, command, remembered, reply, if_version=version, stored=(noted,))
        try:
            done = await service.commands.record(request)
        except Refused as refused:
            if refused.reason is not Reason.STALE:  # somebody recorded something else meanwhile: ask again
                raise
        else:
            if done.repeated:  # the same file came twice: what came second is named nowhere
                await service.documents.remove(kept.name)
            return
    raise Refused(Reason.LAPSED, "this translation is not awaited any more")


async def _order(token: str, request: Request, service: Service) -> tuple[Row | None, Ordered | None]:
    row = await found(token, request, service)
    if row is None or row["question"] != TRANSLATION or not row["open"]:
        return row, None
    return row, await ordered(service, row)


def _shown(request: Request, order: Ordered, problem: Problem | None = None) -> HTMLResponse:
    stored = order.case.stored.get(order.known.document)
    base = request.url.path.removesuffix("/file")
    media = stored.media_type if stored else ""
    return _page(
        request,
        order,
        problem.status if problem else 200,
        error=problem.detail if problem else "",
        about=[ending_of(media), size_of(stored.bytes) if stored else ""],
        shows=media in SHOWN,
        media=[*TYPES],
        base=f"{base}/file",
        answer=base.removesuffix("/translation"),
    )


def _door(request: Request, order: Ordered, status: int = 200, sent: bool = False, error: str = "") -> HTMLResponse:
    error = texts_for(request)(error) if error else ""
    answer = request.url.path.removesuffix("/translation")
    return _page(request, order, status, closed=True, sent=sent, error=error, answer=answer)


def _page(request: Request, order: Ordered, status: int, **values: object) -> HTMLResponse:
    return plain_page(
        request, "translation_room.html", status, number=order.case.number, kind=order.known.item.kind,
        source=order.known.source, into=order.known.into, **values,
    )  # fmt: skip


def _closed(request: Request, row: Row | None) -> HTMLResponse:
    """The translation is in, the order is over, or there is no such link."""
    t = texts_for(request)
    if row is None or row["question"] != TRANSLATION:
        return plain_page(request, "reply.html", NOT_FOUND, title="reply.title", error=t("reply.unknown"))
    return plain_page(request, "reply.html", GONE, title="translation.title", error=t("translation.over"))
