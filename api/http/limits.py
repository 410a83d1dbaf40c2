"""Limits how much one caller may ask for, by sliding windows per actor and address in this process; and how large."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from api.http.problems import Problem
from api.ports import Limits

MAX_BODY = 256 * 1024
SMALL_FORM = 64 * 1024
"""Bytes read for somebody who has not signed in: the form of a page that was open."""
MINUTE = "60"


class Throttle:
    """Counts requests. Raises Problem(429)."""

    def __init__(self, limits: Limits) -> None:
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        numbers = {"actor": limits.actor, "address": limits.address, "sign_in": limits.sign_in}
        self._items = {kind: RateLimitItemPerMinute(number) for kind, number in numbers.items() if number}

    async def hit(self, kind: str, who: str) -> None:
        """Count one request of `who`. Raises Problem(429) when it is one too many."""
        item = self._items.get(kind)
        if item is not None and not await self._windows.hit(item, kind, who):
            raise Problem(429, "too_many_requests", "too many requests, slow down", headers={"Retry-After": MINUTE})


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
