"""Pages: an opaque cursor, and the Link header (RFC 8288) that carries the next one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from api.http.problems import Fault, Problem, invalid
from api.ports import Cursor, TaskPlace

MOST = 500
PARTS = 4
"""A list of tasks has: of urgent cases or others, late or not."""


def limited(limit: int) -> int:
    """Return how many rows a page may hold. Raises Problem."""
    if not 1 <= limit <= MOST:
        raise invalid("a page has a size", Fault(f"must be 1 to {MOST}", parameter="limit"))
    return limit


def cursor_of(row: Mapping[str, Any], instant: str = "next_due") -> str:
    """Write where a page of the worklist ended: its last row, in the order of that column."""
    due, pressing = row[instant], bool(row["urgent"] and row["open"])
    return _written(due and due.isoformat(), row["stream"], pressing)


def read_cursor(text: str | None) -> Cursor | None:
    """Raises Problem(400) for what is no cursor of ours."""
    if text is None:
        return None
    try:
        due, stream, pressing = _read(text)
        instant = _instant(due) if due is not None else None
    except (ValueError, TypeError):
        raise _bad() from None
    if not (isinstance(pressing, bool) and _name(stream)):
        raise _bad()
    return instant, stream, pressing


def place_of(row: Mapping[str, Any]) -> str:
    """Write where a page of tasks ended: its last row."""
    at = row["task_late_since"] or row["task_due"]
    return _written(row["part"], at.isoformat(), row["task"])


def read_place(text: str | None) -> TaskPlace | None:
    """Raises Problem(400) for what is no place of ours."""
    if text is None:
        return None
    try:
        part, at, task = _read(text)
        instant = _instant(at)
    except (ValueError, TypeError):
        raise _bad() from None
    if type(part) is not int or not 0 <= part < PARTS or not _name(task):
        raise _bad()
    return part, instant, task


def _written(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad() from None


def _name(given: object) -> bool:
    return isinstance(given, str) and given.isascii() and "\0" not in given


def _instant(written: str) -> datetime:
    """The instant in UTC. Raises ValueError where it has no zone, or lies beyond the years there are."""
    instant = datetime.fromisoformat(written)
    if instant.tzinfo is None:
        raise ValueError("no zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("no year") from None


def _bad() -> Problem:
    return Problem(400, "malformed", "that is no cursor of ours", [Fault("must be a cursor", parameter="after")])


def linked(request: Request, cursor: str | None) -> dict[str, str]:
    """Write the Link header to the next page, if there is one; it is relative, as proxies may have moved us."""
    if cursor is None:
        return {}
    url = request.url.include_query_params(after=cursor)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
