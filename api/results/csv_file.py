"""A laboratory's CSV as results, by a mapping of its columns; each fault names line, column and reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from api.results.reading import Read, Unusable, WrongResult
from domain.core.codes import require_zone
from domain.core.errors import Refused
from domain.core.when import When
from domain.criteria.analytes import ANALYTES
from domain.criteria.loinc import ANALYTE_OF
from domain.stages.records.results import MOST, Result

TEXTS = ("analyte", "value", "unit", "limit", "limit_unit", "target", "method", "specimen", "laboratory", "item")
FIELDS = (*TEXTS, "occurred", "supported")
NEEDED = ("analyte", "occurred")
YES = ("yes", "y", "true", "1", "x")
NO = ("", "no", "n", "false", "0", "-")
YEAR = ("%Y", "%y", "%G", "%c", "%x")
OTHERS = {";": "a semicolon", "\t": "a tab", ",": "a comma", "|": "a bar"}
"""What else parts columns."""
NUMBERS = ("value", "limit")
LONGEST = 200
"""Characters of a cell that is still read."""


class ColumnMapping(BaseModel):
    """Says which column feeds which field; a field that is not named is fed by the column of its own name.

    `analytes`: what the laboratory calls things → our codes. `dates`: how days are written (strptime), empty =
    ISO 8601. `zone`: where the clock hangs by which times without a zone were written. `always`: what every line has.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    columns: dict[str, str] = {}
    analytes: dict[str, str] = {}
    always: dict[str, str] = {}
    dates: str = ""
    zone: str = ""
    decimal: str = "."
    delimiter: str = ","


def mapping_of(text: str) -> ColumnMapping:
    """Return the mapping that a JSON text says; an empty one for no text. Raises Unusable."""
    try:
        mapping = ColumnMapping.model_validate_json(text or "{}")
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors(include_url=False)]
        raise Unusable("the mapping cannot be read: " + "; ".join(lines)) from None
    unknown = sorted((set(mapping.columns) | set(mapping.always)) - set(FIELDS))
    if unknown:
        raise Unusable(f"the mapping names fields there are not: {', '.join(unknown)}; known are {', '.join(FIELDS)}")
    strange = sorted(set(mapping.analytes.values()) - set(ANALYTES))
    if strange:
        raise Unusable(f"nothing of that name is observed: {', '.join(strange)}; known are {', '.join(ANALYTES)}")
    if len(mapping.delimiter) != 1 or mapping.decimal not in (".", ","):
        raise Unusable("the mapping needs one character as delimiter, and a point or a comma as decimal")
    if mapping.dates and not any(sign in mapping.dates for sign in YEAR):
        raise Unusable("the mapping's dates have no year: write it as %Y, as in %d.%m.%Y")
    try:
        require_zone(mapping.zone or "UTC")
    except Refused as no:
        raise Unusable(f"the mapping's zone is {no.detail}") from None
    return mapping


def read_csv(body: bytes, mapping: ColumnMapping) -> Read:
    """Read every line, the titles being line 1. Raises Unusable."""
    try:
        text = io.StringIO(body.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        raise Unusable("the file is not text in UTF-8; save it so") from None
    rows = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        titles = [one.strip() for one in next(rows, [])]
        column = {name: mapping.columns.get(name, name) for name in FIELDS}
        _require_titles(titles, column, mapping)
        read, places = Read("csv"), {title: n for n, title in enumerate(titles)}
        full = (cells for cells in rows if any(cell.strip() for cell in cells))
        for number, cells in enumerate(full, 1):  # faulty ones too: each is named in the answer
            if number > MOST:
                raise Unusable(f"a file holds at most {MOST} lines of results; split it")
            line = _Line(read, mapping, column, rows.line_num, _cells(cells, places))
            line.too_many() if any(cell.strip() for cell in cells[len(titles) :]) else line.read()
    except csv.Error:
        raise Unusable(f"line {rows.line_num} cannot be read as CSV") from None
    return read


def _cells(cells: list[str], places: Mapping[str, int]) -> Mapping[str, str]:
    return {title: cells[n].strip() if n < len(cells) else "" for title, n in places.items()}


def _require_titles(titles: list[str], column: Mapping[str, str], mapping: ColumnMapping) -> None:
    twice = sorted({one for one in column.values() if titles.count(one) > 1})
    if twice:
        raise Unusable(f"the first line has a column twice: {', '.join(twice)}")
    named = [title for name, title in column.items() if name in mapping.columns or name in NEEDED]
    missing = [title for title in named if title not in titles and title not in mapping.always]
    if missing:
        other = len(titles) == 1 and next((sign for sign in OTHERS if sign in titles[0]), "")
        way = f"; {OTHERS[other]} parts it: say so as delimiter" if other else "; name yours in the mapping"
        raise Unusable(f"the first line has no column {', '.join(missing)}{way}")


class _Line:
    """Reads the cells of one line; what is wrong is noted in `read`."""

    def __init__(
        self, read: Read, mapping: ColumnMapping, column: Mapping[str, str], place: int, cells: Mapping[str, str]
    ) -> None:
        self._read, self._mapping, self._column, self._place, self._cells = read, mapping, column, place, cells
        self._wrong: list[WrongResult] = []

    def read(self) -> None:
        """Add the line's result, or what is wrong with it."""
        told: dict[str, Any] = {name: self._text(name) for name in TEXTS}
        told["analyte"] = self._analyte(told["analyte"])
        if self._mapping.decimal == ",":
            for name in (name for name in NUMBERS if "." in told[name]):
                self._no(name, "has a point, where the mapping says a comma for decimals: nothing says what it parts")
            told |= {name: told[name].replace(",", ".") for name in NUMBERS}
        occurred, supported = self._when(self._text("occurred")), self._supported()
        if self._wrong or occurred is None:
            self._read.wrong += self._wrong
            return
        result = Result(occurred=occurred, supported=supported, **told)
        self._read.results.append((self._place, result))

    def too_many(self) -> None:
        """Note that cells stand where no title is: a value with the delimiter in it, and all after it one too far."""
        reason = "has more cells than the first line has titles: a value with the delimiter in it stands in quotes"
        self._read.wrong.append(WrongResult(self._place, "the last", "", reason))

    def _supported(self) -> bool:
        text = self._text("supported").lower()
        if text not in YES and text not in NO:
            self._no("supported", f"is one of {', '.join((*YES, *filter(None, NO)))}, or empty = no")
        return text in YES

    def _text(self, name: str) -> str:
        text = self._cells.get(self._column[name], "") or self._mapping.always.get(name, "")
        if len(text) > LONGEST or "\0" in text:
            self._no(name, f"holds more than {LONGEST} characters, or one that cannot be kept")
            return ""
        return text

    def _no(self, name: str, reason: str) -> None:
        self._wrong.append(WrongResult(self._place, self._column[name], name, reason))

    def _analyte(self, text: str) -> str:
        code = self._mapping.analytes.get(text) or ANALYTE_OF.get(text) or text
        if code not in ANALYTES:
            self._no("analyte", "is not observed here: name it in the mapping, or leave the line out")
        return code

    def _when(self, text: str) -> When | None:
        if text == "unknown":
            return When.unknown()
        for one in self._ways(text):
            return one
        form = self._mapping.dates or "2026-01-31 or 2026-01-31T08:00+05:30"
        self._no("occurred", f"is no time written as {form}" if text else "is empty: write unknown if nobody knows")
        return None

    def _ways(self, text: str) -> Iterator[When]:
        try:
            if not self._mapping.dates:
                yield When.written(text)
                return
            said = datetime.strptime(text, self._mapping.dates)  # noqa: DTZ007 - the mapping says the zone
            if not any(sign in self._mapping.dates for sign in ("%H", "%I", "%T", "%X", "%c")):
                yield When.on(said.date())
            elif said.tzinfo or self._mapping.zone:
                yield When.at(said if said.tzinfo else said.replace(tzinfo=ZoneInfo(self._mapping.zone)))
        except (ValueError, KeyError, OSError):
            return
