"""Packs evidence packages: the one zip there can be of the parts, stored, sorted, without dates: nothing hides in it.

Nothing is compressed: what it unpacks to is never larger than itself. Whatever is not byte for byte what `pack` makes
(a second name, another order, a gap, something behind the end) is refused before anything in it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from struct import Struct
from zlib import crc32

LARGEST = 256 * 1024 * 1024
"""Bytes of an evidence package."""
MOST = 1_000
"""Parts."""
NAME = re.compile(r"(?:(?:checkpoints|keys)/)?[A-Za-z][A-Za-z0-9_-]{0,63}(?:\.[a-z]{2,5})?")
LOCAL = Struct("<4sHHHHHIIIHH")
CENTRAL = Struct("<4sHHHHHHIIIHHHHHII")
END = Struct("<4sHHHHIIH")
VERSION, UNIX, FIRST_DAY, PLAIN_FILE = 20, 0x0314, 0x21, 0o100644 << 16


class NotAPackage(ValueError):
    """Not the canonical zip of allowed names."""


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Pack parts into one file: the same parts give the same bytes."""
    body, index = bytearray(), bytearray()
    for name, content in sorted(parts.items()):
        encoded, size, check = name.encode("ascii"), len(content), crc32(content)
        index += CENTRAL.pack(
            b"PK\x01\x02", UNIX, VERSION, 0, 0, 0, FIRST_DAY, check, size, size, len(encoded), 0, 0, 0, 0, PLAIN_FILE,
            len(body),
        ) + encoded  # fmt: skip
        body += LOCAL.pack(b"PK\x03\x04", VERSION, 0, 0, 0, FIRST_DAY, check, size, size, len(encoded), 0)
        body += encoded + content
    return bytes(body + index + END.pack(b"PK\x05\x06", 0, 0, len(parts), len(parts), len(index), len(body), 0))


def unpack(data: bytes) -> dict[str, bytes]:
    """Unpack its parts by name. Raises NotAPackage."""
    if len(data) > LARGEST:
        raise NotAPackage("larger than a package may be")
    parts: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04" and len(data) - at >= LOCAL.size:
        size, length = LOCAL.unpack_from(data, at)[8:10]
        start = at + LOCAL.size + length
        name = data[at + LOCAL.size : start].decode("latin-1")
        if name in parts or len(parts) == MOST or not NAME.fullmatch(name):
            raise NotAPackage("a name that is not allowed, or stands there twice")
        parts[name] = data[start : start + size]
        at = start + size
    if pack(parts) != data:
        raise NotAPackage("changed, cut or packed anew: not byte for byte a package")
    return parts
