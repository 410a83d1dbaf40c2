"""Says how a command ended and shows its answer: for people with rich, for programs as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

DONE, REFUSED, USAGE, UNAVAILABLE = 0, 1, 2, 3
UNREADABLE = (400, 413, 422)
SERVER_ERROR = 500


class Failed(Exception):
    """A command that did not do what was asked; `code` is the exit code."""

    def __init__(self, code: int, text: str, details: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.details = details


def tell(failed: Failed) -> None:
    """Say why, on stderr."""
    console = Console(stderr=True, highlight=False)
    console.print(f"[red]{failed}[/red]" if console.is_terminal else str(failed), markup=console.is_terminal)
    for line in failed.details:
        console.print(f"  {line}", markup=False)


def failed_of(status: int, problem: Mapping[str, Any]) -> Failed:
    """Return a problem of the API as an exit code and a sentence."""
    code = UNAVAILABLE if status >= SERVER_ERROR else USAGE if status in UNREADABLE else REFUSED
    faults = [_fault(one) for one in problem.get("errors", [])]
    return Failed(code, f"{problem.get('title', status)}: {problem.get('detail', '')}", faults)


def _fault(one: Mapping[str, str]) -> str:
    where = one.get("pointer", "").removeprefix("#/") or one.get("parameter") or one.get("header") or "body"
    return f"{where}: {one['detail']}"


def as_json(value: object) -> None:
    """Print a value as JSON, for programs."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table, for people."""
    drawn = Table(*columns, title=title or None, title_justify="left")
    for row in rows:
        drawn.add_row(*("" if cell is None else _cell(cell) for cell in row))
    Console(highlight=False).print(drawn)


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return (
            "•••" if "masked" in value else "(erased)" if "erased" in value else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value).replace("[", "\\[")


def say(text: str) -> None:
    """Print a line for people."""
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
