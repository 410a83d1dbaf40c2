"""Finds out who is asking: a session token, a cookie, or an OIDC bearer token, each standing for a person's stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from api.http.limits import Throttle, note_known
from api.http.problems import Fault, Problem
from api.ports import Service
from domain.catalogue.staff import Staff
from domain.core.errors import Refused
from domain.core.roles import Role
from domain.roles import PURPOSES, Actor, of_staff

COOKIE = "caravel_session"
PURPOSE = "Caravel-Purpose"
REMEMBERED = 2.0
"""Seconds for which a process trusts what it has just looked up: how late a sign-out elsewhere is noticed."""
MOST = 10_000
JWT_DOTS = 2
SAFE = ("GET", "HEAD", "OPTIONS")
V = TypeVar("V")

CLERKS = "/hospital/"
"""Where a hospital's clerk finds what was submitted to their centre."""
CLERKS_TOO = ("/me", "/sign-out", "/console/sign-out")
FOR_CLERKS = Problem(403, "for_clerks", f"a hospital's clerk sees what was submitted to their centre, at {CLERKS}")
UNKNOWN = Problem(401, "not_signed_in", "sign in first", headers={"WWW-Authenticate": "Bearer"})


class Briefly:
    """Remembers what was found for a moment; who asks while it is looked up waits for the same answer.

    Nothing is kept for nobody: strangers choose their tokens, 16 KiB each.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Any]] = {}
        self._looking: dict[str, asyncio.Task[Any]] = {}

    async def get(self, key: str, look_up: Callable[[str], Coroutine[Any, Any, V]]) -> V:
        """Return the value, at most REMEMBERED seconds old."""
        until, value = self._known.get(key, (0.0, None))
        if until < time.monotonic():
            looking = self._looking.get(key)
            if looking is None:  # a task of its own: a caller that gives up must not take the others' answer with it
                looking = self._looking[key] = asyncio.create_task(self._look(key, look_up))
                looking.add_done_callback(lambda done: self._looked(key, done))
            value = await asyncio.shield(looking)
        known: V = value
        return known

    async def _look(self, key: str, look_up: Callable[[str], Coroutine[Any, Any, V]]) -> V:
        value = await look_up(key)
        if value is not None and self._looking.get(key) is asyncio.current_task():  # else it was forgotten meanwhile
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = (time.monotonic() + REMEMBERED, value)
        return value

    def _looked(self, key: str, done: asyncio.Task[Any]) -> None:
        if self._looking.get(key) is done:
            del self._looking[key]

    def forget(self, key: str) -> None:
        """Forget a token, so that it is looked up again next time."""
        self._known.pop(key, None)
        self._looking.pop(key, None)


class Doorkeeper:
    """Turns a request into an actor."""

    def __init__(self, service: Service, throttle: Throttle) -> None:
        self._service = service
        self._throttle = throttle
        self._persons = Briefly()
        self._sessions = Briefly()

    async def actor(self, request: Request) -> Actor:
        """Find who asks. Raises Problem: 401 for nobody we know, 403 for a purpose that is not theirs, 429."""
        if self._service.local is not None:
            note_known(request)
            return _at_door(request, self._service.local)
        person = await self._person(request)
        staff = await self._persons.get(person, self._staff) if person else None
        if person is None or staff is None or staff.role is None:
            raise UNKNOWN
        note_known(request)
        await self._throttle.hit("actor", person)
        return _stating(_at_door(request, of_staff(person, staff.role, staff.team)), request.headers.get(PURPOSE, ""))

    async def still(self, request: Request, who: Actor) -> bool:
        """Return whether who opened a stream with this request is still signed in, with the same role and team."""
        if self._service.local is not None:
            return True
        person = await self._person(request)
        staff = await self._persons.get(person, self._staff) if person else None
        now = of_staff(person, staff.role, staff.team) if person and staff and staff.role else None
        return now is not None and replace(now, purpose=who.purpose) == who

    def forget(self, person: str) -> None:
        """Look somebody up again: they were dismissed, or have another role."""
        self._persons.forget(person)

    async def signed_out(self, request: Request) -> None:
        """End the session that this request came with."""
        token = bearer(request) or cookie_of(request)
        self._sessions.forget(token)
        await self._service.sessions.close(token)

    async def _person(self, request: Request) -> str | None:
        token = bearer(request)
        if token.count(".") == JWT_DOTS:
            judge = self._service.person_of_jwt
            return await judge(token) if judge else None
        if not token:
            token = cookie_of(request)
            if token and request.method not in SAFE:
                require_same_origin(request)
        return await self._sessions.get(token, self._session) if token else None

    async def _session(self, token: str) -> str | None:
        found = await self._service.sessions.find(token)
        if found is None or (found["kind"] == "development" and self._service.dev is None):
            return None
        return str(found["actor"])

    async def _staff(self, person: str) -> Staff | None:
        try:
            state = (await self._service.commands.entry(person)).state
        except Refused:
            return None
        return state if isinstance(state, Staff) else None


def _at_door(request: Request, actor: Actor) -> Actor:
    """A hospital's clerk has pages of their own and nothing else, whatever else there is or will be."""
    path = request.url.path
    if actor.role is Role.HOSPITAL and not (path in CLERKS_TOO or path.startswith(CLERKS)):
        raise FOR_CLERKS
    return actor


def cookie_name(request: Request, name: str = COOKIE) -> str:
    """Name the cookie; reached by https, the browser itself keeps it to this host and to https (RFC 6265bis)."""
    return f"__Host-{name}" if secure(request) else name


def secure(request: Request) -> bool:
    """Return whether people reach us by https, by us or by what stands before us."""
    return request.url.scheme == "https" or service_of(request).public_url.startswith("https:")


def cookie_of(request: Request) -> str:
    """Return the session's token as the browser brings it."""
    return request.cookies.get(cookie_name(request), "")


def bearer(request: Request) -> str:
    """Return the bearer token, or nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def require_same_origin(request: Request) -> None:
    """A cookie alone proves nothing about who made the page; the browser says where it came from."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "")
    same = origin.partition("://")[2] == host if origin else site in ("same-origin", "none")
    if not same:
        raise Problem(403, "not_allowed", "this came from another site", [Fault("is another site", header="Origin")])


def _stating(actor: Actor, purpose: str) -> Actor:
    if purpose and purpose not in PURPOSES[actor.role]:
        fault = Fault(f"a {actor.role.value} may state: {', '.join(PURPOSES[actor.role])}", header=PURPOSE)
        raise Problem(403, "not_allowed", "that is not a purpose of this role", [fault])
    return replace(actor, purpose=purpose or PURPOSES[actor.role][0])


def service_of(request: Request) -> Service:
    """Return the parts of the app that answers."""
    service: Service = request.app.state.service
    return service


async def parts_of(request: Request) -> Service:
    """Return the parts as a dependency; a coroutine, since FastAPI gives anything else a thread."""
    return service_of(request)


async def signed_in(request: Request) -> Actor:
    """Dependency of every route that is for somebody."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return await doorkeeper.actor(request)


async def open_page(request: Request) -> None:
    """Dependency of what is for everybody where that was set, and else for whoever has signed in. Raises Problem."""
    if not service_of(request).open_pages:
        await signed_in(request)


Who = Annotated[Actor, Depends(signed_in)]
Parts = Annotated[Service, Depends(parts_of)]
