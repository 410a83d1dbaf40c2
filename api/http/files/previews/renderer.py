"""Has files rendered by child processes, a few at a time; each bounds itself and is ended from here when late."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

CHILD = "api.http.files.previews.child"
LATE, ANSWER = 20.0, 16 * 1024 * 1024
"""Seconds until a child is ended, however little of them it worked; bytes of an answer at most [records.previews]."""
AT_ONCE, WAITING = 2, 20
"""Children of one process at a time, and requests that wait for one; more are answered `busy`."""
What = Literal["picture", "page", "text", "told"]
PICTURES = ("application/pdf", "image/jpeg", "image/png", "image/tiff", "image/heic")
"""What there is a picture of."""


class NotShown(Exception):
    """Nothing can be shown, for the reason `why`.

    encrypted, broken, too_large, too_long, busy, no_preview, no_text, no_ocr.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Made:
    """Holds what a child answered: `head` says what it is, `content` is the picture where it is one."""

    head: Mapping[str, Any]
    content: bytes


class Renderer:
    """Renders for one process of the API. A file is handed to the child as it is read, and lies nowhere in clear.

    Whoever has a picture read by tesseract holds `reading` meanwhile.
    """

    def __init__(self, late: float = LATE) -> None:
        self._late = late
        self._turn = asyncio.Semaphore(AT_ONCE)
        self.reading = asyncio.Semaphore(1)
        self._asked = 0

    async def made(self, what: What, media: str, content: AsyncIterator[bytes]) -> Made:
        """Render one file. Raises NotShown; and whatever reading `content` raises."""
        if self._asked >= AT_ONCE + WAITING:
            raise NotShown("busy")
        self._asked += 1
        try:
            async with self._turn:
                return await self._rendered(what, media, content)
        finally:
            self._asked -= 1

    async def _rendered(self, what: What, media: str, content: AsyncIterator[bytes]) -> Made:
        words = (sys.executable, "-I", "-X", "utf8", "-m", CHILD, what, media)
        child = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={})
        try:
            async with asyncio.timeout(self._late):
                _, answer = await asyncio.gather(_feed(child, content), _read(child))
                await child.wait()
        except TimeoutError:
            raise NotShown("too_long") from None
        finally:
            await _ended(child)
        return _made(answer, child.returncode)


async def _feed(child: Process, content: AsyncIterator[bytes]) -> None:
    """Hand it over; a child that reads no further has its answer, or is gone."""
    assert child.stdin
    try:
        async for part in content:
            child.stdin.write(part)
            await child.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        child.stdin.close()


async def _read(child: Process) -> bytes:
    assert child.stdout
    answer = b""
    while part := await child.stdout.read(64 * 1024):
        answer += part
        if len(answer) > ANSWER:
            raise NotShown("too_large")
    return answer


async def _ended(child: Process) -> None:
    with suppress(ProcessLookupError):
        child.kill()
    await child.wait()


def _made(answer: bytes, code: int | None) -> Made:
    """Read what it answered; one that ended without an answer ran against its bounds, or fell over. Raises NotShown."""
    head, _, content = answer.partition(b"\n")
    try:
        said: Mapping[str, Any] = json.loads(head)
    except ValueError:
        raise NotShown("too_long" if code in (-24, -9) else "broken") from None  # SIGXCPU, SIGKILL
    if "failed" in said:
        raise NotShown(str(said["failed"]))
    return Made(said, content)
