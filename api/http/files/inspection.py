"""Looks at a file while it streams past: its beginning and its end are kept, and read in a thread, nothing between."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from api.http.files.dicom import NOT_READ, Header, header_of
from api.http.files.file_types import (
    DICOM,
    DOCX,
    ENTRIES,
    LOCAL,
    OLE,
    PDF,
    SERIES,
    entries,
    is_dicom,
    type_of,
    words_of,
)

HEAD, TAIL = 256 * 1024, 128 * 1024
"""Bytes kept of the beginning and of the end, whatever the size of the file."""
PDF_ENCRYPTED = re.compile(rb"/Encrypt\s*(?:<<|\d{1,10}\s+\d{1,5}\s+R)")
END, CENTRAL, END_SIZE = b"PK\x05\x06", b"PK\x01\x02", 22
DELIMITED = b"\xfe\xff\xdd\xe0"
"""Ends pixel data of a length that is not told beforehand."""


@dataclass(frozen=True, slots=True)
class Found:
    """Says what a file is. `troubles`: encrypted, truncated; `files` of an archive; `header` of an image."""

    media: str
    troubles: tuple[str, ...] = ()
    files: int = 0
    header: Header = NOT_READ


class Inspection:
    """Keeps both ends of a file that streams past. `media` is known once `begin` has returned."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content = content
        self._head = b""
        self._ends = deque[bytes]()
        self._held = 0
        self._size = 0
        self.media = ""

    @property
    def words(self) -> str:
        """Say what a file that is not taken seems to be."""
        return words_of(self._head)

    async def begin(self) -> str:
        """Read as much as tells the type, and return it; empty where it is none that is taken."""
        parts: list[bytes] = []
        async for part in self._content:
            parts.append(part)
            self._size += len(part)
            if self._size >= HEAD:
                break
        self._head = b"".join(parts)
        self.media = await asyncio.to_thread(type_of, self._head[:HEAD])
        return self.media

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the whole file, keeping its end."""
        first = self._head
        self._head = first[:HEAD]
        self._passed(first)
        yield first
        async for part in self._content:
            self._size += len(part)
            self._passed(part)
            yield part

    def _passed(self, part: bytes) -> None:
        """Keep as many of the last parts as the end needs."""
        self._ends.append(part)
        self._held += len(part)
        while self._held - len(self._ends[0]) >= TAIL:
            self._held -= len(self._ends.popleft())

    async def found(self) -> Found:
        """Say what both ends tell, once all of it went past."""
        tail = b"".join(self._ends)[-TAIL:]
        return await asyncio.to_thread(found, self.media, self._head, tail, self._size)


def found(media: str, head: bytes, tail: bytes, size: int) -> Found:
    """Say what the beginning and the end of a file of this type and size tell."""
    if media in (DOCX, SERIES):
        return _archive(media, head, tail, size)
    encrypted = media == PDF and (PDF_ENCRYPTED.search(head) or PDF_ENCRYPTED.search(tail))
    header = header_of(head) if media == DICOM else NOT_READ
    whole = _dicom_whole(header, head, tail, size) if media == DICOM else WHOLE[media](head, tail, size)
    troubles = (*(("encrypted",) if encrypted else ()), *(() if whole else ("truncated",)))
    return Found(media, troubles, header=header)


def _tiff_whole(head: bytes, _: bytes, size: int) -> bool:
    order = "little" if head[:1] == b"I" else "big"
    return int.from_bytes(head[4:8], order) < size  # type: ignore[arg-type]


def _boxes_whole(head: bytes, _: bytes, size: int) -> bool:
    """Walk the boxes as far as the beginning shows them: none may reach beyond the end."""
    at = 0
    while at + 16 <= len(head):
        length = int.from_bytes(head[at : at + 4])
        length = int.from_bytes(head[at + 8 : at + 16]) if length == 1 else length or size - at
        if length < 8 or at + length > size:  # noqa: PLR2004 - the length and the name of a box
            return False
        at += length
    return True


WHOLE: Mapping[str, Callable[[bytes, bytes, int], bool]] = {
    PDF: lambda _, tail, __: b"%%EOF" in tail[-2048:],
    "image/jpeg": lambda _, tail, __: tail.rfind(b"\xff\xd9") > tail.rfind(b"\xff\xda"),
    "image/png": lambda _, tail, __: b"IEND" in tail[-1024:],
    "image/tiff": _tiff_whole,
    "image/heic": _boxes_whole,
}
"""Media type → whether the end is there, by beginning, end and size."""


def _dicom_whole(header: Header, head: bytes, tail: bytes, size: int) -> bool:
    if header.pixels < 0:
        return header.read
    length = int.from_bytes(head[header.pixels - 4 : header.pixels], "little")
    return DELIMITED in tail[-64:] if length == 0xFFFFFFFF else header.pixels + length <= size  # noqa: PLR2004


def _archive(media: str, head: bytes, tail: bytes, size: int) -> Found:
    if head.startswith(OLE):
        return Found(media, ("encrypted",))
    inside = list(islice(entries(head), ENTRIES))
    images = [one.start for one in inside if is_dicom(one.start)]
    end = tail.rfind(END)
    whole = end >= 0 and len(tail) >= end + END_SIZE
    number = int.from_bytes(tail[end + 10 : end + 12], "little") if whole else 0
    if whole:
        length, start = (int.from_bytes(tail[end + n : end + n + 4], "little") for n in (12, 16))
        whole = start + length <= size and head.startswith(LOCAL)
    encrypted = any(one.encrypted for one in inside) or _encrypted_later(tail)
    told = Found(media, (*(("encrypted",) if encrypted else ()), *(() if whole else ("truncated",))), number)
    return replace(told, header=header_of(images[0])) if images and media == SERIES else told


def _encrypted_later(tail: bytes) -> bool:
    """Return whether the table of contents, as far as the end shows it, names an entry that is encrypted."""
    at = tail.find(CENTRAL)
    while at >= 0 and tail[at : at + 4] == CENTRAL:
        if int.from_bytes(tail[at + 8 : at + 10], "little") & 1:
            return True
        at += 46 + sum(int.from_bytes(tail[at + n : at + n + 2], "little") for n in (28, 30, 32))
    return False
