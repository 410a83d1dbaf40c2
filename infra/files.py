"""Files that are whole and on disk, or not there at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write(file: Path, content: bytes, mode: int = os.O_EXCL) -> None:
    """Write a file of our own, synced; new unless `mode` says otherwise."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | mode, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(draft: Path, file: Path) -> None:
    """Give a whole, synced file its name, unless another process was first."""
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    sync_folder(file.parent)


def create(file: Path, content: bytes) -> bytes:
    """Create the file with this content, or keep what another had put there; return what it holds."""
    draft = file.with_name(f".{secrets.token_hex(8)}")
    write(draft, content)
    publish(draft, file)
    return file.read_bytes()


def sync_folder(folder: Path) -> None:
    """Bring what the folder lists to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
