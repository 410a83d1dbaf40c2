"""The list of destroyed keys, a line of JSON each: it only grows, and a restored key folder is held against it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from domain.case.erasure import Tombstone
from domain.core.personal import KeyClass
from infra.files import append

Name = tuple[str, KeyClass]
STONE = TypeAdapter(Tombstone)


def note_destroyed(file: Path, stream: str, key_class: KeyClass, stone: Tombstone | None) -> None:
    """Put a key on the list, on disk, and read it back. Raises OSError where it does not stand there afterwards."""
    said = {"stone": STONE.dump_python(stone, mode="json")} if stone else {}
    entry = {"stream": stream, "class": key_class, **said}
    # The first newline ends what a crash or a full disk may have left half-written.
    append(file, f"\n{json.dumps(entry)}\n".encode())
    if entry not in _entries(file):
        raise OSError(f"{file.name} does not hold what was written to it")


def destroyed_in(file: Path) -> frozenset[Name]:
    """Streams and classes of every key a list names; none where there is no list."""
    return frozenset((entry["stream"], entry["class"]) for entry in _entries(file))


def tombstones_in(file: Path) -> Collection[tuple[str, Tombstone]]:
    """List of whom something was erased, and what; the oldest first, each once. Older lists name keys only."""
    told = [(entry["stream"], entry["stone"]) for entry in _entries(file) if "stone" in entry]
    return list(dict.fromkeys((stream, STONE.validate_python(stone)) for stream, stone in told))


def merge_destroyed(other: Path, into: Path) -> None:
    """Add what another list names; nothing is ever taken off. Raises OSError where it does not stand there then."""
    if other.exists():
        into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        append(into, b"\n" + other.read_bytes() + b"\n")
        if not destroyed_in(other) <= destroyed_in(into):
            raise OSError(f"{into.name} does not hold what was written to it")


def _entries(file: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a list; half a line is a destruction that was cut short and nobody was told of."""
    for line in file.read_text().split("\n") if file.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue
