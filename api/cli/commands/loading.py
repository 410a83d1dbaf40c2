"""`caravel protocol load` and `caravel centre load`: every file read whole, the difference shown, then recorded."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.cli.options import Json
from api.cli.outcome import REFUSED, USAGE, CommandFailed, as_json, say, table
from api.cli.way import asking

SENT = {"Content-Type": "application/json"}


def load_files(prefix: str, files: Sequence[Path], *, dry_run: bool, yes: bool, person: str, json: Json) -> None:
    """Show what files change and, once agreed, record it. A fault in any of them keeps all of them out."""
    bodies = [(file, _read(file)) for file in files]
    found = _checked(prefix, bodies, person)
    if json:
        as_json({"entries": [one for answer in found for one in answer["entries"]], "dry_run": dry_run})
    else:
        for (file, _), answer in zip(bodies, found, strict=True):
            _show(file, answer["entries"])
    changing = sum(bool(one["commands"]) for answer in found for one in answer["entries"])
    if dry_run or not changing:
        return
    if not yes and not _agreed(changing):
        raise CommandFailed(REFUSED, "nothing was recorded")
    for file, body in bodies:
        _send(prefix, body, person, dry_run="false")
        if not json:
            say(f"{file}: recorded")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailed(USAGE, f"{file}: cannot be read: {error.strerror}") from None


def _checked(prefix: str, bodies: Sequence[tuple[Path, bytes]], person: str) -> Sequence[Mapping[str, Any]]:
    """What each file comes to. Raises CommandFailed with the faults of all of them."""
    found, faults, code = [], [], 0
    for file, body in bodies:
        try:
            found.append(_send(prefix, body, person, dry_run="true"))
        except CommandFailed as failed:
            code = max(code, failed.code)
            faults += [f"{file}: {line}" for line in failed.details or (str(failed),)]
    if faults:
        raise CommandFailed(code, "nothing was recorded", faults)
    return found


def _send(prefix: str, body: bytes, person: str, **query: str) -> Any:  # noqa: ANN401 - JSON
    return asking(lambda c: c.send(f"/{prefix}s/load", body, SENT, **query), person=person)


def _show(file: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    rows = [(one["id"], one["what"], one["name"], len(one["open_cases"])) for one in entries]
    table(("id", "what", "name", "open cases"), rows, str(file))
    changes = [(one["id"], c["field"], c["was"], c["becomes"]) for one in entries for c in one["changes"]]
    if changes:
        table(("id", "field", "was", "becomes"), changes)
    touched = [(case, one["id"]) for one in entries for case in one["open_cases"]]
    if touched:
        table(("open case", "depends on"), touched)


def _agreed(number: int) -> bool:
    """Ask who sits at the terminal; where nobody does, --yes has to say it."""
    if not sys.stdin.isatty():
        raise CommandFailed(USAGE, "nobody can be asked here: say --yes, or --dry-run to look only")
    return input(f"record this for {number} entries? [y/N] ").strip().lower() in ("y", "yes")
