"""Reads a spreadsheet as its sheet shows it: all rows with their numbers, or what is wrong and in which row."""

from __future__ import annotations

import csv
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import Cell

Fault = tuple[str, str]
"""A column and what is wrong with what stands there."""

MOST_BYTES = 256 * 1024 * 1024
"""Unpacked; a sheet of 100,000 rows has a tenth of it."""
MOST_CELLS = 5_000_000
DIGITS = 15
"""So many digits of a number a spreadsheet keeps; what follows them is made up."""
PADDED = re.compile("0{2,}")
"""Number formats that show leading noughts, as those of codes."""
DELIMITERS = ",;\t"
NO_VALUE = "is a formula whose value was never worked out; open the file in a spreadsheet program and save it"
TOO_LARGE = "is a number larger than a spreadsheet can hold; type it as text"
TOO_LONG = f"is a number of more than {DIGITS} digits, whose end a spreadsheet has lost; type it as text"


class SheetInvalid(ValueError):
    """The file cannot be used; says what is wrong with it, and in which row where that can be told."""


@dataclass(frozen=True, slots=True)
class SheetCells:
    """A row: its number as the sheet shows it, its texts by the titles of their columns, and what cannot be read."""

    number: int
    texts: Mapping[str, str]
    faults: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    texts: Sequence[str]
    faults: Mapping[int, str]


def read_cells(path: Path) -> Iterator[SheetCells]:
    """Yield each row that says something; .csv or .xlsx. Raises SheetInvalid."""
    kinds = {".xlsx": _excel, ".xlsm": _excel, ".csv": _csv, ".tsv": _csv, ".txt": _csv}
    read = kinds.get(path.suffix.lower())
    if read is None:
        raise SheetInvalid(f"{path.name} is neither .xlsx nor .csv; save it as one of them")
    lines = read(path)
    titles = next((line for line in lines if any(line.texts)), None)
    if titles is None:
        raise SheetInvalid(f"{path.name} is empty")
    named = _titles(titles)
    found = False
    for line in lines:
        if any(line.texts) or line.faults:
            found = True
            yield _row(line, named)
    if not found:
        raise SheetInvalid(f"{path.name} holds titles and no row")


def _titles(line: _Line) -> Sequence[str]:
    twice = [title for title, times in Counter(line.texts).items() if title and times > 1]
    if twice:
        raise SheetInvalid(f"row {line.number}: two columns are called {', '.join(sorted(twice))}")
    return line.texts


def _row(line: _Line, titles: Sequence[str]) -> SheetCells:
    def title(column: int) -> str:
        return (titles[column] if column < len(titles) else "") or f"column {column + 1}"

    faults = [(title(column), why) for column, why in line.faults.items()]
    untitled = [n for n, text in enumerate(line.texts) if text and not (n < len(titles) and titles[n])]
    faults += [(title(n), "stands below no title") for n in untitled]
    padded = [*line.texts, *[""] * (len(titles) - len(line.texts))]
    return SheetCells(line.number, {one: padded[n] for n, one in enumerate(titles) if one}, faults)


def _csv(path: Path) -> Iterator[_Line]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetInvalid(f"{path.name} is not in UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise SheetInvalid(f"{path.name} cannot be read: {type(error).__name__}") from None
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    number = 0
    try:
        for number, row in enumerate(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield _Line(number, [cell.strip() for cell in row], {})
    except csv.Error as error:
        raise SheetInvalid(f"{path.name}, row {number + 1}: a quote is not closed, or not doubled: {error}") from None


def _excel(path: Path) -> Iterator[_Line]:
    shown, written = _sheet(path, values=True), _sheet(path, values=False)
    for number, (values, formulas) in enumerate(zip(shown, written, strict=True), 1):
        read = [_text(value, formula) for value, formula in zip(values, formulas, strict=True)]
        texts, wrong = [text for text, _ in read], {n: why for n, (_, why) in enumerate(read) if why}
        while texts and not texts[-1] and len(texts) - 1 not in wrong:
            texts.pop()
        yield _Line(number, texts, wrong)


def _sheet(path: Path, *, values: bool) -> Sequence[Sequence[Any]]:
    """The first sheet with cells, from its first row and column on, whatever size the file claims it has."""
    try:
        with path.open("rb") as opened:
            unpacked = sum(one.file_size for one in zipfile.ZipFile(opened).infolist())
            _require(unpacked <= MOST_BYTES, f"{path.name} unpacks to more than {MOST_BYTES >> 20} MiB; split it")
            sheets = openpyxl.load_workbook(opened, data_only=values).worksheets
        _require(sheets, f"{path.name} has no sheet with cells")
        far = sheets[0].max_row * sheets[0].max_column > MOST_CELLS
        _require(not far, f"{path.name} reaches to {sheets[0].dimensions}; delete what lies outside its rows")
        return list(sheets[0].iter_rows(min_row=1, min_col=1))
    except SheetInvalid:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a damaged file, it is the file
        raise SheetInvalid(f"{path.name} is damaged or no .xlsx: {type(error).__name__}") from None


def _require(holds: object, words: str) -> None:
    if not holds:
        raise SheetInvalid(words)


def _text(cell: Cell, written: Cell) -> tuple[str, str]:
    """What a cell shows, and what is wrong with it."""
    value = cell.value
    if cell.data_type == "e":
        return "", f"shows the error {value}"
    if value is None:
        return "", NO_VALUE if written.data_type == "f" else ""
    if isinstance(value, bool):
        return str(value).upper(), ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(), ""
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    return str(value).strip(), ""


def _number(value: float, form: str) -> tuple[str, str]:
    """A number as digits: codes and telephone numbers are typed as numbers."""
    if not math.isfinite(value):
        return "", TOO_LARGE
    if value != int(value):
        return str(value), ""
    digits = str(int(value))
    if len(digits.lstrip("-")) > DIGITS:
        return "", TOO_LONG
    return digits.zfill(len(form)) if PADDED.fullmatch(form) else digits, ""
