"""Reads and writes data structures of ISBT 128, one after the other or as a compound message [doses.isbt-128]."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.doses.labelling.scan import Scan, ScanUnreadable


@dataclass(frozen=True, slots=True)
class Structure:
    """One data structure: what stands after its identifier, by pattern, and which field of a scan it tells."""

    number: str
    name: str
    pattern: str
    length: int
    field: str = ""


_FACILITY = "[A-NP-Z1-9][A-NP-Z0-9]{2}[0-9]{2}"
_DAY = "[09][0-9]{2}[0-9]{3}"
STRUCTURES: Mapping[str, Structure] = {
    "=<": Structure("003", "product code", "[A-Z][A-Z0-9]{4}[A-Za-z0-9]{3}", 8, "product_code"),
    "=>": Structure("004", "end of use, day", _DAY, 6, "expires"),
    "&>": Structure("005", "end of use, day and time", f"{_DAY}[0-9]{{4}}", 10, "expires"),
    "=*": Structure("006", "day of collection", _DAY, 6),
    "&*": Structure("007", "day and time of collection", f"{_DAY}[0-9]{{4}}", 10),
    "=}": Structure("008", "day of production", _DAY, 6),
    "&}": Structure("009", "day and time of production", f"{_DAY}[0-9]{{4}}", 10),
    "=%": Structure("002", "blood groups", "[A-Za-z0-9]{4}", 4),
    "&(": Structure("010", "special testing", "[A-Za-z0-9]{5}", 5),
    "=,": Structure("032", "division of a product", "[A-Z0-9]{6}", 6, "division"),
    "&+": Structure("033", "facility that processed it", f"{_FACILITY}[A-Z0-9]{{6}}", 11),
    "=/": Structure("034", "product of a processor", "[A-NP-Z0-9]{5}[A-Z0-9]{6}[A-Z0-9]{5}", 16),
    "&,1": Structure("035", "lot number", "[A-Z0-9]{18}", 18, "lot"),
    "&,2": Structure("036", "supplemental number", "[A-Z0-9]{18}", 18, "supplemental"),
    "&/": Structure("040", "chain of identity", f"CH{_FACILITY}[0-9]{{2}}[A-Z0-9]{{6}}", 15, "chain"),
}
"""What may stand on a label of cells, by its identifier. The donation and patient numbers are read apart."""
_DONATION = re.compile(f"{_FACILITY}[0-9]{{2}}[0-9]{{6}}")
_CHAIN = re.compile(STRUCTURES["&/"].pattern)
LAST_MINUTE = "2359"
_KNOWN: Sequence[str] = sorted(STRUCTURES, key=len, reverse=True)


def starts(text: str) -> bool:
    """Return whether a scan is written by ISBT 128."""
    return text[:1] in ("=", "&") and len(text) > 1


def is_chain(code: str) -> bool:
    """Return whether it is a chain-of-identity number, with or without its identifier."""
    return _CHAIN.fullmatch(code.removeprefix("&/")) is not None


def is_product_code(code: str) -> bool:
    """Return whether it is a product code of eight characters."""
    return re.fullmatch(STRUCTURES["=<"].pattern, code) is not None


def read(text: str) -> Scan:
    """Read one data structure, several, or a compound message with as many as it says. Raises ScanUnreadable."""
    scan = Scan("isbt_128")
    expires: datetime | None = None
    at, found, said = 0, 0, None
    if text.startswith("=+"):
        said, at = _announced(text), 7
    while at < len(text):
        name, value, begins, at = _next(text, at)
        found += 1
        if name == "expires":
            expires = _instant(value, begins)
        elif name:
            _tell(scan.values, name, value, begins)
    if said is not None and found != said:
        raise ScanUnreadable(len(text), f"the message says it has {said} parts, and {found} were read")
    return Scan("isbt_128", scan.values, expires)


def _announced(text: str) -> int:
    if re.fullmatch("[0-9]{5}", text[2:7]) is None:
        raise ScanUnreadable(3, "five digits follow a compound message's sign: how many parts, and which message")
    return int(text[2:4])


def _tell(values: dict[str, str], name: str, value: str, at: int) -> None:
    if values.get(name, value) != value:
        raise ScanUnreadable(at + 1, f"the label says two different things of one: {name}".replace("_", " "))
    values[name] = value


def _next(text: str, at: int) -> tuple[str, str, int, int]:
    """Return the field, its value, where that and the next structure begin; no field where nothing asks for it."""
    if text.startswith("&#", at):
        return _patient(text, at)
    sign = next((one for one in _KNOWN if text.startswith(one, at)), "")
    if not sign and text[at] == "=" and _DONATION.fullmatch(text[at + 1 : at + 14]):
        if re.fullmatch("[0-9A-Z]{2}", text[at + 14 : at + 16]) is None:
            raise ScanUnreadable(at + 15, "two flag characters follow a donation number")
        return "donation", text[at + 1 : at + 14], at + 1, at + 16
    if not sign:
        raise ScanUnreadable(at + 1, f"no data structure begins with {text[at : at + 2]!r}; scan the code again")
    one = STRUCTURES[sign]
    begins = at + len(sign)
    value = text[begins : begins + one.length]
    if re.fullmatch(one.pattern, value) is None:
        raise ScanUnreadable(begins + 1, f"this is no {one.name} (ISBT 128 structure {one.number})")
    bare = value.lstrip("0") if one.field in ("lot", "supplemental") else value
    return one.field, bare, begins, begins + one.length


def _patient(text: str, at: int) -> tuple[str, str, int, int]:
    """Structure 025: two characters say where, two digits how long the number after them is."""
    length = text[at + 4 : at + 6]
    if re.fullmatch("[0-9]{2}", length) is None:
        raise ScanUnreadable(at + 5, "two digits say how long a patient's number is")
    value = text[at + 6 : at + 6 + int(length)]
    if len(value) != int(length) or not value:
        raise ScanUnreadable(at + 7, f"a patient's number of {int(length)} characters is cut off")
    return "patient", value, at + 6, at + 6 + int(length)


def _instant(value: str, at: int) -> datetime:
    """Read century, year and day of the year, with the local time or the end of that day."""
    century = 1900 if value[0] == "9" else 2000
    year, day, clock = century + int(value[1:3]), int(value[3:6]), value[6:10] or LAST_MINUTE
    found = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)
    if not day or found.year != year:
        raise ScanUnreadable(at + 4, f"the year {year} has no day {day}")
    if clock[:2] > LAST_MINUTE[:2] or clock[2:] > LAST_MINUTE[2:]:
        raise ScanUnreadable(at + 7, f"no clock shows {clock[:2]}:{clock[2:]}")
    return found + timedelta(hours=int(clock[:2]), minutes=int(clock[2:]))


def message(parts: Sequence[str]) -> str:
    """Return structures as one compound message."""
    return f"=+{len(parts):02d}000{''.join(parts)}"


def _padded(code: str) -> str:
    return code.rjust(18, "0")


def _at(instant: datetime) -> str:
    return f"0{instant:%y%j%H%M}"


WRITTEN: Mapping[str, Callable[[str], str]] = {
    "donation": lambda code: f"={code}00",
    "product_code": lambda code: f"=<{code}",
    "lot": lambda code: f"&,1{_padded(code)}",
    "supplemental": lambda code: f"&,2{_padded(code)}",
}
"""How each field is written; the flags of a donation number are 00."""


def write(values: Mapping[str, str], expires: datetime) -> str:
    """Return the compound message of a dose's label; `expires` is local where the label is made."""
    return message(
        [*(write_one(values[name]) for name, write_one in WRITTEN.items() if values.get(name)), f"&>{_at(expires)}"]
    )
