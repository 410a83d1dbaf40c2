"""Says how a command ended and shows its answer: for people with rich, for programs as JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.untold import state_of

STEERS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters but the end of a line, those for the direction of writing, and such as are not seen at all."""
WORDS = {"masked": "•••", "erased": "(erased)", "no_key": "(no key on this machine)"}
"""What stands for a value that is not told, by why it is not."""
DONE, REFUSED, USAGE, UNAVAILABLE = 0, 1, 2, 3
UNREADABLE = (400, 413, 422)
SERVER_ERROR = 500


class CommandFailed(Exception):
    """A command that did not do what was asked; `code` is the exit code."""

    def __init__(self, code: int, text: str, details: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.details = details


def tell(failed: CommandFailed) -> None:
    """Say why, on stderr."""
    console = Console(stderr=True, highlight=False)
    console.print(harmless(str(failed)), markup=False, style="red" if console.is_terminal else "")
    for line in failed.details:
        console.print(f"  {harmless(line)}", markup=False)


def failed_of(status: int, problem: Mapping[str, Any]) -> CommandFailed:
    """Return a problem of the API as an exit code and a sentence."""
    code = UNAVAILABLE if status >= SERVER_ERROR else USAGE if status in UNREADABLE else REFUSED
    faults = [_fault(one) for one in problem.get("errors", [])]
    return CommandFailed(code, f"{problem.get('title', status)}: {problem.get('detail', '')}", faults)


def _fault(one: Mapping[str, str]) -> str:
    where = one.get("pointer", "").removeprefix("#/") or one.get("parameter") or one.get("header") or "body"
    return f"{where}: {one['detail']}"


def harmless(text: str) -> str:
    """Show what would steer a terminal or turn the writing round as JSON escapes it; lines stay lines."""
    return STEERS.sub(lambda found: json.dumps(found[0])[1:-1], text)


def as_json(value: object) -> None:
    """Print a value as JSON, for programs."""
    sys.stdout.write(harmless(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table, for people."""
    drawn = Table(*columns, title=escape(harmless(title)) or None, title_justify="left")
    for row in rows:
        drawn.add_row(*(escape(harmless("" if cell is None else in_words(cell))) for cell in row))
    Console(highlight=False).print(drawn)


def in_words(value: object) -> str:
    """Return a value of an answer as people read it."""
    if isinstance(value, bool):
        return "yes" if value else ""
    told = _told(value)
    return json.dumps(told, ensure_ascii=False, default=str) if isinstance(told, dict | list) else str(told)


def _told(value: object) -> object:
    """The same with words for what is not told, at whatever depth."""
    if state := state_of(value):
        return WORDS[state]
    if isinstance(value, Mapping):
        return {name: _told(one) for name, one in value.items()}
    return [_told(one) for one in value] if isinstance(value, list | tuple) else value


def say(text: str) -> None:
    """Print a line for people."""
    Console(highlight=False).print(harmless(text), markup=False, soft_wrap=True)
