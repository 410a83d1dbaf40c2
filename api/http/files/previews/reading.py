"""Reads the text of a document: what a PDF holds, else what Debian's tesseract makes out on its first page."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import cache
from typing import Literal

from api.http.files.previews.renderer import PICTURES, NotShown, Renderer

OCR = "api.http.files.previews.ocr_child"
LATE, LETTERS = 90.0, 20_000
LEAST = 20
"""Letters below which a PDF is taken for a scan."""
LANGUAGES = ("eng", "chi_sim", "ara", "hin", "spa", "fra", "deu", "rus", "por", "tur", "ind", "vie", "urd", "ben")
"""What tesseract is asked to know, as far as it is installed."""
By = Literal["text", "ocr"]


async def read_text(
    renderer: Renderer, media: str, again: Callable[[], Awaitable[AsyncIterator[bytes]]]
) -> tuple[str, By]:
    """Return the text and how it was read; `again` opens the document each time.

    Raises NotShown: beside what stops a preview, `no_ocr` where tesseract is not installed, `no_text` where none shows.
    """
    if media not in PICTURES:
        raise NotShown("no_text")
    if media == "application/pdf":
        text = str((await renderer.made("text", media, await again())).head["text"])
        if sum(letter.isalnum() for letter in text) >= LEAST:
            return text, "text"
    languages = await asyncio.to_thread(installed)
    if not languages:
        raise NotShown("no_ocr")
    page = await renderer.made("page", media, await again())
    async with renderer.reading:
        return await _ocr(page.content, languages), "ocr"


@cache
def installed() -> str:
    """Return the languages tesseract can read here, as it is told them; empty where it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ""
    said = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False).stdout.split()
    return "+".join(one for one in LANGUAGES if one in said)


async def _ocr(picture: bytes, languages: str) -> str:
    program = shutil.which("tesseract")
    assert program
    words = (sys.executable, "-I", "-m", OCR, program, languages)
    child = await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={"OMP_THREAD_LIMIT": "1"}
    )
    try:
        async with asyncio.timeout(LATE):
            out, _ = await child.communicate(picture)
    except TimeoutError:
        raise NotShown("too_long") from None
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    text = out.decode(errors="replace")[:LETTERS]
    if not text.strip():
        raise NotShown("no_text" if child.returncode == 0 else "too_long")
    return text
