"""Sends a page out: template, headers, and what is said when something is refused or fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader
from starlette.requests import ClientDisconnect

from api.console.forms.form_restore import KEEPABLE, sign_in_again
from api.console.session import NotSignedIn, Visitor
from api.console.sign_in_options import sign_in_options
from api.console.text.texts import ENGLISH, Texts, languages, marked, texts_for
from api.console.text.times import apart
from api.http.auth import CLERKS, FOR_CLERKS
from api.http.form_parse import pointed
from api.http.masking import EVERYTHING
from api.http.problems import Problem, invalid, of_failure, of_refusal
from api.routes.history.figures import WHO as COUNTS
from api.routes.register.entries import visible_to
from domain.core.errors import Refused
from domain.core.roles import Action, Role
from domain.roles import allow

HERE = Path(__file__).parent
SEE_OTHER = 303
UNSEEN = re.compile(r"/console/cases/([A-Za-z0-9._ -]+)(?:/(?!do/)[a-z]+)?")
"""The pages of a case that may be there for others."""
STATIC = HERE / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
PAGES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.do"],
)


def page(
    request: Request,
    name: str,
    visitor: Visitor | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401 - what the template asks for
) -> HTMLResponse:
    """Render a template as an answer. Nothing of it is kept by anybody."""
    t = visitor.t if visitor else texts_for(request)
    dev = request.app.state.service.dev is not None
    known: dict[str, Any] = {"t": t, "viewer": visitor, "here": request.url.path, "whole": _whole(request)}
    known |= {"languages": languages(), "demo": dev, "csrf": _csrf(visitor)}
    known |= {"proves": _proves(visitor), "runs": _runs(visitor), "traces": _traces(visitor)}
    known["managing"] = visitor is not None and visitor.who.role in COUNTS
    text = PAGES.get_template(name).render(**known, **values)
    return HTMLResponse(marked(text), status, {**HEADERS, **(headers or {})})


def _whole(request: Request) -> str:
    """The address one comes back to; behind the answer to a form stands the form."""
    path, query = request.url.path, request.url.query
    if request.method == "GET":
        return f"{path}?{query}" if query else path
    return path if path.startswith(KEEPABLE) else "/console/"


def _proves(visitor: Visitor | None) -> bool:
    return visitor is not None and allow(visitor.who, Action.PROVE)


def _runs(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.who.role in (Role.OPERATOR, Role.SUPERVISOR)


def _traces(visitor: Visitor | None) -> bool:
    return visitor is not None and visible_to(visitor.who, "lot") is EVERYTHING


def _csrf(visitor: Visitor | None) -> str:
    return visitor.csrf if visitor else ""


def seen(path: str) -> RedirectResponse:
    """Go and look there: the answer to every form that was carried out."""
    return RedirectResponse(path, SEE_OTHER, HEADERS)


def query_of(view: str) -> str:
    """Return the query of a view's address, as a form says it back; whatever else was typed there leads nowhere."""
    return "?" + view.partition("?")[2].partition("#")[0]


class PageRoute(APIRoute):
    """Answers a refusal with a page, and whoever is not signed in with the way to sign in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the framework inside ours."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except NotSignedIn:
                return await _to_sign_in(request)
            except RequestValidationError:
                return refused(request, invalid("this address cannot be read; something in it is no number or instant"))
            except Problem as problem:
                elsewhere = problem is FOR_CLERKS and request.method == "GET"
                return seen(CLERKS) if elsewhere else refused(request, problem)
            except Refused as no:
                return refused(request, of_refusal(no))
            except ClientDisconnect:
                raise  # no failure of ours, and nobody is there to read a page
            except Exception as error:  # noqa: BLE001 - its text may hold what it should not
                return await _failed(request, error)

        return answer


def pages() -> APIRouter:
    """Make a router of pages."""
    return APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=HTMLResponse)


async def _failed(request: Request, error: Exception) -> Response:
    """When the ledger is away, what was typed is kept in the page like when a session has ended."""
    problem = of_failure(error)
    kept = await sign_in_again(request) if request.method == "POST" and getattr(error, "away", False) else ""
    if kept:
        return page(request, "away.html", None, problem.status, problem.headers, kept=kept)
    return refused(request, problem)


async def _to_sign_in(request: Request) -> Response:
    if request.method == "GET":
        return seen(f"/console/sign-in?next={quote(_whole(request))}")
    kept = await sign_in_again(request)
    return page(request, "signed_out.html", None, 401, kept=kept, **await sign_in_options(request))


def refused(request: Request, problem: Problem) -> HTMLResponse:
    """Return the page of a refusal; the words are those of the refusal, which hold nobody's data."""
    t: Texts = texts_for(request)
    unseen = UNSEEN.fullmatch(request.url.path) if problem.reason == "not_found" else None
    told = {
        "title": t.named("problem", problem.reason),
        "said": wrong(t, problem, problem.detail),
        "faults": [t.english(fault.detail) for fault in problem.faults],
        "glass": f"/console/cases/{unseen[1]}/do/BreakGlass" if unseen else "",
    }
    return page(request, "refused.html", None, problem.status, problem.headers, **told)


def wrong(t: Texts, problem: Problem | None, detail: str) -> str:
    """Say what is wrong; elsewhere than in English the sentence for the reason comes first, then the detail."""
    reason = t.own("refusal", problem.reason) if problem and t.language != ENGLISH else ""
    return f"{reason} {t.english(detail)}".strip()


@cache
def _static(name: str) -> tuple[str, bytes]:
    content = (STATIC / name).read_bytes()
    return sha256(content).hexdigest()[:16], content


def static(name: str) -> str:
    """Return the address of one of our files; it changes with the file."""
    return f"/console/static/{_static(name)[0]}/{name}"


PAGES.globals["static"] = static
PAGES.globals["at"] = datetime.fromisoformat
PAGES.filters["apart"] = apart
PAGES.filters["said_by"] = lambda at, clock: clock.instant(at)
files = APIRouter(include_in_schema=False)


@files.get("/console/static/{digest}/{name}")
async def static_file(digest: str, name: str) -> Response:
    """Serve a file of ours, which may be kept for ever: its address names its digest."""
    known = {file.name for file in STATIC.iterdir() if file.suffix in KINDS}
    if name not in known or _static(name)[0] != digest:
        return Response(status_code=404)
    return Response(_static(name)[1], media_type=KINDS[Path(name).suffix], headers=FOR_EVER)


def errors_of(t: Texts, problem: Problem | None) -> Mapping[str, str]:
    """Return what is wrong by every input of a form it may stand at."""
    faults = [fault for fault in reversed(problem.faults if problem else ()) if fault.pointer]
    return {name: wrong(t, problem, f.detail) for f in faults for name in reversed(pointed(f.pointer or ""))}
