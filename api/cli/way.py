"""The way to Caravel: over HTTP when CARAVEL_API is set, else the same application in this process, as the machine."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2

from api.cli.outcome import REFUSED, UNAVAILABLE, CommandFailed, failed_of
from domain.core.errors import Refused

TIMEOUT, PIECE = 60, 1024 * 1024
LARGE, CUTS = 8 * 1024 * 1024, (1, 2, 4, 8, 16)
"""Seconds that an answer may take; bytes of a file that are sent at once.

Bytes from which a file goes on after a cut, and seconds before each further try.
"""
R = TypeVar("R")


class Caravel:
    """Asks the API; a problem becomes Failed."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read what stands at a path of the API."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        return _answer(await self._http.get(path, params=given))

    async def file(self, path: str, **query: str) -> bytes:
        """Fetch a file."""
        answer = await self._http.get(path, params=query)
        return _answer(answer) if answer.is_error else answer.content

    async def post(self, path: str, body: object, key: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """Give a command, under a key that a repeat of the same command line may share."""
        return _answer(await self._http.post(path, json=body, headers={"Idempotency-Key": key or uuid4().hex}))

    async def send(
        self, path: str, content: bytes | AsyncIterator[bytes], headers: Mapping[str, str], **query: str
    ) -> Any:  # noqa: ANN401 - JSON
        """Send a file, under a key of its own unless `headers` have one."""
        told = {"Idempotency-Key": uuid4().hex, **headers}
        return _answer(await self._http.post(path, content=content, headers=told, params=query))

    async def upload(self, case: str, file: Path, headers: Mapping[str, str], **query: str) -> Any:  # noqa: ANN401 - JSON
        """Send a large file so that after a cut it goes on where it stopped, also when all of this is called again.

        Its key is made of what is sent, unless `headers` have one; beginning under the same key is going on.
        """
        size = (await asyncio.to_thread(file.stat)).st_size
        key = headers.get("Idempotency-Key") or await _key_of(case, file, query)
        told = {**headers, "Idempotency-Key": key, "Upload-Length": str(size)}
        for wait in (*CUTS, None):
            try:
                began = _answer(await self._http.post(f"/cases/{case}/uploads", headers=told, params=query))
                offset = int(began["offset"])
                rest = {"Upload-Offset": str(offset)}
                return _answer(await self._http.patch(began["upload"], content=pieces(file, offset), headers=rest))
            except httpx2.TransportError:
                if wait is None:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last try answers or raises")


async def _key_of(case: str, file: Path, query: Mapping[str, str]) -> str:
    """Make a key that the same file, sent for the same, has again."""
    made = sha256("\n".join([case, file.name, *(f"{name}={query[name]}" for name in sorted(query))]).encode())
    async for part in pieces(file):
        made.update(part)
    return made.hexdigest()


async def pieces(file: Path, start: int = 0) -> AsyncIterator[bytes]:
    """Yield a file piece by piece from an offset on, so that it is never in memory as a whole."""
    with await asyncio.to_thread(file.open, "rb") as opened:
        opened.seek(start)
        while part := await asyncio.to_thread(opened.read, PIECE):
            yield part


def _answer(answer: httpx2.Response) -> Any:  # noqa: ANN401 - JSON
    try:
        body = answer.json()
    except ValueError:
        raise CommandFailed(UNAVAILABLE, f"something that is not Caravel answered ({answer.status_code})") from None
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


def collect_garbage() -> None:
    """Collect it from here on, and never look for any among what was loaded: that was a third of a start."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def running(work: Any) -> Any:  # noqa: ANN401 - a coroutine and its result
    """Run it; an absent database or server is said plainly. Raises CommandFailed."""
    collect_garbage()
    try:
        return asyncio.run(work)
    except Refused as refused:
        raise CommandFailed(REFUSED, f"{refused.reason.value}: {refused.detail}") from None
    except (httpx2.HTTPError, OSError, TimeoutError) as error:
        raise CommandFailed(UNAVAILABLE, f"nobody answers: {type(error).__name__}") from None
    except Exception as error:
        if getattr(error, "sqlstate", None) or hasattr(error, "away"):
            raise CommandFailed(UNAVAILABLE, f"the database refuses: {type(error).__name__}") from None
        raise


@asynccontextmanager
async def _way(person: str) -> AsyncIterator[httpx2.AsyncClient]:
    api = os.environ.get("CARAVEL_API", "")
    if not api:
        here = import_module("api.cli.here")  # everything a server is made of, and a second of start time
        async with here.in_process(person) as http:
            yield http
        return
    token = os.environ.get("CARAVEL_TOKEN", "").strip()
    headers = (
        {"Authorization": f"Bearer {token}"} if token else {}
    )  # an empty one is no header; the API says what lacks
    async with httpx2.AsyncClient(base_url=api, headers=headers, timeout=TIMEOUT) as http:
        yield http
