"""Rows of a spreadsheet of running cases as commands, by a mapping; what cannot be read names field and reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from api.cli.sheet_cells import Fault, SheetCells, SheetInvalid
from domain.core.when import When
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import OpenCase

Columns = dict[str, str | list[str]]
YES = frozenset({
    "yes", "y", "true", "1", "x", "ja", "j", "oui", "si", "sí", "sim", "da", "да", "evet", "نعم", "हाँ",
    "是", "对", "有", "はい", "✓", "✔", "☑",
})  # fmt: skip
NO = frozenset({
    "no", "n", "false", "0", "-", "nein", "non", "não", "nao", "nu", "нет", "لا", "नहीं",
    "否", "不", "无", "いいえ", "✗", "✘", "☐",
})  # fmt: skip
"""What people write in a column that asks whether; the mapping translates any other word."""
UNTIL = "_until"
"""Ends the names of fields that a day is the last one of."""


class MappingInvalid(SheetInvalid):
    """The mapping cannot be used; names what is wrong with it."""


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


def rows_of(mapping: SheetMapping, cells: Iterator[SheetCells]) -> Iterator[SheetRow]:
    """Yield every row as commands, under its number in the sheet."""
    seen: dict[str, int] = {}
    for row in cells:
        reader = _Reader(mapping, row)
        named = row.texts.get(mapping.key, "")
        if not named:
            reader.faults.append((mapping.key, "names the row, and is empty"))
        elif named in seen:
            reader.faults.append((mapping.key, f"is the same as in row {seen[named]}"))
        seen.setdefault(named, row.number)
        opening = reader.tree(OpenCase, mapping.open) | {"imported": True}
        reader.zone = _zone(opening.get("zone"))
        facts = reader.tree(ImportFacts, mapping.facts)
        yield SheetRow(row.number, _digest(mapping.name, named), opening, facts, tuple(reader.faults))


def _zone(name: object) -> tzinfo:
    """The case's zone: a day in a sheet is a day there. One that there is not is refused with the case."""
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        return UTC


def _digest(name: str, key: str) -> str:
    return "import-" + sha256(f"{name}\0{key}".encode()).hexdigest()[:40]


class _Reader:
    """Reads the cells of one row."""

    def __init__(self, mapping: SheetMapping, cells: SheetCells) -> None:
        self.faults: list[Fault] = list(cells.faults)
        self.zone: tzinfo = UTC
        self._mapping = mapping
        self._cells = cells.texts

    def tree(self, command: type[Any], columns: Columns) -> dict[str, Any]:
        hints = get_type_hints(command)
        always = {name: value for name, value in self._mapping.always.items() if name in hints and name not in columns}
        tree: dict[str, Any] = {"type": command.__name__, **always}
        for name, column in columns.items():
            found = [self._cell(one) for one in ([column] if isinstance(column, str) else column)]
            texts = [(title, text) for title, text in found if text]
            if get_origin(hints[name]) is tuple:
                tree[name] = [self._value(name, get_args(hints[name])[0], title, text) for title, text in texts]
            elif texts:
                tree[name] = self._value(name, hints[name], *texts[0])
        return tree

    def _cell(self, column: str) -> tuple[str, str]:
        text = self._cells.get(column)
        if text is None:
            self.faults.append((column, "there is no such column"))
        words = self._mapping.values.get(column)
        if words is not None and text and text not in words:
            self.faults.append((column, "says something the mapping has no value for"))
        return column, (words or {}).get(text or "", text or "")

    def _value(self, name: str, hint: Any, column: str, text: str) -> Any:  # noqa: ANN401 - JSON
        members = {hint, *get_args(hint)}
        if bool in members:
            return self._yes(column, text)
        if When in members or datetime in members:
            when = When.on(self._day(column, text), self.zone)
            first, last = (at.isoformat() if at else "" for at in (when.earliest, when.latest))
            if datetime in members:
                return last if name.endswith(UNTIL) else first
            return {"precision": "day", "earliest": first, "latest": last}
        return text

    def _yes(self, column: str, text: str) -> bool:
        word = text.casefold()
        if word not in YES and word not in NO:
            self.faults.append((column, "says neither yes nor no; give the mapping a value for it"))
        return word in YES

    def _day(self, column: str, text: str) -> date:
        for form in (self._mapping.dates, "%Y-%m-%d"):
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        self.faults.append((column, f"is no date written as {self._mapping.dates}"))
        return date(1970, 1, 1)
