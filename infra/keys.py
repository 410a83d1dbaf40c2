"""Data keys in a folder of files: the KeyService of the embedded mode."""

import asyncio
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from activities.ports import DataKey, Keyring
from domain.case.erasure import Tombstone
from domain.core.errors import Reason, Refused, require
from domain.core.personal import KEY_CLASSES, KeyClass
from infra.destroyed_keys import Name, destroyed_in, note_destroyed, tombstones_in
from infra.files import create, publish, sync_folder, write

BITS = 256
CACHED = 10_000
MARKER = "fingerprint"
"""A file among the keys with the fingerprint of what wraps them; a key's name ends with a point and its class."""
FileStamp = tuple[int, int, int, int] | None
"""Which file stands somewhere, when it was last written, and its bytes; None = none does."""
LABEL = b"caravel key folder 1"
AWAY = "the key folder this ledger names is not here any more; nothing is sealed and no key destroyed until it is back"
UNREADABLE = (
    "a key file of this history cannot be read on this machine; put the right one back, or remove one that is empty"
)


class FolderKeys:
    """Keeps one file a key, wrapped (AES-KWP) under the key in `kek`; several processes may share them.

    `destroyed` lists what was destroyed and must not lie in `folder`: a restored old folder is held against it.
    Nothing is made before the first key is asked for, or the folder is marked.
    """

    def __init__(self, folder: Path, *, kek: Path, destroyed: Path) -> None:
        if destroyed.parent.resolve() == folder.resolve():
            raise ValueError("the list of destroyed keys must not be restored together with the keys")
        self._folder = folder
        self._kek_file = kek
        self._kek: bytes | None = None
        self._of_kek = ""
        self._list = destroyed
        self._list_seen: FileStamp = None
        self._marker = folder / MARKER
        self._marker_seen: tuple[FileStamp, str] = (None, "")
        self._gone: frozenset[Name] = frozenset()
        self._cache: OrderedDict[Name, DataKey] = OrderedDict()
        self._named = self._refused = ""
        self._wrapping()
        self._reapply()

    def wrapping_fingerprint(self) -> str:
        """Return an HMAC under the key encryption key, which does not tell it; empty where that key is missing."""
        if not self._of_kek and (kek := self._wrapping()):
            self._of_kek = hmac.digest(kek, LABEL, "sha256").hex()
        return self._of_kek

    def fingerprint(self) -> str:
        """Return the same where the folder is marked with it too; empty where the keys are another's, or not there."""
        found = _stamp(self._marker)
        if found != self._marker_seen[0]:  # asked with every append, and the folder may be another's since
            self._marker_seen = found, self._marker.read_text() if found else ""
        of_kek = self.wrapping_fingerprint()
        return of_kek if self._marker_seen[1] == of_kek else ""

    def mark(self) -> str:
        """Mark the folder, with a key encryption key of its own where it holds nothing yet; return its fingerprint."""
        self._made_wrapping()
        create(self._marker, self.wrapping_fingerprint().encode())
        return self.fingerprint()

    def hold_to(self, fingerprint: str) -> None:
        """Seal, and destroy keys, only as long as the folder is the one of this fingerprint."""
        self._named = fingerprint

    def refuse(self, why: str) -> None:
        """Seal nothing and destroy no key here: the ledger's keys are somewhere else."""
        self._refused = why

    async def for_sealing(self, stream: str, classes: Collection[KeyClass]) -> Mapping[KeyClass, DataKey]:
        """Return the keys of these classes, made and on disk where they were missing; never a destroyed one.

        Raises Refused(READ_ONLY) where the folder is not the one it is held to, or a key that is there cannot be read.
        """
        self._require_here()
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
        """Note the key on the list first, then remove the file: the next start finishes whatever a crash leaves.

        Raises OSError where the list does not hold it afterwards, Refused(READ_ONLY) where the folder is not the one it
        is held to (the file would be on another disk, and come back with it); then the key is still there.
        """
        self._require_here()
        await asyncio.to_thread(note_destroyed, self._list, stream, key_class, stone)
        self._reapply()

    def destroyed(self) -> frozenset[Name]:
        """Streams and classes of every key that was destroyed, by whatever process."""
        self._reapply()
        return self._gone

    def tombstones(self) -> Collection[tuple[str, Tombstone]]:
        """List of whom something was erased, and what; the oldest first, each once."""
        return tombstones_in(self._list)

    def _find(self, stream: str, key_class: KeyClass) -> DataKey | None:
        """A key that is here and opens; one that another key encryption key wrapped is not."""
        name = (stream, key_class)
        if name in self._gone:
            return None
        if key := self._cache.get(name):
            self._cache.move_to_end(name)
            return key
        try:
            key = _unwrapped(self._file(stream, key_class).read_bytes(), self._wrapping())
        except FileNotFoundError:
            return None
        if key is None:
            return None
        self._cache[name] = key
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return key

    def _make(self, stream: str, key_class: KeyClass) -> DataKey | None:
        """The first of several processes wins; all answer with its key."""
        wrapped = aes_key_wrap_with_padding(self._made_wrapping(), secrets.token_bytes(BITS // 8))
        key_id = secrets.token_hex(8)
        content = json.dumps(
            {"id": key_id, "stream": stream, "class": key_class, "wrapped": b64encode(wrapped).decode()}
        )
        draft = self._folder / f".{key_id}"
        write(draft, content.encode())
        publish(draft, self._file(stream, key_class))
        key = self._find(stream, key_class)
        require(key or (stream, key_class) in self._gone, Reason.READ_ONLY, UNREADABLE)
        return key

    def _require_here(self) -> None:
        """Raise Refused(READ_ONLY) where the folder is not, or not any more, the one the ledger names."""
        require(not self._refused, Reason.READ_ONLY, self._refused)
        require(self.fingerprint() == self._named or not self._named, Reason.READ_ONLY, AWAY)

    def _reapply(self) -> None:
        """Take in what any process has destroyed since, and remove what a restored folder brought back."""
        seen = _stamp(self._list)
        if seen in (None, self._list_seen):
            return
        self._gone = destroyed_in(self._list)
        for stream, key_class in self._gone:
            self._cache.pop((stream, key_class), None)
            self._file(stream, key_class).unlink(missing_ok=True)
        if self._folder.exists():
            sync_folder(self._folder)
        self._list_seen = seen

    def _file(self, stream: str, key_class: KeyClass) -> Path:
        return self._folder / f"{quote(stream, safe='')}.{key_class}"

    def _wrapping(self) -> bytes | None:
        """The key encryption key; None where it is missing or not whole."""
        if self._kek is None:
            found = _private(self._kek_file)
            self._kek = found if found and len(found) == BITS // 8 else None
        return self._kek

    def _made_wrapping(self) -> bytes:
        """The same, made for a folder that holds no keys yet."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(self._folder.iterdir()) and not self._kek_file.exists():
            self._kek_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create(self._kek_file, secrets.token_bytes(BITS // 8))
        kek = self._wrapping()
        if kek is None:
            raise Refused(
                Reason.READ_ONLY, "the key encryption key of these keys is missing or not whole; put `kek` back"
            )
        return kek


def _unwrapped(content: bytes, kek: bytes | None) -> DataKey | None:
    """What a key file holds; None where it is not whole, or another key encryption key wrapped it."""
    try:
        stored = json.loads(content)
        return DataKey(stored["id"], aes_key_unwrap_with_padding(kek, b64decode(stored["wrapped"]))) if kek else None
    except (ValueError, KeyError, TypeError, InvalidUnwrap):
        return None


def _stamp(file: Path) -> FileStamp:
    try:
        found = os.stat(file)  # noqa: PTH116 - a third of the time
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _private(file: Path) -> bytes | None:
    """What the file holds, None where it is missing. Raises PermissionError where others can read it."""
    if not file.exists():
        return None
    if file.stat().st_mode & 0o077:
        raise PermissionError("the key encryption key can be read by others; make its mode 0600")
    return file.read_bytes()
