"""A laboratory's CSV as results, by a mapping of its columns; each fault names line, column and reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.results.column_mapping import FIELDS, SAYS, TEXTS, ColumnMapping
from api.results.reading import Left, Read, Unusable, WrongResult
from domain.case.phases.findings import SectionName, Statement
from domain.core.when import When
from domain.criteria.analytes import ANALYTES
from domain.criteria.conditions import disease_named
from domain.criteria.loinc import ANALYTE_OF, SAME_UNIT, SNOMED, UNIT_OF
from domain.stages.records.results import MOST, Result

NEEDED = ("analyte", "occurred")
STATED_IN: Mapping[str, tuple[SectionName, str]] = {
    "condition": ("problems", "resolved"),
    "medication": ("medications", "completed"),
}
"""Kind of statement → the section it stands in, and its status once it has ended."""
YES = ("yes", "y", "true", "1", "x")
NO = ("", "no", "n", "false", "0", "-")
OTHERS = {";": "a semicolon", "\t": "a tab", ",": "a comma", "|": "a bar"}
"""What else parts columns."""
NUMBERS = ("value", "limit")
LONGEST = 200
"""Characters of a cell that is still read."""


def read_csv(body: bytes, mapping: ColumnMapping) -> Read:
    """Read every line, the titles being line 1. Raises Unusable."""
    try:
        text = io.StringIO(body.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        raise Unusable("the file is not text in UTF-8; save it so") from None
    rows = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        titles = [one.strip() for one in next(rows, [])]
        column = {name: mapping.columns.get(name, name) for name in (SAYS if mapping.statements else FIELDS)}
        _require_titles(titles, column, mapping)
        read, places = Read("csv"), {title: n for n, title in enumerate(titles)}
        whose, number = _Whose(read, mapping), 0
        for cells in (cells for cells in rows if any(cell.strip() for cell in cells)):
            found = _cells(cells, places)
            if not whose.is_theirs(rows.line_num, found):
                continue
            number += 1  # faulty ones too: each is named in the answer
            if number > MOST:
                raise Unusable(f"a file holds at most {MOST} lines of results; split it")
            line = _Line(read, mapping, column, rows.line_num, found)
            line.too_many() if any(cell.strip() for cell in cells[len(titles) :]) else line.read()
        if mapping.of and not number:
            raise Unusable("no line is of the patient that the mapping names (of)")
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
    named += [mapping.patient] if mapping.patient else []
    missing = [title for title in named if title not in titles and title not in mapping.always]
    if missing:
        other = len(titles) == 1 and next((sign for sign in OTHERS if sign in titles[0]), "")
        way = f"; {OTHERS[other]} parts it: say so as delimiter" if other else "; name yours in the mapping"
        raise Unusable(f"the first line has no column {', '.join(missing)}{way}")


class _Whose:
    """Says whether a line is of the case's patient; a line of somebody else is noted in `read`."""

    def __init__(self, read: Read, mapping: ColumnMapping) -> None:
        self._read, self._column, self._of = read, mapping.patient, mapping.of
        self._first: tuple[str, int] | None = None

    def is_theirs(self, place: int, cells: Mapping[str, str]) -> bool:
        """Return whether it is; where nobody was chosen, whoever stands first is, and any other is a fault."""
        who = cells.get(self._column, "")
        if self._of:
            if who != self._of:
                self._read.left.append(Left(place, "line", "other_subject"))
            return who == self._of
        self._first = self._first or (who, place)
        if self._column and who != self._first[0]:
            reason = f"is of somebody else than line {self._first[1]}: say in the mapping whose lines to take (of)"
            self._read.wrong.append(WrongResult(place, self._column, "patient", reason))
            return False
        return True


class _Line:
    """Reads the cells of one line; what is wrong is noted in `read`."""

    def __init__(
        self, read: Read, mapping: ColumnMapping, column: Mapping[str, str], place: int, cells: Mapping[str, str]
    ) -> None:
        self._read, self._mapping, self._column, self._place, self._cells = read, mapping, column, place, cells
        self._wrong: list[WrongResult] = []

    def read(self) -> None:
        """Add what the line says, or what is wrong with it."""
        if self._mapping.statements:
            self._read_statement(self._mapping.statements)
            return
        told: dict[str, Any] = {name: self._text(name) for name in TEXTS}
        if self._mapping.unobserved == "leave" and not self._known(told["analyte"]):
            self._read.left.append(Left(self._place, "line", "not_observed"))
            return
        told["analyte"] = self._analyte(told["analyte"])
        if self._mapping.decimal == ",":
            for name in (name for name in NUMBERS if "." in told[name]):
                self._no(name, "has a point, where the mapping says a comma for decimals: nothing says what it parts")
            told |= {name: told[name].replace(",", ".") for name in NUMBERS}
        occurred, supported = self._when(self._text("occurred")), self._supported()
        if self._wrong or occurred is None:
            self._read.wrong += self._wrong
            return
        if (unit := told["unit"]) and self._text("analyte") in ANALYTE_OF:  # as a bundle of the same code is read
            told["unit"] = UNIT_OF.get((told["analyte"], unit)) or SAME_UNIT.get(unit, unit)
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

    def _read_statement(self, kind: Literal["condition", "medication"]) -> None:
        """Add what the line states; its dates are held against the calendar where every statement's are."""
        told = {name: self._text(name) for name in SAYS}
        section, over = STATED_IN[kind]
        code = f"{self._mapping.codes}|{told['code']}" if told["code"] else ""
        snomed = [told["code"]] if self._mapping.codes == SNOMED else []
        said = Statement(
            kind=kind,
            section=section,
            entry=self._place,
            text=told["text"],
            code=code,
            status=over if told["ended"] else "",
            detail=told["detail"],
            began=told["began"],
            ended=told["ended"],
            disease=disease_named(told["text"], [], snomed) if kind == "condition" else "",
        )
        if self._wrong:
            self._read.wrong += self._wrong
            return
        self._read.statements.append((self._place, said))

    def _known(self, text: str) -> bool:
        return (self._mapping.analytes.get(text) or ANALYTE_OF.get(text) or text) in ANALYTES

    def _analyte(self, text: str) -> str:
        code = self._mapping.analytes.get(text) or ANALYTE_OF.get(text) or text
        if not self._known(text):
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
