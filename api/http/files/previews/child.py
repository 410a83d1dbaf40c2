"""Renders one file that comes on standard input, in a process that bounds itself before it reads the first byte.

`python -m api.http.files.previews.child picture|text|told MEDIA` answers on standard output: one line of JSON, then the
bytes of a picture. It says what hindered it in one word, never a word of the file.
"""

from __future__ import annotations

import codecs
import json
import resource
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from io import BytesIO
from typing import Any

import pillow_heif
import pypdfium2  # type: ignore[import-untyped] # it has no types
from PIL import Image, ImageOps

from api.http.files.previews.failed import Made, PreviewFailed

MEMORY, SECONDS, MOST = 1024 * 1024 * 1024, 10, 64 * 1024 * 1024
"""Bytes of memory, seconds of work and bytes of a file at most [records.previews]."""
EDGE, PIXELS = 1200, 100_000_000
"""Pixels of the longer edge of a preview; of a whole picture that is still unpacked."""
READ_AT, PAGES, LETTERS = 2400, 5, 20_000
"""Pixels of the longer edge of a page that is read by a machine; pages and characters of a text at most."""
FORMATS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG", "MPO"), "image/png": ("PNG",), "image/tiff": ("TIFF",), "image/heic": ("HEIF",),
}  # fmt: skip
"""Media type → the formats Pillow may try, and no other."""


def bound() -> None:
    """Let this process have so much memory and time, open no file and no line, and leave no core behind.

    What the libraries load only when they need it is loaded first.
    """
    Image.init()
    codecs.lookup("utf_16_le")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def picture(media: str, content: bytes, edge: int = EDGE) -> Made:
    """Make the first page or the picture, no larger than `edge`. Raises PreviewFailed."""
    shown = _page(content, edge) if media == "application/pdf" else _image(media, content, edge)
    out = BytesIO()
    kind = "PNG" if media in ("application/pdf", "image/png") else "JPEG"
    shown.save(out, kind, **({"quality": 80} if kind == "JPEG" else {}))
    return {"media": f"image/{kind.lower()}", "width": shown.width, "height": shown.height}, out.getvalue()


def page_to_read(media: str, content: bytes) -> Made:
    """Make a picture that is large enough for a machine to read. Raises PreviewFailed."""
    return picture(media, content, READ_AT)


def _page(content: bytes, edge: int) -> Image.Image:
    document = _document(content)
    page = document[0]
    longest = max(page.get_size())
    if not 0 < longest < 1e6:  # noqa: PLR2004 - points; a page of 350 m is none
        raise PreviewFailed("broken")
    document.init_forms()
    made: Image.Image = page.render(scale=edge / longest).to_pil()
    return made.convert("RGB")


def _document(content: bytes) -> Any:  # noqa: ANN401 - the library has no types
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise PreviewFailed("encrypted" if "password" in str(error).lower() else "broken") from None
    if not len(document):
        raise PreviewFailed("broken")
    return document


def _image(media: str, content: bytes, edge: int) -> Image.Image:
    with Image.open(BytesIO(content), formats=FORMATS[media]) as file:
        if file.width * file.height > PIXELS:
            raise PreviewFailed("too_large")
        file.draft("RGB", (edge, edge))
        shown: Image.Image = ImageOps.exif_transpose(_plain(file))
        shown.thumbnail((edge, edge))
        return shown


def _plain(file: Image.Image) -> Image.Image:
    """Return it in red, green and blue; what is not opaque lies on white, and deep greys are stretched."""
    if file.mode.startswith(("I", "F")):
        low, high = file.convert("F").getextrema()
        scale = 255 / (high - low) if high > low else 1.0  # type: ignore[operator] # of one band
        return file.convert("F").point(lambda grey: grey * scale - low * scale).convert("RGB")  # type: ignore[operator]
    if file.has_transparency_data:
        over = file.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        ground.alpha_composite(over)
        return ground.convert("RGB")
    return file.convert("RGB")


def text(media: str, content: bytes) -> Made:
    """Read the text of the first pages of a PDF. Raises PreviewFailed."""
    if media != "application/pdf":
        raise PreviewFailed("no_text")
    document, found = _document(content), ""
    for number in range(min(PAGES, len(document))):
        found += document[number].get_textpage().get_text_bounded() + "\n"
        if len(found) >= LETTERS:
            break
    return {"text": found[:LETTERS]}, b""


MAKERS: Mapping[str, Callable[[str, bytes], Made]] = {"picture": picture, "page": page_to_read, "text": text}


def maker_of(what: str) -> Callable[[str, bytes], Made]:
    """Return what makes it; what reads a scanner's header is loaded for that alone, as it is the most there is."""
    if what != "told":
        return MAKERS[what]
    told: Callable[[str, bytes], Made] = import_module("api.http.files.previews.scan_header").told
    return told


def main(what: str, media: str) -> None:
    """Answer for the file on standard input."""
    warnings.simplefilter("ignore")
    pillow_heif.register_heif_opener()
    maker = maker_of(what)
    bound()
    head, made = answered(maker, media, sys.stdin.buffer.read(MOST + 1))
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + made)


def answered(maker: Callable[[str, bytes], Made], media: str, content: bytes) -> Made:
    """Make it, or say in one word why not."""
    if len(content) > MOST:
        return {"failed": "too_large"}, b""
    try:
        return maker(media, content)
    except PreviewFailed as failed:
        return {"failed": str(failed)}, b""
    except (MemoryError, Image.DecompressionBombError):
        return {"failed": "too_large"}, b""
    except Exception:  # noqa: BLE001 - a hostile file may fail in any way; what it says of itself is not repeated
        return {"failed": "broken"}, b""


if __name__ == "__main__":
    main(*sys.argv[1:3])
