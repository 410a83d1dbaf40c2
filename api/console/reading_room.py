"""The reading room behind a mailed link: a fresh code by mail opens the dossier for half an hour, each look noted."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from activities.ports import DocumentLink, Meta
from api.console.dossier_question import DOSSIER, SHOWN, Asked, asked, papers
from api.console.reply_page import GONE, HEADERS, NOT_FOUND, found, plain_page
from api.console.session import set_cookie
from api.console.text.texts import texts_for
from api.http.auth import Parts, cookie_name
from api.http.form_json import read_form
from api.http.limits import only_head, read_small
from api.http.problems import Problem
from api.ports import Service
from api.routes.handing_over import Look, handed
from domain.catalogue.centre import Centre

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
COOKIE, MINUTES = "caravel_visit", 30
SEE_OTHER, TOO_MANY, UNAVAILABLE, REFUSED = 303, 429, 503, 403
OPENS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'; "
         "frame-ancestors 'none'; base-uri 'none'; form-action 'none'", "X-Robots-Tag": "noindex"}  # fmt: skip
"""For a file that the browser shows itself: nothing in it is asked for from anywhere."""
Row = Mapping[str, Any]


@router.get("/reply/{token}/dossier")
async def room(token: str, request: Request, service: Parts) -> Response:
    """The list of the dossier's documents for whoever has entered, else the way to a code."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    if not await service.visits.inside(token, _secret(request)):
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
    """Send a code to the centre's own address, or enter with one. Both are counted by the link."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    await request.app.state.throttle.hit("sign_in", f"visit {sha256(token.encode()).hexdigest()}")
    typed = dict(read_form(await read_small(request))).get("code")
    if typed is None:
        return await _send(token, request, service, row, question)
    secret = await service.visits.enter(token, typed, row)
    if secret is None:
        return _door(request, question, REFUSED, sent=True, error="dossier.wrong_code")
    answer = RedirectResponse(request.url.path, SEE_OTHER, HEADERS)
    set_cookie(request, answer, COOKIE, secret, MINUTES * 60, "strict")
    return answer


@router.get("/reply/{token}/dossier/{name}")
async def document(token: str, name: str, request: Request, service: Parts, view: bool = False) -> Response:
    """One document, to be looked at or kept; the look is recorded before the first byte leaves."""
    row, question = await _question(token, request, service)
    if row is None or question is None:
        return _closed(request, row)
    if not await service.visits.inside(token, _secret(request)):
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


async def _question(token: str, request: Request, service: Service) -> tuple[Row | None, Asked | None]:
    row = await found(token, request, service)
    if row is None or row["question"] != DOSSIER or not row["open"]:
        return row, None
    return row, await asked(service, row)


async def _send(token: str, request: Request, service: Service, row: Row, question: Asked) -> Response:
    centre = (await service.commands.entry(question.known.centre)).state
    if not isinstance(centre, Centre) or not centre.mail:
        return _door(request, question, UNAVAILABLE, error="dossier.no_address")
    code = await service.visits.code(token, row)
    if code is None:
        return _door(request, question, TOO_MANY, sent=True, error="dossier.too_many")
    try:
        await service.code_mail(question.case.number, centre.mail, next(iter(centre.languages), "en"), code)
    except Exception:  # noqa: BLE001 - whatever it is, its text may name the address
        return _door(request, question, UNAVAILABLE, error="dossier.not_sent")
    return _door(request, question, sent=True)


def _door(request: Request, question: Asked, status: int = 200, *, sent: bool = False, error: str = "") -> HTMLResponse:
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


def _secret(request: Request) -> str:
    return request.cookies.get(cookie_name(request, COOKIE), "")
