"""Keeps checkpoints outside the database: in folders and object stores, written once, never changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import MemoryStore, ObjectStore, S3Store

from infra.files import create

CHECKPOINT, KEY = "checkpoint-", "key-"
FAILURES = (OSError, TimeoutError, BaseError)
"""What a sink that is away raises."""


class SinkDiffers(Exception):
    """Something else stands there under the same name."""

    def __init__(self, place: str, name: str) -> None:
        super().__init__(f"{place} holds another {name}: another log writes there, or somebody changed it")


class Sink(Protocol):
    """Keeps files in one place; `name` says where, without credentials."""

    @property
    def name(self) -> str: ...
    async def names(self) -> set[str]: ...
    async def marks(self) -> dict[str, str]:
        """Name → what that place itself changes whenever the content does, without reading any."""

    async def get(self, name: str) -> bytes: ...
    async def kept_at(self, name: str) -> datetime:
        """Return when it was written there, by that place's clock."""

    async def create(self, name: str, content: bytes) -> None:
        """Written and kept, or there already with the same content. Raises SinkDiffers, FAILURES."""


def checkpoint_name(size: int) -> str:
    """Sorted by name is sorted by size."""
    return f"{CHECKPOINT}{size:020d}"


def key_name(number: int) -> str:
    """Return the file name of the announcement of a key."""
    return f"{KEY}{number:06d}"


def sizes(names: Iterable[str]) -> list[int]:
    """Return the sizes of the checkpoints among them."""
    found = (name.removeprefix(CHECKPOINT) for name in names if name.startswith(CHECKPOINT))
    return sorted(int(text) for text in found if text.isdecimal())


def _mark(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}"


@dataclass(frozen=True, slots=True)
class FolderSink:
    """Keeps checkpoints as files in a folder, synced to disk."""

    folder: Path

    @property
    def name(self) -> str:
        """Return its path."""
        return str(self.folder)

    async def names(self) -> set[str]:
        """List the names of what is there."""
        return await asyncio.to_thread(self._names)

    def _names(self) -> set[str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return {file.name for file in self.folder.iterdir() if not file.name.startswith(".")}

    async def marks(self) -> dict[str, str]:
        """List each with its size, inode and times; no program sets the time of the change itself."""
        return await asyncio.to_thread(self._marks)

    def _marks(self) -> dict[str, str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with os.scandir(self.folder) as entries:
            return {entry.name: _mark(entry.stat()) for entry in entries if not entry.name.startswith(".")}

    async def get(self, name: str) -> bytes:
        """Read one file."""
        return await asyncio.to_thread((self.folder / name).read_bytes)

    async def kept_at(self, name: str) -> datetime:
        """Return when it was written."""
        status = await asyncio.to_thread((self.folder / name).stat)
        return datetime.fromtimestamp(status.st_mtime, UTC)

    async def create(self, name: str, content: bytes) -> None:
        """Whole and synced, or not there."""
        if await asyncio.to_thread(create, self.folder / name, content) != content:
            raise SinkDiffers(self.name, name)

    def beside(self, other: Path) -> bool:
        """Return whether it is on the same disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder.stat().st_dev == other.stat().st_dev


@dataclass(frozen=True, slots=True)
class StoreSink:
    """Objects; `If-None-Match` keeps them from being written twice."""

    name: str
    store: ObjectStore | MemoryStore

    async def names(self) -> set[str]:
        """List the names of what is there."""
        return set(await self.marks())

    async def marks(self) -> dict[str, str]:
        """List each with its tag, size and time, as the list of objects has them."""
        found: dict[str, str] = {}
        async for page in self.store.list():
            found |= {str(one["path"]): f"{one['e_tag']} {one['size']} {one['last_modified']}" for one in page}
        return found

    async def get(self, name: str) -> bytes:
        """Read one file."""
        return bytes(await (await self.store.get_async(name)).bytes_async())

    async def kept_at(self, name: str) -> datetime:
        """Return when it was written."""
        return (await self.store.head_async(name))["last_modified"]

    async def create(self, name: str, content: bytes) -> None:
        """Written, or there already with the same content."""
        try:
            await self.store.put_async(name, content, mode="create")
        except AlreadyExistsError:
            if await self.get(name) != content:
                raise SinkDiffers(self.name, name) from None


def sink_of(place: str) -> Sink:
    """Make a sink of a folder or `s3://bucket/prefix`; credentials and endpoint come from AWS_* variables."""
    if place.startswith("s3://"):
        return StoreSink(place, S3Store.from_url(place))
    return FolderSink(Path(place))
