"""Reads JSON and knows on which line each part of it stands, so that a fault can be found in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from activities.command_codec import Unreadable, read_json

MOST_PARTS, MOST_CHARACTERS = 500_000, 50_000_000
"""Values of a file, and characters of all their pointers, that are read into memory."""
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class FileFault:
    """Names what is wrong in a file: the line (from 1), a JSON pointer, and the reason with the way on."""

    line: int
    pointer: str
    detail: str


class FileRefused(Exception):
    """Says that a file is not taken, with every fault that was found in it."""

    def __init__(self, faults: list[FileFault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Text:
    """Holds a file's tree, and the line of each pointer in it."""

    tree: Mapping[str, Any]
    lines: Mapping[str, int]

    def fault(self, pointer: str, detail: str) -> FileFault:
        """Return a fault with the line of what the pointer names, else of the nearest thing around it."""
        at = pointer
        while at not in self.lines and at != "#":
            at = at.rpartition("/")[0] or "#"
        return FileFault(self.lines.get(at, 1), pointer, detail)


def read(body: bytes) -> Text:
    """Read the text of a file. Raises FileRefused with the line where it stops being a JSON object."""
    try:
        text = body.decode("utf-8-sig")
        json.loads(text)
        lines = _found(text)  # says where a name stands twice; what reads the tree says only that one does
        tree = read_json(text.encode())
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise FileRefused([FileFault(line, "#", "the file is not UTF-8 text")]) from None
    except json.JSONDecodeError as error:
        raise FileRefused([FileFault(error.lineno, "#", f"is not JSON here: {error.msg}")]) from None
    except RecursionError:
        raise FileRefused([FileFault(1, "#", "is nested too deep")]) from None
    except ValueError:
        raise FileRefused([FileFault(1, "#", "holds a number with more digits than any has")]) from None
    except Unreadable as error:
        named = (
            error.faults[0].detail
            if error.faults
            else "is not JSON that is read here: NaN, half a character, or nested too deep"
        )
        raise FileRefused([FileFault(1, "#", named)]) from None
    return Text(tree, lines)


def _found(text: str) -> Mapping[str, int]:
    """The line of every part. Raises FileRefused for names that an object has twice: JSON would keep the last."""
    found: dict[str, int] = {}
    doubled, long = [], 0
    for pointer, line in _places(text):
        long += len(pointer)
        if len(found) >= MOST_PARTS or long > MOST_CHARACTERS:
            raise FileRefused([FileFault(line, "#", f"up to here are more than {MOST_PARTS} values; split the file")])
        if pointer in found:
            doubled.append(FileFault(line, pointer, "stands there twice"))
        found[pointer] = line
    if doubled:
        raise FileRefused(doubled)
    return found


def _places(text: str) -> Iterator[tuple[str, int]]:
    """Each value's pointer and line, in the order of the text, which is known to be JSON."""
    path: list[str | int] = []
    line, end, name = 1, 0, True
    yield "#", 1
    inside: list[str] = []
    for token in TOKEN.finditer(text):
        line, end = line + text.count("\n", end, token.start()), token.start()
        word = token.group()
        if word in "}]":
            inside.pop()
            path.pop()
        elif word == ",":
            name = inside[-1] == "{"
            if not name:
                path[-1] = int(path[-1]) + 1
        elif word == ":":
            name = False
        elif name and inside and inside[-1] == "{":
            path[-1] = json.loads(word)
            yield _pointer(path), line
        else:
            if inside and inside[-1] == "[":
                yield _pointer(path), line
            if word in "{[":
                inside.append(word)
                path.append("" if word == "{" else 0)
                name = word == "{"


def _pointer(path: list[str | int]) -> str:
    return "/".join(["#", *(str(step) for step in path)])
