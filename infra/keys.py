"""Data keys in a folder of files: the KeyService of the embedded mode."""

import asyncio
import json
import os
import secrets
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding, aes_key_wrap_with_padding
from pydantic import TypeAdapter

from activities.ports import DataKey, Keyring
from domain.case.erasure import Tombstone
from domain.core.personal import KEY_CLASSES, KeyClass
from infra.files import publish, sync_folder, write

BITS = 256
CACHED = 10_000
Name = tuple[str, KeyClass]
STONE = TypeAdapter(Tombstone)


class FolderKeys:
    """Keeps one file a key, wrapped (AES-KWP) under the key in `kek`; several processes may share them.

    `destroyed` lists what was destroyed and must not lie in `folder`: a restored old folder is held against it.
    """

    def __init__(self, folder: Path, *, kek: Path, destroyed: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if destroyed.parent.resolve() == folder.resolve():
            raise ValueError("the list of destroyed keys must not be restored together with the keys")
        self._folder = folder
        self._kek = _kek(kek, make=not any(folder.iterdir()))
        self._list = destroyed
        self._list_seen = (0, 0)
        self._gone: set[Name] = set()
        self._cache: OrderedDict[Name, DataKey] = OrderedDict()
        self._reapply()

    async def for_sealing(self, stream: str, classes: Collection[KeyClass]) -> Mapping[KeyClass, DataKey]:
        """Return the keys of these classes, made and on disk where they were missing; never a destroyed one."""
        self._reapply()
        wanted = [key_class for key_class in classes if (stream, key_class) not in self._gone]
        found = {key_class: self._find(stream, key_class) for key_class in wanted}
        for key_class in [key_class for key_class, key in found.items() if key is None]:
            found[key_class] = await asyncio.to_thread(self._make, stream, key_class)
        return {key_class: key for key_class, key in found.items() if key}

    async def for_opening(self, stream: str) -> Keyring:
        """Return the keys this stream has, and which were destroyed."""
        self._reapply()
        found = {key_class: self._find(stream, key_class) for key_class in KEY_CLASSES}
        return {key_class: key for key_class, key in found.items() if key or (stream, key_class) in self._gone}

    async def destroy(self, stream: str, key_class: KeyClass, stone: Tombstone | None = None) -> None:
        """Note the key on the list first, then remove the file: the next start finishes whatever a crash leaves."""
        await asyncio.to_thread(self._note_destroyed, stream, key_class, stone)
        self._reapply()

    def destroyed(self) -> frozenset[Name]:
        """Streams and classes of every key that was destroyed, by whatever process."""
        self._reapply()
        return frozenset(self._gone)

    def tombstones(self) -> Collection[tuple[str, Tombstone]]:
        """List of whom something was erased, and what; the oldest first, each once. Older lists name keys only."""
        told = [(entry["stream"], entry["stone"]) for entry in _entries(self._list) if "stone" in entry]
        return list(dict.fromkeys((stream, STONE.validate_python(stone)) for stream, stone in told))

    def _find(self, stream: str, key_class: KeyClass) -> DataKey | None:
        name = (stream, key_class)
        if name in self._gone:
            return None
        if key := self._cache.get(name):
            self._cache.move_to_end(name)
            return key
        try:
            stored = json.loads(self._file(stream, key_class).read_text())
        except FileNotFoundError:
            return None
        key = DataKey(stored["id"], aes_key_unwrap_with_padding(self._kek, b64decode(stored["wrapped"])))
        self._cache[name] = key
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return key

    def _make(self, stream: str, key_class: KeyClass) -> DataKey | None:
        """The first of several processes wins; all answer with its key."""
        wrapped = aes_key_wrap_with_padding(self._kek, secrets.token_bytes(BITS // 8))
        key_id = secrets.token_hex(8)
        content = json.dumps(
            {"id": key_id, "stream": stream, "class": key_class, "wrapped": b64encode(wrapped).decode()}
        )
        draft = self._folder / f".{key_id}"
        write(draft, content.encode())
        publish(draft, self._file(stream, key_class))
        return self._find(stream, key_class)

    def _note_destroyed(self, stream: str, key_class: KeyClass, stone: Tombstone | None) -> None:
        new = not self._list.exists()
        said = {"stone": STONE.dump_python(stone, mode="json")} if stone else {}
        # The first newline ends what a crash may have left half-written.
        line = "\n" + json.dumps({"stream": stream, "class": key_class, **said}) + "\n"
        write(self._list, line.encode(), os.O_APPEND)
        if new:
            sync_folder(self._list.parent)

    def _reapply(self) -> None:
        """Take in what any process has destroyed since, and remove what a restored folder brought back."""
        try:
            status = self._list.stat()
        except FileNotFoundError:
            return
        seen = (status.st_mtime_ns, status.st_size)
        if seen == self._list_seen:
            return
        self._gone = set(destroyed_in(self._list))
        for stream, key_class in self._gone:
            self._cache.pop((stream, key_class), None)
            self._file(stream, key_class).unlink(missing_ok=True)
        sync_folder(self._folder)
        self._list_seen = seen

    def _file(self, stream: str, key_class: KeyClass) -> Path:
        return self._folder / f"{quote(stream, safe='')}.{key_class}"


def destroyed_in(file: Path) -> frozenset[Name]:
    """Streams and classes of every key a list names; none where there is no list."""
    return frozenset((entry["stream"], entry["class"]) for entry in _entries(file))


def merge_destroyed(other: Path, into: Path) -> None:
    """Add what another list names; nothing is ever taken off a list."""
    if other.exists():
        into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(into, b"\n" + other.read_bytes() + b"\n", os.O_APPEND)
        sync_folder(into.parent)


def _entries(file: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a list; half a line is a destruction that a crash cut short and nobody was told of."""
    for line in file.read_text().split("\n") if file.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _kek(file: Path, *, make: bool) -> bytes:
    """The key encryption key; made only for a folder that holds no keys yet."""
    if make and not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f".{secrets.token_hex(8)}")
        write(draft, secrets.token_bytes(BITS // 8))
        publish(draft, file)
    if file.stat().st_mode & 0o077:
        raise PermissionError("the key encryption key can be read by others; make its mode 0600")
    return file.read_bytes()
