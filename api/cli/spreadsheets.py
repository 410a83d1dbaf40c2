"""Rows of a spreadsheet of running cases as commands, by a mapping; what cannot be read names field and reason."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import openpyxl
import yaml
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.core.when import When
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import OpenCase

Cells = Mapping[str, str]
Columns = dict[str, str | list[str]]
YES = ("yes", "y", "true", "1", "x")


class MappingInvalid(ValueError):
    """The mapping or the file cannot be used; names what is wrong with it."""


class SheetMapping(BaseModel):
    """Says which column feeds which field. `key` names a row for good; `values` translates what cells say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    key: str
    open: Columns
    facts: Columns
    always: dict[str, Any] = {}
    values: dict[str, dict[str, str]] = {}
    dates: str = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row as two commands, or what is wrong with it (column, reason). `key` is a digest: rows name people."""

    number: int
    key: str
    opening: dict[str, Any] = field(repr=False)
    facts: dict[str, Any] = field(repr=False)
    faults: Sequence[tuple[str, str]] = ()


def read_mapping(path: Path) -> SheetMapping:
    """Raises MappingInvalid."""
    try:
        mapping = SheetMapping.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise MappingInvalid("; ".join(lines)) from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise MappingInvalid(f"the mapping cannot be read: {type(error).__name__}") from None
    for part, command in (("open", OpenCase), ("facts", ImportFacts)):
        unknown = set(getattr(mapping, part)) - set(get_type_hints(command))
        if unknown:
            raise MappingInvalid(f"{part}: {command.__name__} has no field {', '.join(sorted(unknown))}")
    return mapping


def read_cells(path: Path) -> Iterator[Cells]:
    """Yield each row by its column titles; .csv or .xlsx. Raises MappingInvalid."""
    try:
        yield from _excel(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    except (OSError, UnicodeDecodeError, csv.Error, InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise MappingInvalid(f"{path.name} cannot be read: {type(error).__name__}") from None


def _csv(path: Path) -> Iterator[Cells]:
    with path.open(newline="", encoding="utf-8-sig") as text:
        for row in csv.DictReader(text):
            yield {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}


def _excel(path: Path) -> Iterator[Cells]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        titles = [str(cell or "").strip() for cell in next(rows, ())]
        for row in rows:
            cells = {title: _text(cell) for title, cell in zip(titles, row, strict=False) if title}
            if any(cells.values()):
                yield cells
    finally:
        book.close()


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    return "" if cell is None else str(cell).strip()


def rows_of(mapping: SheetMapping, cells: Iterator[Cells]) -> Iterator[SheetRow]:
    """Yield every row, the first below the titles being number 2, as a spreadsheet shows it."""
    seen: dict[str, int] = {}
    for number, row in enumerate(cells, 2):
        reader = _Reader(mapping, row)
        named = row.get(mapping.key, "")
        if not named:
            reader.faults.append((mapping.key, "names the row, and is empty"))
        elif named in seen:
            reader.faults.append((mapping.key, f"is the same as in row {seen[named]}"))
        seen.setdefault(named, number)
        opening = reader.tree(OpenCase, mapping.open) | {"imported": True}
        facts = reader.tree(ImportFacts, mapping.facts)
        yield SheetRow(number, _digest(mapping.name, named), opening, facts, tuple(reader.faults))


def _digest(name: str, key: str) -> str:
    return "import-" + sha256(f"{name}\0{key}".encode()).hexdigest()[:40]


class _Reader:
    """Reads the cells of one row."""

    def __init__(self, mapping: SheetMapping, cells: Cells) -> None:
        self.faults: list[tuple[str, str]] = []
        self._mapping = mapping
        self._cells = cells

    def tree(self, command: type[Any], columns: Columns) -> dict[str, Any]:
        hints = get_type_hints(command)
        always = {name: value for name, value in self._mapping.always.items() if name in hints and name not in columns}
        tree: dict[str, Any] = {"type": command.__name__, **always}
        for name, column in columns.items():
            found = [self._cell(one) for one in ([column] if isinstance(column, str) else column)]
            texts = [(title, text) for title, text in found if text]
            if get_origin(hints[name]) is tuple:
                tree[name] = [self._value(get_args(hints[name])[0], title, text) for title, text in texts]
            elif texts:
                tree[name] = self._value(hints[name], *texts[0])
        return tree

    def _cell(self, column: str) -> tuple[str, str]:
        text = self._cells.get(column)
        if text is None:
            self.faults.append((column, "there is no such column"))
        words = self._mapping.values.get(column)
        if words is not None and text and text not in words:
            self.faults.append((column, "says something the mapping has no value for"))
        return column, (words or {}).get(text or "", text or "")

    def _value(self, hint: Any, column: str, text: str) -> Any:  # noqa: ANN401 - JSON
        members = {hint, *get_args(hint)}
        if bool in members:
            return text.lower() in YES
        if When in members or datetime in members:
            day = self._day(column, text)
            start = datetime.combine(day, time(), UTC)
            if datetime in members:
                return start.isoformat()
            return {"precision": "day", "earliest": start.isoformat(), "latest": When.on(day).latest.isoformat()}  # type: ignore[union-attr]
        return text

    def _day(self, column: str, text: str) -> date:
        for form in (self._mapping.dates, "%Y-%m-%d"):
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        self.faults.append((column, f"is no date written as {self._mapping.dates}"))
        return date(1970, 1, 1)
