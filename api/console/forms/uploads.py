"""Documents from a form: multipart read as it comes in, so that a file is never kept anywhere in clear."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from api.http.limits import stream_body, too_large
from api.http.problems import Fault, Problem, invalid
from api.http.strangers.header_values import parameters

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

AROUND = 16 * 1024
"""Bytes a form may have around its file."""
MOST = 200
"""Fields of a form at most."""
LATIN = "latin-1"
"""How a header's bytes become text one by one; the names of fields and files in it are UTF-8."""
FILE, ASIDE = "file", "aside"
"""Names of inputs: the file, and what stands for one that was sent with an earlier try."""
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form with its file: `pairs` stand before it, `content` is read as it comes in."""

    pairs: Pairs
    name: str
    media: str
    content: AsyncIterator[bytes]

    async def rest(self) -> None:
        """Let the browser finish sending, or it shows a broken line instead of our answer."""
        with suppress(Problem):
            async for _ in self.content:
                pass


async def upload(request: Request, most: int) -> UploadForm:
    """Read what was sent, up to the first bytes of the file. Raises Problem."""
    form = Multipart(request.headers.get("content-type", ""))
    content = form.read(stream_body(request, most + AROUND))
    first = await anext(content, b"")
    return UploadForm(form.pairs, form.filename, form.media, _whole(first, content))


def no_file(pairs: Sequence[tuple[str, str]] | None) -> UploadForm:
    """Return a form that came without one."""
    given = pairs if isinstance(pairs, list) else list(pairs or ())
    return UploadForm(given, "", "", _nothing())


async def _nothing() -> AsyncIterator[bytes]:
    for part in list[bytes]():
        yield part


def is_upload(request: Request) -> bool:
    """Return whether a form with a file was sent."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def _whole(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


@dataclass
class Multipart:
    """A form whose last part is its file: `pairs`, `filename` and `media` are known once its first bytes are."""

    content_type: str
    pairs: Pairs = field(default_factory=list)
    filename: str = ""
    media: str = ""

    def __post_init__(self) -> None:
        self._head, self._name, self._value, self._around = dict[str, str](), "", b"", 0
        self._header, self._text, self._out = b"", b"", list[bytes]()
        kind, given = parameters(self.content_type)
        if kind != "multipart/form-data" or not given.get("boundary"):
            raise _no_form()
        try:
            self._parser = MultipartParser(given["boundary"].encode(LATIN), self._callbacks())
        except (FormParserError, UnicodeEncodeError):
            raise _no_form() from None

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_name,
            "on_header_value": self._on_text,
            "on_header_end": self._on_header,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
        }

    async def read(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the file, as it comes in. Raises Problem."""
        async for chunk in body:
            try:
                self._parser.write(chunk)
            except (FormParserError, UnicodeDecodeError):
                raise invalid(
                    "this form cannot be read", Fault("is no form with a file", header="Content-Type")
                ) from None
            for part in self._out:
                yield part
            self._out.clear()

    def _begin(self) -> None:
        self._head, self._name, self._value = {}, "", b""
        if len(self.pairs) >= MOST:
            raise invalid(f"a form holds at most {MOST} fields")

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header += data[start:end]

    def _on_text(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._text += data[start:end]

    def _count(self, size: int) -> None:
        """Add to what stands around the file. Raises Problem(413) where it is too much."""
        self._around += size
        if self._around > AROUND:
            raise too_large(AROUND)

    def _on_header(self) -> None:
        self._head.setdefault(self._header.decode(LATIN).lower(), self._text.decode(LATIN))
        self._header = self._text = b""

    def _on_headers(self) -> None:
        _, given = parameters(self._head.get("content-disposition", ""))
        self._name = _utf_8(given.get("name", ""))
        if self._name == FILE:
            self.filename = _utf_8(given.get("filename", ""))
            self.media, _ = parameters(self._head.get("content-type", "text/plain"))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE:
            self._out.append(data[start:end])
        else:
            self._count(end - start)
            self._value += data[start:end]

    def _end(self) -> None:
        if self._name != FILE:
            self.pairs.append((self._name, self._value.decode("utf-8", "replace")))


def _utf_8(text: str) -> str:
    return text.encode(LATIN, "replace").decode("utf-8", "replace")


def _no_form() -> Problem:
    fault = Fault("must be multipart/form-data with a boundary", header="Content-Type")
    return Problem(415, "unsupported_media_type", "a form with a file is multipart/form-data", [fault])
