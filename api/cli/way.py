"""The way to Caravel: over HTTP when CARAVEL_API is set, else the same application in this process, as the machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2

from api.cli.outcome import REFUSED, UNAVAILABLE, Failed, failed_of
from domain.core.errors import Refused

TIMEOUT, PIECE = 60, 1024 * 1024
"""Seconds that an answer may take; bytes of a file that are sent at once."""
R = TypeVar("R")


class Caravel:
    """Asks the API; a problem becomes Failed."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read what stands at a path of the API."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        return _answer(await self._http.get(path, params=given))

    async def post(self, path: str, body: object, key: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """Give a command, under a key that a repeat of the same command line may share."""
        return _answer(await self._http.post(path, json=body, headers={"Idempotency-Key": key or uuid4().hex}))

    async def send(
        self, path: str, content: bytes | AsyncIterator[bytes], headers: Mapping[str, str], **query: str
    ) -> Any:  # noqa: ANN401 - JSON
        """Send a file, under a key of its own unless `headers` have one."""
        told = {"Idempotency-Key": uuid4().hex, **headers}
        return _answer(await self._http.post(path, content=content, headers=told, params=query))


async def pieces(file: Path) -> AsyncIterator[bytes]:
    """Yield a file piece by piece, so that it is never in memory as a whole."""
    with await asyncio.to_thread(file.open, "rb") as opened:
        while part := await asyncio.to_thread(opened.read, PIECE):
            yield part


def _answer(answer: httpx2.Response) -> Any:  # noqa: ANN401 - JSON
    try:
        body = answer.json()
    except ValueError:
        raise Failed(UNAVAILABLE, f"something that is not Caravel answered ({answer.status_code})") from None
    if answer.is_error:
        raise failed_of(answer.status_code, body)
    return body


def asking(ask: Callable[[Caravel], Awaitable[R]], *, person: str = "") -> R:
    """Run one conversation. `person` is whose name a command is given in, where there is no API to sign in to."""

    async def conversation() -> R:
        async with _way(person) as http:
            return await ask(Caravel(http))

    answer: R = running(conversation())
    return answer


def running(work: Any) -> Any:  # noqa: ANN401 - a coroutine and its result
    """Run it; an absent database or server is said plainly. Raises Failed."""
    try:
        return asyncio.run(work)
    except Refused as refused:
        raise Failed(REFUSED, f"{refused.reason.value}: {refused.detail}") from None
    except (httpx2.HTTPError, OSError, TimeoutError) as error:
        raise Failed(UNAVAILABLE, f"nobody answers: {type(error).__name__}") from None
    except Exception as error:
        if getattr(error, "sqlstate", None) or hasattr(error, "away"):
            raise Failed(UNAVAILABLE, f"the database refuses: {type(error).__name__}") from None
        raise


@asynccontextmanager
async def _way(person: str) -> AsyncIterator[httpx2.AsyncClient]:
    api = os.environ.get("CARAVEL_API", "")
    if not api:
        here = import_module("api.cli.here")  # everything a server is made of, and a second of start time
        async with here.in_process(person) as http:
            yield http
        return
    headers = {"Authorization": f"Bearer {os.environ.get('CARAVEL_TOKEN', '')}"}
    async with httpx2.AsyncClient(base_url=api, headers=headers, timeout=TIMEOUT) as http:
        yield http
