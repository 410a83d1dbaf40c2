"""What a file is by its content: types, lies, passwords, cut ends, and whose name is in an image."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from api.http.files.dicom import Header, compared, header_of
from api.http.files.file_types import DICOM, DOCX, PDF, SERIES, TYPES, type_of, words_of
from api.http.files.inspection import HEAD, TAIL, Found, Inspection, found
from tests.drawing import draws


def image(name: str = "RAO^ASHA", pixels: int = 4096, birth: str = "20200131", alphabet: str = "") -> bytes:
    """A small CT slice."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    told = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    if alphabet:
        told.SpecificCharacterSet = alphabet
    told.PatientName, told.PatientBirthDate, told.Modality, told.StudyDate = name, birth, "CT", "20260102"
    told.StudyInstanceUID, told.PixelData = "1.2.3", bytes(pixels)
    told["PixelData"].VR = "OW"
    file = io.BytesIO()
    told.save_as(file, enforce_file_format=True)
    return file.getvalue()


def archive(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return made.getvalue()


def locked(content: bytes) -> bytes:
    """The same archive as a packer with a password marks it."""
    bits = bytearray(content)
    for mark, where in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = bits.find(mark)
        while at >= 0:
            bits[at + where] |= 1
            at = bits.find(mark, at + 4)
    return bytes(bits)


PAPER = b"%PDF-1.7\n1 0 obj<</Type/Page>>endobj\n" + b"x" * 5000 + b"\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
PHOTO = b"\xff\xd8\xff\xe0" + b"j" * 5000 + b"\xff\xda" + b"s" * 5000 + b"\xff\xd9"
DRAWING = b"\x89PNG\r\n\x1a\n" + b"p" * 5000 + b"\0\0\0\0IEND\xaeB`\x82"
PHONE = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\x10\x00mdat" + bytes(4096 - 8)
FAX = b"II*\0" + (5000).to_bytes(4, "little") + b"t" * 5000
WORD = archive(**{"[Content_Types]_xml": b"<x/>", "word__document_xml": b"<w/>" * 900})
SCANS = archive(DICOMDIR=b"table", one=image(), two=image())
WHOLE = {
    PDF: PAPER, "image/jpeg": PHOTO, "image/png": DRAWING, "image/heic": PHONE, "image/tiff": FAX, DICOM: image(),
    DOCX: WORD, SERIES: SCANS,
}  # fmt: skip


def look(content: bytes, media: str = "") -> Found:
    return found(media or type_of(content[:HEAD]), content[:HEAD], content[-TAIL:], len(content))


@pytest.mark.parametrize("media", TYPES)
def test_a_whole_file_is_of_its_type_and_a_cut_one_is_noticed(media: str) -> None:
    content = WHOLE[media]
    assert look(content).media == media
    assert look(content).troubles == ()
    cut = look(content[: len(content) * 2 // 3])
    assert (cut.media, cut.troubles) == (media, ("truncated",))


@pytest.mark.parametrize(
    "content",
    [
        PAPER.replace(b"trailer<<", b"trailer<</Encrypt 7 0 R"),
        locked(WORD),
        locked(SCANS),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le") + bytes(500),
    ],
    ids=["pdf", "docx", "series", "docx under a password"],
)
def test_a_password_is_noticed(content: bytes) -> None:
    if type_of(content) == "":
        pytest.fail("the type of a locked file is still told")
    assert "encrypted" in look(content).troubles


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html>", "a page of markup"),
        (archive(readme=b"nothing to see"), "an archive without DICOM images"),
        (archive(), "an archive without files"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900), "an Office file of before 2007"),
        (b"GIF89a", "a GIF"),
        (b"plain words", "something else"),
        (b"II+\0" + bytes(500), "a BigTIFF: save it as TIFF"),
        (image()[132:], "DICOM without its preamble: export it as DICOM Part 10"),
        (b"MZ" + image()[2:], "a program"),
        (b"MZ" + PAPER, "a program"),
        (b"<html>" + PAPER, "a page of markup"),
        (bytes(1025) + PAPER, "something else"),
    ],
)
def test_what_is_not_taken_is_called_by_what_it_is(content: bytes, words: str) -> None:
    assert type_of(content) == ""
    assert words_of(content) == words


PJL = b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n"


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", PJL, bytes(200), b"\n\n", bytes(1024)])
def test_what_printers_and_mailers_put_before_a_pdf_changes_nothing(before: bytes) -> None:
    assert (look(before + PAPER).media, look(before + PAPER).troubles) == (PDF, ())


def test_an_archive_with_a_pdf_in_it_is_no_pdf() -> None:
    assert type_of(archive(paper_pdf=PAPER)) == ""


def test_a_header_is_read_without_pixels() -> None:
    head = header_of(image(pixels=600_000)[:HEAD])
    assert (head.name, head.birth, head.modality, head.taken, head.study) == (
        "RAO^ASHA", "20200131", "CT", "20260102", "1.2.3",
    )  # fmt: skip
    series = look(SCANS)
    assert (series.files, series.header.modality) == (3, "CT")
    assert header_of(zlib.compress(image())) == Header()


SILENT = "import sys; from api.http.files.dicom import header_of; print(header_of(sys.stdin.buffer.read()).modality)"


def test_nothing_of_a_header_is_quoted_where_it_cannot_be_understood() -> None:
    """In a process of its own, as pytest has its own way with warnings: a name where the character set belongs."""
    told = image("M\xdcLLER^ASHA", alphabet="ISO_IR 192").replace(b"ISO_IR 192", b"WILHELMINA")
    assert b"WILHELMINA" in told
    run = subprocess.run([sys.executable, "-c", SILENT], input=told, capture_output=True, check=True)
    assert (run.stdout, run.stderr) == (b"CT\n", b"")


@pytest.mark.parametrize(
    ("name", "birth", "patient", "born", "says"),
    [
        ("RAO^ASHA", "20200131", "Asha Rao", "2020-01-31", "same"),
        ("RAO^ASHA", "", "Ásha  K. Rao", "2020", "same"),
        ("RAO^ASHA=王^芳", "", "王 芳", "", "same"),
        ("RAO^ASHA=王^芳", "", "王芳", "", "same"),
        ("RAO^ASHA=王^芳", "", "李芳", "", "other"),
        ("RAO^BINA", "", "Asha Rao", "", "other"),
        ("RAO^ASHA", "20200131", "Asha Rao", "2020-02-01", "other"),
        ("RAO^ASHA", "", "王芳", "", "unknown"),
        ("王^芳", "", "Wang Fang", "", "unknown"),
        ("", "", "Asha Rao", "", "unknown"),
        ("RAO^ASHA", "", None, None, "unknown"),
    ],
)
def test_the_name_is_compared_with_the_patients(
    name: str, birth: str, patient: str | None, born: str | None, says: str
) -> None:
    assert compared(Header(name, birth, read=True), patient, born) == says
    assert compared(Header(name, birth), patient, born) == ""


async def parts(content: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


@pytest.mark.parametrize("size", [1000, HEAD, 3 * HEAD])
async def test_what_streams_past_comes_out_as_it_went_in(size: int) -> None:
    content = PAPER[:40] + b"y" * (2 * HEAD + 77) + PAPER[-40:]
    looked = Inspection(parts(content, size))
    assert await looked.begin() == PDF
    assert b"".join([part async for part in looked.content()]) == content
    assert (await looked.found()).troubles == ()
    assert len(looked._head) <= HEAD
    assert sum(map(len, looked._ends)) < TAIL + max(len(part) for part in looked._ends)


MAKERS: list[Callable[[bytes], bytes]] = [lambda junk, w=whole: w[: len(w) // 2] + junk for whole in WHOLE.values()]  # type: ignore[misc]


@draws(150)
@given(st.sampled_from(MAKERS), st.binary(max_size=300), st.integers(0, 4000))
def test_no_hostile_file_harms(make: Callable[[bytes], bytes], junk: bytes, cut: int) -> None:
    """Whatever stands in it, an answer comes and nothing is raised."""
    content = make(junk)[: 40 + cut] + junk
    for media in (type_of(content), *TYPES):
        if media:
            assert set(look(content, media).troubles) <= {"encrypted", "truncated"}
