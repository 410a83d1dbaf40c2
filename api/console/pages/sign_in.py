"""Signing in and out of the console: by the development sign-in, or at the organisation's own identity provider."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.console.forms.form_restore import AGAIN, KeptForm, reopened, typed_pairs
from api.console.pages.form_pages import filled_again
from api.console.session import CSRF, NotSignedIn, Viewer, require_csrf, set_cookie, visitor
from api.console.sign_in_options import DEV, same, sign_in_options, staff
from api.console.text.texts import LANGUAGE, languages
from api.console.web import HEADERS, page, pages, seen
from api.http.auth import Doorkeeper, Parts, cookie_name
from api.http.form_json import read_form
from api.http.limits import address, read_small
from api.http.problems import Problem
from api.ports import DevSignIn, Service
from api.routes.sign_in import require_local, require_person

router = pages()
HOME = "/console/"
FLOW = "caravel_flow"
LASTS, FLOW_LASTS, YEAR = timedelta(hours=12), 600, 365 * 24 * 3600
BACK = "/console/sign-in/back"


@router.get("/")
async def front(request: Request, secret: str = "") -> Response:
    """To the worklist for whoever is signed in; the ready address of `caravel up` brings the secret."""
    if secret:
        return await _with_secret(request, secret)
    return seen(HOME if await _here(request) else "/console/sign-in")


@router.get("/console/sign-in")
async def sign_in(request: Request, secret: str = "", next: str = HOME) -> Response:  # noqa: A002 - the word of the address
    """Show the page that asks who is there."""
    if secret:
        return await _with_secret(request, secret)
    ways = await sign_in_options(request)
    return page(request, "sign_in.html", next=local(next), kept="", **ways)


@router.post("/console/sign-in")
async def development(request: Request, service: Parts) -> Response:
    """Be one of the seeded people."""
    await request.app.state.throttle.hit("sign_in", address(request))
    dev = service.dev
    if dev is None:
        raise Problem(404, "not_found", "there is no development sign-in here")
    require_local(request, dev)
    given = dict(read_form(await read_small(request)))
    secret = given.get("secret") or request.cookies.get(cookie_name(request, DEV), "")
    if not same(secret, dev.secret):
        raise Problem(401, "not_signed_in", "that is not the secret of the ready address")
    if not given.get("person"):
        return _remember(request, dev, await _who(request, given))
    person = await require_person(service, given["person"])
    answer = await _signed_in(request, service, person, "development", given)
    return _remember(request, dev, answer)


async def _who(request: Request, given: dict[str, str]) -> Response:
    """The secret is right; who it is comes next, and what was kept or asked for goes along."""
    ways = await sign_in_options(request) | {"known": True, "people": await staff(request)}
    if given.get("kept"):
        return page(request, "signed_out.html", kept=given["kept"], **ways)
    return page(request, "sign_in.html", next=local(given.get("next", HOME)), kept="", **ways)


async def _signed_in(request: Request, service: Service, person: str, kind: str, given: dict[str, str]) -> Response:
    token = await service.sessions.open(person, kind, LASTS)
    if given.get("kept"):
        kept = await reopened(request, given["kept"])
        answer = seen(HOME) if kept.who != person else _go_on(request, given["kept"])
    else:
        answer = seen(local(given.get("next", HOME)))
    set_cookie(request, answer, cookie_name_plain(), token, int(LASTS.total_seconds()))
    return answer


def cookie_name_plain() -> str:
    """Return the session's cookie without its prefix; `set_cookie` adds that."""
    return "caravel_session"


def _go_on(request: Request, kept: str) -> Response:
    return page(request, "go_on.html", kept=kept)


@router.post(AGAIN)
async def go_on(request: Request, service: Parts) -> Response:
    """Signed in again: the form as it was typed, to be looked at and sent."""
    given = dict(await typed_pairs(request, stranger=True))
    kept: KeptForm = await reopened(request, given.get("kept", ""))
    try:
        viewer = await visitor(request)
    except NotSignedIn:
        ways = await sign_in_options(request)
        return page(request, "signed_out.html", None, 401, kept=given["kept"], **ways)
    if kept.who != viewer.who.id:
        raise Problem(403, "not_allowed", "this form was typed by somebody else")
    return await filled_again(request, service, viewer, kept)


@router.get("/console/sign-in/provider")
async def provider(request: Request, service: Parts, next: str = HOME) -> Response:  # noqa: A002 - as above
    """Off to the identity provider (authorization code with PKCE)."""
    if service.signs_in is None:
        raise Problem(404, "not_found", "no identity provider is configured")
    await request.app.state.throttle.hit("sign_in", address(request))
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    there = await service.signs_in.address(_back(request, service), state, nonce, challenge)
    answer = RedirectResponse(there, 303, HEADERS)
    flow = urlsafe_b64encode(json.dumps([state, nonce, verifier, local(next)]).encode()).decode()
    set_cookie(request, answer, FLOW, flow, FLOW_LASTS)
    return answer


@router.get(BACK)
async def back(request: Request, service: Parts, code: str = "", state: str = "") -> Response:
    """Back from the identity provider, with a code that only whoever left here can use."""
    if service.signs_in is None:
        raise Problem(404, "not_found", "no identity provider is configured")
    await request.app.state.throttle.hit("sign_in", address(request))
    try:
        flow = request.cookies.get(cookie_name(request, FLOW), "")
        expected, nonce, verifier, onward = json.loads(urlsafe_b64decode(flow))
    except ValueError:
        raise _not_believed() from None
    if not (code and same(state, expected)):
        raise _not_believed()
    person = await service.signs_in.person(_back(request, service), code, verifier, nonce)
    if person is None:
        raise _not_believed()
    answer = await _signed_in(request, service, await require_person(service, person), "console", {"next": onward})
    set_cookie(request, answer, FLOW, "", 0)
    return answer


@router.post("/console/sign-out")
async def sign_out(request: Request, viewer: Viewer) -> Response:
    """End this session, here and for every process."""
    given = dict(read_form(await read_small(request)))
    require_csrf(request, given.get(CSRF, ""))
    del viewer
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    await doorkeeper.signed_out(request)
    answer = seen("/console/sign-in")
    set_cookie(request, answer, cookie_name_plain(), "", 0)
    return answer


@router.post("/console/language")
async def language(request: Request) -> Response:
    """Remember which language this browser is shown."""
    given = dict(read_form(await read_small(request)))
    answer = seen(local(given.get("next", HOME)))
    if given.get("language") in languages():
        answer.set_cookie(LANGUAGE, given["language"], max_age=YEAR, httponly=True, samesite="lax")
    return answer


async def _with_secret(request: Request, secret: str) -> Response:
    """The secret goes into a cookie and out of the address."""
    service: Service = request.app.state.service
    if service.dev is None or not same(secret, service.dev.secret):
        raise Problem(401, "not_signed_in", "that is not the secret of the ready address")
    require_local(request, service.dev)
    return _remember(request, service.dev, seen("/console/sign-in"))


def _remember(request: Request, dev: DevSignIn, answer: Response) -> Response:
    set_cookie(request, answer, DEV, dev.secret, int(dev.lasts.total_seconds()), "strict")
    return answer


async def _here(request: Request) -> bool:
    try:
        await visitor(request)
    except NotSignedIn:
        return False
    return True


def _back(request: Request, service: Service) -> str:
    base = service.public_url or str(request.base_url)
    return base.rstrip("/") + BACK


def _not_believed() -> Problem:
    return Problem(401, "not_signed_in", "the sign-in could not be completed; begin again")


def local(path: str) -> str:
    """Return an address of our own pages, whatever was asked for: nobody is sent elsewhere."""
    parts = urlsplit(path)
    ours = path.startswith("/console/") and not (parts.scheme or parts.netloc) and "\\" not in path
    return path if ours and path.isprintable() else HOME
