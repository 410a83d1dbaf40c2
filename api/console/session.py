"""Knows who looks at a page: the session, the token that goes into every form, the viewer's zone."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import Response

from api.console.names import Directory
from api.console.text.texts import Texts, texts_for
from api.http.auth import Doorkeeper, Parts, bearer, cookie_name, cookie_of, require_same_origin, secure, service_of
from api.http.problems import Problem
from domain.roles import Actor

ZONE = "caravel_zone"
CSRF = "csrf"
LONGEST_ZONE = 64


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in, as a page needs to know them."""

    who: Actor
    name: str
    zone: tzinfo
    zone_name: str
    t: Texts
    csrf: str
    demo: bool


class NotSignedIn(Exception):
    """A page that is for somebody was asked for by nobody."""


async def visitor(request: Request) -> Visitor:
    """Dependency of every page that is for somebody. Raises NotSignedIn."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    try:
        who = await doorkeeper.actor(request)
    except Problem as problem:
        if problem.status == UNAUTHORISED:
            raise NotSignedIn from None
        raise
    service, directory = service_of(request), directory_of(request)
    me = await directory.one(service, who.id)
    name = zone_name(me.zone if me else "", request.cookies.get(ZONE, ""))
    demo = service.dev is not None
    return Visitor(who, me.name if me else who.id, ZoneInfo(name), name, texts_for(request), csrf_of(request), demo)


UNAUTHORISED = 401
Viewer = Annotated[Visitor, Depends(visitor)]


def directory_of(request: Request) -> Directory:
    """Return the names of staff this process knows."""
    directory: Directory = request.app.state.directory
    return directory


def zone_name(own: str, told: str) -> str:
    """Return the person's own zone, else the one their browser told, else UTC."""
    return next((name for name in (own, told[:LONGEST_ZONE]) if name != "UTC" and _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):
        return False


def csrf_of(request: Request) -> str:
    """Follows from the session's token, which no page can read; so nothing needs to be kept for it."""
    token = bearer(request) or cookie_of(request)
    return hmac.new(token.encode(), b"caravel form", sha256).hexdigest()


def require_csrf(request: Request, given: str) -> None:
    """The form was made for this session. Raises Problem(403)."""
    require_same_origin(request)
    if not hmac.compare_digest(csrf_of(request).encode(), given.encode()):
        raise Problem(403, "not_allowed", "this form was made for another session")


def fresh_key() -> str:
    """Return an idempotency key for a form that is being shown."""
    return secrets.token_urlsafe(18)


def set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int, samesite: str = "lax") -> None:
    """Set a cookie no script can read; an empty value ends it."""
    answer.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds if value else 0,
        httponly=True,
        samesite="strict" if samesite == "strict" else "lax",
        secure=secure(request),
    )


__all__ = ["Parts", "Viewer", "Visitor"]
