"""The bytes of docs/ledger-format.md in Python: every hash of an event that this program computes is computed here.

sql/hash.sql holds the same for the database, and verify.py of an evidence package for strangers: both on purpose apart.
"""

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from struct import Struct

from infra.ledger.encoding.stored import Stored

FORMAT = 1
START = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SALT = 16
_THIRD = 2 * SALT
_int = Struct(">q").pack
_two = Struct(">qq").pack


def integer(number: int) -> bytes:
    """8 bytes, big-endian, signed. Raises OverflowError."""
    return number.to_bytes(8, "big", signed=True)


def text(value: str) -> bytes:
    """Write a text as its length and UTF-8 bytes."""
    encoded = value.encode()
    return _int(len(encoded)) + encoded


_FORMAT, _ABSENT, _INSTANT = integer(FORMAT), b"\x00" + integer(0), text("instant")
_then = Struct(f">BqBq{len(_INSTANT)}sq").pack


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def micros_or_none(instant: datetime | None) -> int | None:
    """Return an instant in microseconds; None where it is unknown."""
    return None if instant is None else micros(instant)


@lru_cache(1024)
def _stream(name: str) -> bytes:
    """Of words that come again and again."""
    return _FORMAT + text(name)


@lru_cache(1024)
def _shape(kind: str, schema: int) -> bytes:
    return text(kind) + _int(schema)


def _dates(earliest: int | None, latest: int | None, precision: str, recorded: int) -> bytes:
    if earliest == latest == recorded and precision == "instant":
        return _then(1, recorded, 1, recorded, _INSTANT, recorded)
    first = _ABSENT if earliest is None else b"\x01" + _int(earliest)
    last = _ABSENT if latest is None else b"\x01" + _int(latest)
    return b"".join((first, last, text(precision), _int(recorded)))


def header(
    stream: str, version: int, event: str, kind: str, schema: int, earliest: int | None, latest: int | None,
    precision: str, recorded: int,
) -> bytes:  # fmt: skip
    """Return all that is hashed in the clear; instants as microseconds. Raises OverflowError for what does not fit."""
    name = event.encode()
    try:
        dates = _dates(earliest, latest, precision, recorded)
        return b"".join((_stream(stream), _two(version, len(name)), name, _shape(kind, schema), dates))
    except struct.error:
        raise OverflowError("an integer of more than 8 bytes") from None


def part_digest(salt: bytes, content: bytes) -> bytes:
    """Compute D(part), the salted digest of one part of an event."""
    return sha256(salt + content).digest()


def part_digests(salts: bytes, data: bytes, sealed: bytes, meta: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the salted SHA-256 of data, sealed and meta: D of docs/ledger-format.md."""
    return (
        sha256(salts[:SALT] + data).digest(),
        sha256(salts[SALT:_THIRD] + sealed).digest(),
        sha256(salts[_THIRD:] + meta).digest(),
    )


def leaf_hash(previous: bytes, clear: bytes, digests: tuple[bytes, bytes, bytes]) -> bytes:
    """Chain link and Merkle leaf from the link before (START at version 1), the header and D of the parts."""
    return sha256(b"".join((b"\x00", previous, clear, *digests))).digest()


def header_of(event: Stored) -> bytes:
    """Return the header of a stored event."""
    when = event.occurred
    return header(
        event.stream, event.version, event.id, event.type, event.schema_version, micros_or_none(when.earliest),
        micros_or_none(when.latest), when.precision, micros(event.recorded_at),
    )  # fmt: skip


def digests_of(event: Stored) -> tuple[bytes, bytes, bytes]:
    """Return d of a stored event's parts."""
    return part_digests(event.salts, event.data.encode(), event.sealed.encode(), event.meta.encode())


def event_hash(previous: bytes, event: Stored) -> bytes:
    """Chain link and Merkle leaf of a stored event."""
    return leaf_hash(previous, header_of(event), digests_of(event))
