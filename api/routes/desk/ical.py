"""Writes events as iCalendar (RFC 5545): lines of at most 75 octets that end in CRLF, texts escaped, times in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WIDTH = 75
"""Octets of a line at most, without its end."""
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One thing with an instant; `uid` stays the same for as long as it is the same thing."""

    uid: str
    at: datetime
    summary: str


def calendar(name: str, events: Iterable[CalendarEvent], now: datetime) -> str:
    """Return a whole calendar of these events, made at that instant."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Caravel//Tasks//EN", f"X-WR-CALNAME:{_text(name)}"]
    lines = [*head, *(line for one in events for line in _event(one, now)), "END:VCALENDAR"]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(one: CalendarEvent, now: datetime) -> Sequence[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{_text(one.uid)}@caravel",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(one.at)}",
        f"SUMMARY:{_text(one.summary)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _text(value: str) -> str:
    return value.translate(ESCAPED)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> Iterable[str]:
    """Break a line where it is too long, between characters; what goes on begins with a space."""
    part, width = "", 0
    for character in line:
        size = len(character.encode())
        if width + size > WIDTH:
            yield part
            part, width = " ", 1
        part, width = part + character, width + size
    yield part
