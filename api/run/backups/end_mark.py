"""The end mark of a backup: written last, with the digest of every file, so that half a backup is never put back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from infra.files import create
from infra.ledger.schema.whole import Taken

NAME = "end-mark.json"
NAMED = 5
"""How many files a refusal names."""


class BackupFailed(RuntimeError):
    """The backup failed or cannot be put back; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class EndMark:
    """Says what a backup holds: whose it is, how far its history goes, and the SHA-256 of each file by its path."""

    installation: str
    made_at: datetime
    taken: Taken
    files: Mapping[str, str]


FORM = TypeAdapter(EndMark)


def finish(folder: Path, installation: str, made_at: datetime, taken: Taken) -> None:
    """Bring every file of the backup to disk, and then say that it is whole."""
    files = {str(file.relative_to(folder)): _digest(file, sync=True) for file in _files(folder)}
    create(folder / NAME, FORM.dump_json(EndMark(installation, made_at, taken, files), indent=1))


def read_whole(folder: Path) -> EndMark:
    """Return the end mark once every file is what it says. Raises BackupFailed that names what is not."""
    try:
        mark = FORM.validate_json((folder / NAME).read_bytes())
    except FileNotFoundError:
        raise BackupFailed(f"{folder} has no {NAME}: {UNFINISHED}") from None
    except ValidationError:
        raise BackupFailed(f"{folder / NAME} cannot be read: put back another backup") from None
    if outside := next((name for name in mark.files if not _inside(name)), ""):
        raise BackupFailed(f"{folder / NAME} names {outside}, which is not in the backup: put back another one")
    wrong = [said for name, digest in mark.files.items() if (said := _wrong(folder, name, digest))]
    if wrong:
        more = f", and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        raise BackupFailed(f"this backup is not whole: {', '.join(wrong[:NAMED])}{more}. Put back another one")
    return mark


UNFINISHED = (
    "it was cut short while it was made, or is none; put back a whole one. One from before end marks is put back by "
    "the version that made it, and `caravel migrate` of this one brings it on"
)


def _inside(name: str) -> bool:
    """Whether a name stays in its folder, also where it is put back: the mark is not signed, and may say anything."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _wrong(folder: Path, name: str, digest: str) -> str:
    file = folder / name
    if not file.is_file():
        return f"{name} is missing"
    return "" if _digest(file) == digest else f"{name} is not what was backed up"


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _digest(file: Path, *, sync: bool = False) -> str:
    with file.open("rb") as opened:
        if sync:
            os.fsync(opened.fileno())
        return hashlib.file_digest(opened, "sha256").hexdigest()
