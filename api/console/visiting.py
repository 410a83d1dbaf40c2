"""Lets somebody without an account in behind a mailed link: a fresh code, by mail to them alone, at each visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from activities.effect_handlers.requests import Reader
from api.console.reply_page import HEADERS
from api.console.session import set_cookie
from api.http.auth import cookie_name
from api.http.form_json import read_form
from api.http.limits import read_small
from api.ports import Service

COOKIE, MINUTES = "caravel_visit", 30
SEE_OTHER, TOO_MANY, UNAVAILABLE, REFUSED = 303, 429, 503, 403
OPENS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'; "
         "frame-ancestors 'none'; base-uri 'none'; form-action 'none'", "X-Robots-Tag": "noindex"}  # fmt: skip
"""For a file that the browser shows itself: nothing in it is asked for from anywhere."""
WORDS: Mapping[str, tuple[str, str]] = {
    "dossier": ("dossier.wrong_code", "dossier.no_address"),
    "translation": ("translation.wrong_code", "translation.no_address"),
    "messages": ("post.wrong_code", "post.no_address"),
    "handover": ("handed.wrong_code", "handed.no_address"),
}
"""What opens → what is said of a wrong code, and where there is no address to send one to."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Door:
    """Stands before a room: what it opens, of which case, who the code goes to, and the page it is.

    `shown` makes that page of a status, whether a code was sent, and the key of what went wrong.
    """

    room: str
    number: str
    reader: Reader | None
    shown: Callable[[int, bool, str], HTMLResponse]


async def inside(request: Request, service: Service, token: str) -> bool:
    """Return whether the request comes from a visit behind this link that is not over."""
    return await service.visits.inside(token, request.cookies.get(cookie_name(request, COOKIE), ""))


async def admit(request: Request, service: Service, token: str, row: Row, door: Door) -> Response:
    """Send a code, or let in whoever enters with one. Both are counted by the link. Raises Problem(429)."""
    await request.app.state.throttle.hit("sign_in", f"visit {sha256(token.encode()).hexdigest()}")
    typed = dict(read_form(await read_small(request))).get("code")
    if typed is None:
        return await _send(service, token, row, door)
    secret = await service.visits.enter(token, typed, row)
    if secret is None:
        return door.shown(REFUSED, True, WORDS[door.room][0])
    answer = RedirectResponse(request.url.path, SEE_OTHER, HEADERS)
    set_cookie(request, answer, COOKIE, secret, MINUTES * 60, "strict")
    return answer


async def _send(service: Service, token: str, row: Row, door: Door) -> HTMLResponse:
    if door.reader is None or not door.reader.address:
        return door.shown(UNAVAILABLE, False, WORDS[door.room][1])
    code = await service.visits.code(token, row)
    if code is None:
        return door.shown(TOO_MANY, True, "dossier.too_many")
    try:
        await service.code_mail(door.room, door.number, door.reader.address, door.reader.language, code)
    except Exception:  # noqa: BLE001 - whatever it is, its text may name the address
        return door.shown(UNAVAILABLE, False, "dossier.not_sent")
    return door.shown(200, True, "")
