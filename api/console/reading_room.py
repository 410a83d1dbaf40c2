"""The reading room behind a mailed link: a fresh code by mail opens the dossier for half an hour, each look noted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from activities.effect_handlers.requests import Reader
from activities.ports import DocumentLink, Meta
from api.console.dossier_question import DOSSIER, SHOWN, AskedCentre, asked, papers
from api.console.reply_page import GONE, HEADERS, NOT_FOUND, found, plain_page
from api.console.text.texts import texts_for
from api.console.visiting import OPENS, SEE_OTHER, Door, admit, inside
from api.http.auth import Parts
from api.http.limits import only_head
from api.http.problems import Problem
from api.ports import Service
from api.routes.handing_over import Look, handed
from api.routes.previews import handed_preview
from domain.catalogue.centre import Centre

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
Row = Mapping[str, Any]


@router.get("/reply/{token}/dossier")
async def room(token: str, request: Request, service: Parts) -> Response:
    """Show the list of the dossier's documents for whoever has entered, else the way to a code."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return _door(request, question)
    await service.looks.record(Meta(row["actor"], "treatment"), "dossier", [row["stream"]], ())
    t = texts_for(request)
    return plain_page(
        request,
        "reading_room.html",
        200,
        number=question.case.number,
        version=question.known.dossier,
        papers=list(papers(t, question.case, question.known)),
        base=request.url.path,
        answer=request.url.path.removesuffix("/dossier"),
    )


@router.post("/reply/{token}/dossier")
async def enter(token: str, request: Request, service: Parts) -> Response:
    """Send a code to the centre's own address, or enter with one."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    centre = (await service.commands.entry(question.known.centre)).state
    reader = Reader(centre.mail, next(iter(centre.languages), "en")) if isinstance(centre, Centre) else None
    shown = partial(_door, request, question)
    return await admit(request, service, token, row, Door("dossier", question.case.number, reader, shown))


@router.get("/reply/{token}/dossier/{name}")
async def document(token: str, name: str, request: Request, service: Parts, view: bool = False) -> Response:
    """Show one document, to be looked at or kept; the look is recorded before the first byte leaves."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return RedirectResponse(request.url.path.rpartition("/")[0], SEE_OTHER, HEADERS)
    known, file = question.known, question.case.stored.get(name)
    inline = view and file is not None and file.media_type in SHOWN
    link = DocumentLink(question.case.id, known.centre, known.id, known.round, name)
    look = Look(known.centre, "reading room", inline, only_head(request), OPENS if inline else {})
    try:
        return await handed(service, look, link)
    except Problem as problem:
        if problem.status == GONE:
            return _closed(request, row)
        raise


@router.get("/reply/{token}/dossier/{name}/preview")
async def preview(token: str, name: str, request: Request, service: Parts) -> Response:
    """Show the first page or picture of a document, or what a scanner's image tells; a look as any other."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return RedirectResponse(request.url.path.rpartition("/dossier/")[0] + "/dossier", SEE_OTHER, HEADERS)
    known = question.known
    link = DocumentLink(question.case.id, known.centre, known.id, known.round, name)
    try:
        return await handed_preview(request, service, Look(known.centre, "reading room", head=only_head(request)), link)
    except Problem as problem:
        if problem.status == GONE:
            return _closed(request, row)
        raise


async def _question(token: str, request: Request, service: Service) -> tuple[Row | None, AskedCentre | None]:
    row = await found(token, request, service)
    if row is None or row["question"] != DOSSIER or not row["open"]:
        return row, None
    return row, await asked(service, row)


def _door(
    request: Request, question: AskedCentre, status: int = 200, sent: bool = False, error: str = ""
) -> HTMLResponse:
    return plain_page(
        request,
        "reading_room.html",
        status,
        number=question.case.number,
        version=question.known.dossier,
        closed=True,
        sent=sent,
        error=error,
        answer=request.url.path.removesuffix("/dossier"),
    )


def _closed(request: Request, row: Row | None) -> HTMLResponse:
    """The question was settled or withdrawn, the consent does not stand, or there is no such link."""
    t = texts_for(request)
    if row is None or row["question"] != DOSSIER:
        return plain_page(request, "reply.html", NOT_FOUND, title="reply.title", error=t("reply.unknown"))
    return plain_page(request, "reply.html", GONE, title="reply.title", error=t("dossier.over"))
