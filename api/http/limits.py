"""Limits how much one caller may ask for, by sliding windows per actor and address in this process; and how large.

Whoever is known is counted as themselves, so that strangers use up nobody's share but their own address's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.types import Scope

from api.http.problems import Problem
from api.ports import Limits

MAX_BODY = 256 * 1024
SMALL_FORM = 64 * 1024
"""Bytes read for somebody who has not signed in: the form of a page that was open."""
MINUTE = "60"
KNOWN, HEAD = "caravel.known", "caravel.head"


class Throttle:
    """Counts requests. Raises Problem(429)."""

    def __init__(self, limits: Limits) -> None:
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        numbers = {"actor": limits.actor, "address": limits.address, "sign_in": limits.sign_in}
        self._items = {kind: RateLimitItemPerMinute(number) for kind, number in numbers.items() if number}

    async def hit(self, kind: str, who: str) -> None:
        """Count one request of `who`. Raises Problem(429) when it is one too many."""
        if not await self.count(kind, who):
            raise _too_many()

    async def count(self, kind: str, who: str) -> bool:
        """Count one request of `who`, and return whether it was not one too many."""
        item = self._items.get(kind)
        return item is None or await self._windows.hit(item, kind, who)

    async def require_room(self, kind: str, who: str) -> None:
        """Count nothing. Raises Problem(429) when another request of `who` would be one too many."""
        item = self._items.get(kind)
        if item is not None and not await self._windows.test(item, kind, who):
            raise _too_many()


def _too_many() -> Problem:
    return Problem(429, "too_many_requests", "too many requests, slow down", headers={"Retry-After": MINUTE})


class Seats:
    """Counts what is open for longer than an answer takes, of each person and in all. 0 = no limit."""

    def __init__(self, each: int, in_all: int) -> None:
        self._each = each
        self._in_all = in_all
        self._taken = Counter[str]()

    def take(self, who: str) -> None:
        """Take a seat. Raises Problem: 429 where this person has too many already, 503 where all are taken."""
        if self._each and self._taken[who] >= self._each:
            detail = f"at most {self._each} streams are open for one person; close one first"
            raise Problem(429, "too_many_requests", detail, headers={"Retry-After": MINUTE})
        if self._in_all and self._taken.total() >= self._in_all:
            raise Problem(503, "full", "too many streams are open", headers={"Retry-After": MINUTE})
        self._taken[who] += 1

    def leave(self, who: str) -> None:
        """Give it back."""
        self._taken[who] -= 1
        self._taken += Counter()  # forgets who has none


def note_known(request: Request) -> None:
    """Note that the request is somebody's we know, so that it is counted as theirs and not as their address's."""
    request.scope.setdefault("state", {})[KNOWN] = True


def note_head(scope: Scope) -> None:
    """Note that only the head of an answer was asked for; the rest of the way knows it as a GET."""
    scope["state"][HEAD] = True


def only_head(request: Request) -> bool:
    """Return whether nothing of the body will leave, so that nobody has seen it."""
    return HEAD in request.scope.get("state", {})


def is_known(scope: Scope) -> bool:
    """Return whether that was noted."""
    return KNOWN in scope["state"]


def address(request: Request) -> str:
    """Return who is at the other end of the line, as far as the server can tell."""
    return request.client.host if request.client else "unknown"


async def read_body(request: Request) -> bytes:
    """Return the whole body, at most 256 KiB. Raises Problem(413) as soon as it is known to be more."""
    return b"".join([part async for part in stream_body(request, MAX_BODY)])


async def read_small(request: Request) -> bytes:
    """Return the whole body of a form that is for everybody. Raises Problem(413) like `read_body`."""
    return b"".join([part async for part in stream_body(request, SMALL_FORM)])


async def stream_body(request: Request, most: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes in. Raises Problem(413) as soon as it is known to be more than `most` bytes."""
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:12]) > most:
        raise too_large(most)
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise too_large(most)
        yield part


def too_large(most: int) -> Problem:
    """Return the refusal of more than so many bytes; the line is closed after it, for the rest is still on its way."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Problem(status, "too_large", f"a body holds at most {most} bytes", headers={"Connection": "close"})
