"""Tells a file's type by its first bytes and structure, whatever its name or sender says [records.types]."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DICOM, SERIES, PDF = "application/dicom", "application/zip", "application/pdf"
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
OLE, ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "EncryptedPackage".encode("utf-16-le")
LOCAL = b"PK\x03\x04"
PDF_MARK, PDF_WITHIN = b"%PDF-", 1024
PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
UNHEADED = (b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x05\0", b"\x08\0\x08\0")
"""First elements of an image of a scanner that begins at once."""
ENTRIES, INFLATED, PREAMBLE = 200, 64 * 1024, 132
"""Entries looked at in an archive; bytes unpacked of each; where the mark of a DICOM file ends."""


@dataclass(frozen=True, slots=True)
class FileType:
    """A type that is taken: how its files end, and what their beginning looks like."""

    ending: str
    begins: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file in an archive, as its local header tells it; `start` is as much of its content as was looked at."""

    name: str
    encrypted: bool
    start: bytes


def _starts(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks)


def entries(head: bytes) -> Iterator[ArchiveMember]:
    """Yield the entries of an archive whose local headers lie in its first bytes, in their order."""
    at = 0
    while head[at : at + 4] == LOCAL and len(head) >= at + 30:
        flags, method = (int.from_bytes(head[at + n : at + n + 2], "little") for n in (6, 8))
        size = int.from_bytes(head[at + 18 : at + 22], "little")
        named, more = (int.from_bytes(head[at + n : at + n + 2], "little") for n in (26, 28))
        begins = at + 30 + named + more
        name = head[at + 30 : at + 30 + named].decode("utf-8", "replace")
        yield ArchiveMember(name, bool(flags & 1), _unpacked(head[begins : begins + INFLATED], method, size))
        if flags & 8:  # its size stands behind it; the next header is looked for
            begins, size = head.find(LOCAL, begins), 0
            if begins < 0:
                return
        at = begins + size


def _unpacked(start: bytes, method: int, size: int) -> bytes:
    """Return the first bytes of an entry that is stored or deflated; a bomb is not blown up."""
    if method == 0:
        return start[:size] if size else start
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(start, INFLATED) if method == zlib.DEFLATED else b""
    except zlib.error:
        return b""


def _is_docx(head: bytes) -> bool:
    if head.startswith(OLE):
        return ENCRYPTED in head
    names = [one.name for one in islice(entries(head), ENTRIES)]
    return bool(names) and any(name.startswith("word/") for name in names)


def _is_pdf(head: bytes) -> bool:
    """A header somewhere in the first kibibyte, as readers of PDF look for it, after what printers and mailers add."""
    return PDF_MARK in head[: PDF_WITHIN + len(PDF_MARK)] and not head.lstrip().startswith(tuple(NOT_TAKEN))


def is_dicom(start: bytes) -> bool:
    """Return whether a file begins as DICOM Part 10 says, and is no program beside."""
    return start[128:PREAMBLE] == b"DICM" and not start.startswith(PROGRAMS)


def _is_series(head: bytes) -> bool:
    """An archive in which an image of a scanner lies, before any other file but its table of contents."""
    files = (one for one in islice(entries(head), ENTRIES) if one.start or one.encrypted)
    return any(is_dicom(one.start) for one in islice(files, 20))


TYPES: Mapping[str, FileType] = {
    "image/jpeg": FileType("jpg", _starts(b"\xff\xd8\xff")),
    "image/png": FileType("png", _starts(b"\x89PNG\r\n\x1a\n")),
    "image/heic": FileType("heic", lambda head: head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS),
    DICOM: FileType("dcm", is_dicom),
    "image/tiff": FileType("tif", _starts(b"II*\0", b"MM\0*")),
    DOCX: FileType("docx", _is_docx),
    SERIES: FileType("zip", _is_series),
    PDF: FileType("pdf", _is_pdf),
}
"""What is taken: media type → ending and beginning, in the order they are tried."""
CALLED: Mapping[str, str] = {
    "image/jpg": "image/jpeg",
    "image/heif": "image/heic",
    "application/x-zip-compressed": SERIES,
    "application/dicom+zip": SERIES,
}
"""Other names under which senders know the same types."""
UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""What a sender says who does not know; the file tells."""
NOT_TAKEN: Mapping[bytes, str] = {
    OLE: "an Office file of before 2007",
    LOCAL: "an archive without DICOM images",
    b"PK": "an archive without files",
    b"Rar!": "an archive of a kind that is not taken",
    b"7z\xbc\xaf": "an archive of a kind that is not taken",
    b"GIF8": "a GIF",
    b"RIFF": "a WebP or a film",
    **dict.fromkeys(PROGRAMS, "a program"),
    b"II+\0": "a BigTIFF: save it as TIFF",
    b"MM\0+": "a BigTIFF: save it as TIFF",
    **dict.fromkeys(UNHEADED, "DICOM without its preamble: export it as DICOM Part 10"),
    b"{\\rtf": "rich text",
    b"<": "a page of markup",
}
"""Beginnings of what people send by mistake, in words."""


def type_of(head: bytes) -> str:
    """Return the media type of a file by its first bytes; empty where it is none that is taken."""
    return next((media for media, known in TYPES.items() if known.begins(head)), "")


def words_of(head: bytes) -> str:
    """Say what a file that is not taken seems to be."""
    if not head:
        return "empty"
    return next((words for start, words in NOT_TAKEN.items() if head.lstrip()[:8].startswith(start)), "something else")
