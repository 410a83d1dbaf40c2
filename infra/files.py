"""Files that are whole and on disk, or not there at all."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path


def write(file: Path, content: bytes) -> None:
    """Write a new file of our own, whole and synced. Raises OSError, and then leaves none behind."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _put(descriptor, content)
    except BaseException:
        file.unlink()
        raise


def append(file: Path, content: bytes) -> None:
    """Add to the end of a file of our own, synced. Raises OSError where not all of it went in: a part may stay."""
    _put(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), content)
    sync_folder(file.parent)


def _put(descriptor: int, content: bytes) -> None:
    """A full disk takes a part of what it is given and says how much that was."""
    try:
        if os.write(descriptor, content) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(draft: Path, file: Path) -> None:
    """Give a whole, synced file its name, unless another process was first; the draft is gone either way."""
    try:
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
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
