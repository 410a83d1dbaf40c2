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


async def stream_body(request: Request, most: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes in. Raises Problem(413) as soon as it is known to be more than `most` bytes."""
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:12]) > most:
        raise _too_large(most)
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_large(most)
        yield part


def _too_large(most: int) -> Problem:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Problem(status, "too_large", f"a body holds at most {most} bytes", headers={"Connection": "close"})
