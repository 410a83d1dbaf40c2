"""The bytes of docs/ledger-format.md in Python; sql/hash.sql holds the same for the database."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from infra.ledger.encoding.stored import Stored

FORMAT = 1
START = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SALT = 16


def integer(number: int) -> bytes:
    """8 bytes, big-endian, signed."""
    return number.to_bytes(8, "big", signed=True)


def text(value: str) -> bytes:
    """Length and UTF-8 bytes."""
    encoded = value.encode()
    return integer(len(encoded)) + encoded


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def moment(instant: datetime | None) -> bytes:
    """Present or absent, then microseconds."""
    return b"\x00" + integer(0) if instant is None else b"\x01" + integer(micros(instant))


def part_digest(salt: bytes, content: str) -> bytes:
    """D(part)."""
    return sha256(salt + content.encode()).digest()


def header(event: Stored) -> bytes:
    """Everything that is hashed in the clear."""
    return b"".join(
        (
            integer(FORMAT),
            text(event.stream),
            integer(event.version),
            text(event.id),
            text(event.type),
            integer(event.schema_version),
            moment(event.occurred.earliest),
            moment(event.occurred.latest),
            text(event.occurred.precision),
            integer(micros(event.recorded_at)),
        )
    )


def digests(event: Stored) -> tuple[bytes, bytes, bytes]:
    """D of data, sealed and meta."""
    salts = event.salts
    return (
        part_digest(salts[:SALT], event.data),
        part_digest(salts[SALT : 2 * SALT], event.sealed),
        part_digest(salts[2 * SALT :], event.meta),
    )


def leaf_input(previous: bytes, event: Stored) -> bytes:
    """What follows the 0x00: the leaf input of RFC 6962."""
    return b"".join((previous, header(event), *digests(event)))


def event_hash(previous: bytes, event: Stored) -> bytes:
    """Chain link and Merkle leaf; `previous` is START at version 1."""
    return sha256(b"\x00" + leaf_input(previous, event)).digest()
