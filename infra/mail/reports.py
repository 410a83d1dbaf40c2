"""Reads what a mail server says of a message that came back (RFC 3464, RFC 6533), as such reports really look.

Everything is looked for as text: the library's parser takes two minutes for a header of 40 KiB of semicolons.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from itertools import islice
from quopri import decodestring

NOT_UNDERSTOOD = "not_understood"
"""The code of what came back and says in no known form why: a person reads it."""
PART = re.compile(
    rb"^content-type:[ \t]*(?:\r?\n[ \t]+)?message/(?:global-)?delivery-status\b", re.IGNORECASE | re.MULTILINE
)
REPORTS, LONGEST = 4, 16 * 1024
"""How many reports of a message are read, and how many bytes of each."""
HEAD = 16 * 1024
"""Bytes of a message that are looked through for what is no report."""
LINE = 500
"""Characters of a diagnostic that are kept."""
BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
FIELD = re.compile(rb"^([A-Za-z-]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)
CODE = re.compile(r"(?<![0-9.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
NO_BOUNCE = re.compile(
    rb"^(?:auto-submitted:[ \t]*auto-replied|x-auto(?:reply|respond):|precedence:[ \t]*auto_reply"
    rb"|content-type:[ \t]*(?:\r?\n[ \t]+)?(?:message/disposition-notification|multipart/report[^\n]*disposition))",
    re.IGNORECASE | re.MULTILINE,
)
"""People who are away and read receipts: the message arrived."""


def came_back(raw: bytes) -> tuple[str, str] | None:
    """Return why a message came back for good: a status code of RFC 3463, or NOT_UNDERSTOOD, and the server's words.

    None for what is no such news: a report of a delay or of an arrival, an answer by somebody who is away.
    """
    reports = list(islice(_reports(raw), REPORTS))
    for recipient in (group for report in reports for group in _groups(report)):
        if recipient.get("action", "").lower().split("(")[0].strip() == "failed":
            return _code(recipient.get("status", "")), recipient.get("diagnostic-code", "")[:LINE]
    if any("action" in group for report in reports for group in _groups(report)):
        return None
    top, _, body = _halves(raw[:HEAD])
    head = _groups(top)[0]
    words = " ".join(f"{head.get('subject', '')} {body.decode(errors='replace')}".split())
    if "x-failed-recipients" in head:
        return _code(words), words[:LINE]
    if not raw.strip() or NO_BOUNCE.search(raw[:HEAD]):
        return None
    return NOT_UNDERSTOOD, words[:LINE]


def _code(text: str) -> str:
    found = CODE.search(text)
    return found[0] if found else "5.0.0"


def _reports(raw: bytes) -> Iterator[bytes]:
    """What stands in each part that is a report, however it was packed for the way."""
    for part in PART.finditer(raw):
        begin = raw.rfind(b"\n--", 0, part.start()) + 1
        more = raw[begin : part.end() + LONGEST]
        head, _, body = _halves(more)
        until = body.find(b"\n--")
        packed = _groups(head)[0].get("content-transfer-encoding", "").lower()
        inner = body if until < 0 else body[:until]
        yield _unpacked(inner, packed) if packed in ("base64", "quoted-printable") else more


def _halves(text: bytes) -> tuple[bytes, bytes, bytes]:
    found = BLANK.search(text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, b"", b"")


def _unpacked(body: bytes, packed: str) -> bytes:
    if packed == "quoted-printable":
        return decodestring(body)
    kept = b"".join(body.split())
    try:
        return binascii.a2b_base64(kept[: len(kept) - len(kept) % 4])
    except binascii.Error:
        return b""


def _groups(part: bytes) -> list[dict[str, str]]:
    """The fields of the message and of each recipient, by their names in lower case; values on one line."""
    return [
        {
            name.decode().lower(): " ".join(value.decode(errors="replace").split())
            for name, value in FIELD.findall(group)
        }
        for group in BLANK.split(part)
    ]
