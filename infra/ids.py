"""Fresh random ids that sort by time (UUIDv7, RFC 9562)."""

from __future__ import annotations

from uuid_utils import uuid7


def fresh_id() -> str:
    """Make a new id of 36 characters."""
    return str(uuid7())


def fresh_stream(kind: str) -> str:
    """Return the id of a new stream: `case-…`, `lot-…`."""
    return f"{kind}-{uuid7()}"
