"""Previews are made in a process of its own: of every type, bounded, silent about what stands in the file."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from api.http.files.previews import child
from api.http.files.previews.renderer import AT_ONCE, WAITING, Made, NotShown, Renderer, What
from tests.api.http.files.test_inspection import PAPER, image

pillow_heif.register_heif_opener()
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/tiff": "TIFF", "image/heic": "HEIF"}


def drawn(kind: str, picture: Image.Image | None = None) -> bytes:
    out = BytesIO()
    (picture or Image.linear_gradient("L").resize((1800, 900)).convert("RGB")).save(out, kind)
    return out.getvalue()


def paper(text: str = "", width: float = 595, height: float = 842) -> bytes:
    """A PDF of one page with a line of text."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>".encode(),
        b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    lines = "".join(f"({line}) Tj 0 -24 Td " for line in text.splitlines())
    stream = f"BT /F1 18 Tf 60 780 Td {lines}ET".encode("latin-1")
    objects[3] = b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream)
    made, starts = b"%PDF-1.7\n", list[int]()
    for number, one in enumerate(objects, 1):
        starts.append(len(made))
        made += b"%d 0 obj%s endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % at for at in starts)
    end = b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    return made + b"xref\n0 6\n0000000000 65535 f \n" + table + end


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 64 * 1024):
        yield content[at : at + 64 * 1024]


async def made(what: What, media: str, content: bytes, renderer: Renderer | None = None) -> Made:
    return await (renderer or Renderer()).made(what, media, _parts(content))


@pytest.mark.parametrize("media", FORMATS)
async def test_a_picture_is_made_smaller_and_plain(media: str) -> None:
    shown = await made("picture", media, drawn(FORMATS[media]))
    with Image.open(BytesIO(shown.content)) as picture:
        assert (picture.width, picture.height, picture.mode) == (1200, 600, "RGB")
    assert shown.head["media"] == ("image/png" if media == "image/png" else "image/jpeg")


async def test_of_a_pdf_the_first_page_is_drawn() -> None:
    blank, written = [await made("picture", "application/pdf", paper(text)) for text in ("", "PATHOLOGY")]
    with Image.open(BytesIO(written.content)) as page, Image.open(BytesIO(blank.content)) as empty:
        assert (page.width, page.height) == (848, 1200)
        assert page.getextrema() != empty.getextrema(), "the text is drawn, without a font of the machine"


async def test_what_a_camera_wrote_beside_the_picture_is_left_out() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "RAO ASHA", 6
    out = BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, "JPEG", exif=exif)
    assert b"RAO ASHA" in out.getvalue()
    shown = await made("picture", "image/jpeg", out.getvalue())
    assert b"RAO ASHA" not in shown.content
    with Image.open(BytesIO(shown.content)) as picture:
        assert picture.size == (20, 40), "it stands upright"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16", "F"])
async def test_every_way_to_write_colours_is_shown(mode: str) -> None:
    ramp = Image.linear_gradient("L")
    given = Image.merge("RGBA", [ramp] * 4) if mode == "RGBA" else ramp.convert("F" if mode == "F" else mode)
    shown = await made("picture", "image/tiff", drawn("TIFF", given))
    with Image.open(BytesIO(shown.content)) as picture:
        assert picture.mode == "RGB"
        low, high = picture.convert("L").getextrema()
        assert high - low > 60, "and is no even grey"  # type: ignore[operator] # of one band


async def test_of_a_scanners_image_its_header_is_told() -> None:
    told = dict((await made("told", "application/dicom", image("RAO^ASHA"))).head["told"])
    assert told == {
        "Modality": "CT", "StudyDate": "20260102", "PatientName": "RAO^ASHA", "PatientBirthDate": "20200131",
        "StudyInstanceUID": "1.2.3",
    }  # fmt: skip


@pytest.mark.parametrize(("alphabet", "name"), [("GB18030", "王^小东"), ("ISO_IR 127", "راو"), ("ISO_IR 192", "राव")])
async def test_a_header_is_told_in_its_own_script(alphabet: str, name: str) -> None:
    told = dict((await made("told", "application/dicom", image(name, alphabet=alphabet))).head["told"])
    assert told["PatientName"] == name


def bomb(side: int) -> bytes:
    """A PNG of a few KiB that claims and holds that many pixels in the square."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = zlib.compressobj(9)
    data = b"".join(row.compress(bytes(side // 8 + 1)) for _ in range(min(side, 1000))) + row.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


@pytest.mark.parametrize(
    ("what", "media", "content", "why"),
    [
        ("picture", "image/png", bomb(60_000), "too_large"),
        ("picture", "image/jpeg", bytes(child.MOST + 1), "too_large"),
        ("picture", "application/pdf", b"%PDF-1.7\nnothing", "broken"),
        ("picture", "image/jpeg", b"\xff\xd8\xff" + b"j" * 4000, "broken"),
        ("picture", "image/png", drawn("JPEG"), "broken"),
        ("told", "application/dicom", b"x" * 4000, "broken"),
        ("text", "image/png", drawn("PNG"), "no_text"),
    ],
)
async def test_what_cannot_be_shown_is_said_in_one_word(what: What, media: str, content: bytes, why: str) -> None:
    with pytest.raises(NotShown) as no:
        await made(what, media, content)
    assert no.value.why == why


async def test_a_file_under_a_password_is_said_to_be() -> None:
    with pytest.raises(NotShown, match="encrypted"):
        await made("picture", "application/pdf", LOCKED)


LOCKED = PAPER.replace(
    b"trailer<</Root 1 0 R>>",
    b"2 0 obj<</Filter/Standard/V 1/R 2/O<" + b"28" * 32 + b">/U<" + b"29" * 32 + b">/P -4>>endobj\n"
    b"trailer<</Root 1 0 R/Encrypt 2 0 R/ID[<00><00>]>>",
)  # fmt: skip


async def test_a_child_that_is_late_is_ended_and_the_next_one_serves() -> None:
    with pytest.raises(NotShown, match="too_long"):
        await made("picture", "image/png", drawn("PNG"), Renderer(late=0.0))
    assert (await made("picture", "image/png", drawn("PNG"))).content


async def test_a_line_that_breaks_while_it_is_read_is_no_picture() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield drawn("PNG")[:1000]
        raise ConnectionError("gone")

    renderer = Renderer()
    with pytest.raises(ConnectionError):
        await renderer.made("picture", "image/png", broken())
    assert (await made("picture", "image/png", drawn("PNG"), renderer)).content


async def test_no_more_wait_than_there_is_room_for() -> None:
    renderer, stay = Renderer(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await stay.wait()
        yield drawn("PNG", Image.new("L", (8, 8)))

    waits = [asyncio.create_task(renderer.made("picture", "image/png", slow())) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(NotShown, match="busy"):
        await made("picture", "image/png", drawn("PNG"), renderer)
    for one in waits:
        one.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert (await made("picture", "image/png", drawn("PNG"), renderer)).content, "whoever went away holds no place"


@pytest.mark.parametrize(
    ("does", "ends"),
    [
        ("bytearray(2 << 30)", "MemoryError"),
        ("open('/etc/hostname')", "Too many open files"),
        ("__import__('socket').socket()", "Too many open files"),
        ("None", ""),
    ],
)
def test_a_bounded_child_has_little_memory_and_opens_nothing(does: str, ends: str) -> None:
    code = f"import socket\nfrom {child.__name__} import bound\nbound()\n{does}\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is (ends == "")
    assert ends in done.stderr


async def test_the_text_of_a_pdf_is_read() -> None:
    assert (
        "Histopathology report" in (await made("text", "application/pdf", paper("Histopathology report"))).head["text"]
    )
