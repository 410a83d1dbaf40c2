"""Reads element strings of GS1 as a scanner types them or as they are printed in brackets [doses.gs1]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.doses.labelling.scan import Scan, ScanUnreadable

SEPARATORS = "\x1d|~^"
"""What scanners type for FNC1, where an element of variable length ends; browsers take no control character typed."""
SYMBOLS = ("]d2", "]C1", "]Q3", "]e0")
"""What scanners put before a GS1 code, each for one kind of symbol."""


@dataclass(frozen=True, slots=True)
class Element:
    """One application identifier: the pattern of its value, whether its length is fixed, the field it tells."""

    pattern: str
    fixed: int = 0
    field: str = ""


_TEXT = r"[!-\"%-?A-Z_a-z]"
ELEMENTS: Mapping[str, Element] = {
    "00": Element("[0-9]{18}", 18),
    "01": Element("[0-9]{14}", 14, "gtin"),
    "02": Element("[0-9]{14}", 14),
    "10": Element(f"{_TEXT}{{1,20}}", 0, "lot"),
    "11": Element("[0-9]{6}", 6),
    "13": Element("[0-9]{6}", 6),
    "17": Element("[0-9]{6}", 6, "expires"),
    "20": Element("[0-9]{2}", 2),
    "21": Element(f"{_TEXT}{{1,20}}", 0, "serial"),
    "240": Element(f"{_TEXT}{{1,30}}"),
    "7003": Element("[0-9]{10}", 0, "expires"),
    "8018": Element("[0-9]{18}", 0, "patient"),
}
"""What may stand on a label of cells or on a wristband (8018, the relation of a patient to a hospital)."""
_BRACKETS = re.compile(r"\(([0-9]{2,4})\)")


def starts(text: str) -> bool:
    """Return whether a scan is written by GS1: a symbol's sign, FNC1, a number in brackets, or a trade item number."""
    if text.startswith((*SYMBOLS, *SEPARATORS)) or _BRACKETS.match(text):
        return True
    return re.match("01[0-9]{14}", text) is not None and check_digit(text[2:15]) == text[15]


def check_digit(digits: str) -> str:
    """Return the check digit of a GS1 number, by weights 3 and 1 from the right."""
    sum_ = sum(int(one) * (3 if n % 2 == 0 else 1) for n, one in enumerate(reversed(digits)))
    return str(-sum_ % 10)


def read(text: str) -> Scan:
    """Read every element. Raises ScanUnreadable."""
    begin = next((len(sign) for sign in SYMBOLS if text.startswith(sign)), 0)
    values: dict[str, str] = {}
    expires: datetime | None = None
    at = begin
    while at < len(text):
        if text[at] in SEPARATORS:
            at += 1
            continue
        number, begins = _identifier(text, at)
        value = _value(text, number, begins)
        _checked(number, value, begins)
        match ELEMENTS[number].field:
            case "expires":
                expires = _instant(value, begins)
            case "":
                pass
            case name:
                if values.get(name, value) != value:
                    raise ScanUnreadable(begins + 1, f"the label says two different things of one: {name}")
                values[name] = value
        at = begins + len(value)
    if not values:
        raise ScanUnreadable(len(text) or 1, "nothing was read that names a unit or a patient")
    return Scan("gs1", values, expires)


def _identifier(text: str, at: int) -> tuple[str, int]:
    if bracketed := _BRACKETS.match(text, at):
        number, begins = bracketed.group(1), bracketed.end()
    else:
        number = next((text[at : at + n] for n in (4, 3, 2) if text[at : at + n] in ELEMENTS), text[at : at + 2])
        begins = at + len(number)
    if number not in ELEMENTS:
        raise ScanUnreadable(at + 1, f"no element of a label of cells has the number {number!r}; scan the code again")
    return number, begins


def _value(text: str, number: str, begins: int) -> str:
    """A fixed length is cut off, another goes on to the separator, the next bracketed number, or the end."""
    if fixed := ELEMENTS[number].fixed:
        return text[begins : begins + fixed]
    following = _BRACKETS.search(text, begins) if _BRACKETS.match(text) else None
    stops = [text.find(one, begins) for one in SEPARATORS] + ([following.start()] if following else [])
    return text[begins : min((stop for stop in stops if stop >= 0), default=len(text))]


def _checked(number: str, value: str, begins: int) -> None:
    if re.fullmatch(ELEMENTS[number].pattern, value) is None:
        raise ScanUnreadable(begins + 1, f"this is no value of element ({number})")
    if number in ("00", "01", "02", "8018") and check_digit(value[:-1]) != value[-1]:
        raise ScanUnreadable(
            begins + len(value), f"the check digit of element ({number}) is wrong; scan the code again"
        )


def _instant(value: str, at: int) -> datetime:
    """Read year, month and day, 00 = the last of the month; with an hour and a minute, or the end of that day."""
    year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:6])
    try:
        first = datetime(year, month, day or 1, tzinfo=UTC)
        last = first if day else (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return last.replace(hour=int(value[6:8] or 23), minute=int(value[8:10] or 59))
    except ValueError:
        raise ScanUnreadable(at + 1, f"no calendar has the day {value}") from None
