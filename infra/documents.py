"""Documents of cases: encrypted with the case's own key, kept in an object store, named by the hash of the ciphertext.

A kept document is MAGIC, two bytes of header length, the header (JSON: media type, key class, key id), 32 bytes of
salt, then chunks of AES-256-GCM: 64 KiB of content and a 16-byte tag each. The document's key is HKDF-SHA-256 of the
case's data key, with the salt, over case and header; a chunk's nonce is its number and whether it is the last, so that
nothing can be cut off, swapped or moved to another case.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import obstore
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from activities.ports import (
    DataKey,
    DocumentChanged,
    DocumentErased,
    DocumentKeyless,
    DocumentMissing,
    Kept,
    Keys,
    OpenedDocument,
)
from domain.core.personal import KEY_CLASSES, KeyClass

MAGIC = b"caravel document 1\n"
WHOLE = 8 * 1024 * 1024
"""Bytes that are handed to the store at once."""
CHUNK, TAG, SALT, NONCE = 64 * 1024, 16, 32, 12
BLOCK, PART = 16, 1024 * 1024
"""Chunks that are sealed or opened at once, and bytes that are read: a turn of loop and thread is paid once a MiB."""
ASIDE, WAITS = "aside/", timedelta(days=1)


def store_of(url: str, folder: Path) -> ObjectStore:
    """Open `s3://bucket/prefix` with AWS_* variables, or any other URL of obstore; without one the folder."""
    if url:
        return from_url(url)
    return LocalStore(folder, mkdir=True)


@dataclass(frozen=True, slots=True)
class StoredDocuments:
    """Keeps and opens. `spool` is a folder for what is on its way, encrypted already."""

    store: ObjectStore
    keys: Keys
    spool: Path

    async def keep(self, case: str, key_class: KeyClass, media_type: str, content: AsyncIterable[bytes]) -> Kept:
        """Encrypt, then store under the ciphertext's hash. Raises DocumentErased where the case's key is gone."""
        key = (await self.keys.for_sealing(case, [key_class])).get(key_class)
        if key is None:
            raise DocumentErased
        self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self.spool, prefix=".document-") as file:
            kept = await _encrypted(file, key, case, key_class, media_type, content)
            file.flush()
            await self._put(Path(file.name), kept)
        return kept

    async def _put(self, file: Path, kept: Kept) -> None:
        """Hand it to the store, in parts where it is large, so that no file is ever in memory as a whole."""
        name = kept.name
        try:
            if isinstance(self.store, LocalStore) and self.store.prefix:
                await asyncio.to_thread(_placed, file, Path(self.store.prefix) / name)
            elif kept.size > WHOLE:
                await obstore.put_async(self.store, name, file, use_multipart=True, chunk_size=WHOLE, max_concurrency=2)
            else:
                await obstore.put_async(self.store, name, file, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return  # the same bytes

    async def open(self, case: str, name: str, *, aside: bool = False) -> OpenedDocument:
        """Check every byte against the name, then hand out the content.

        Raises DocumentMissing, DocumentChanged, DocumentErased, DocumentKeyless.
        """
        place = ASIDE + name if aside else name
        header = await self._checked(name, place)
        keys = await self.keys.for_opening(case)
        key = keys.get(header.key_class)
        if key is None or key.id != header.key:
            raise DocumentErased if header.key_class in keys and key is None else DocumentKeyless
        return OpenedDocument(
            header.key_class, header.media_type, self._content(place, header, _cipher(key, case, header))
        )

    async def remove(self, name: str) -> None:
        """Take away what no case came to name."""
        await obstore.delete_async(self.store, name)

    async def put_aside(self, name: str) -> None:
        """Keep what no case came to name for another try within a day; what waited longer goes."""
        await obstore.rename_async(self.store, name, ASIDE + name)
        before = datetime.now(UTC) - WAITS
        async for batch in obstore.list(self.store, ASIDE):
            for old in (found["path"] for found in batch if found["last_modified"] < before):
                await obstore.delete_async(self.store, old)

    async def _blocks(self, place: str, start: int = 0, size: int = PART) -> AsyncIterator[bytes | memoryview]:
        """Yield what is stored from `start` on in blocks of that size, the last one as long as it is.

        A block holds until the second one after it is asked for: two rooms are read into by turns.
        """
        try:
            if isinstance(self.store, LocalStore) and self.store.prefix:  # which would stream in crumbs
                room, other = memoryview(bytearray(size)), memoryview(bytearray(size))
                with await asyncio.to_thread((Path(self.store.prefix) / place).open, "rb", buffering=0) as file:
                    while number := await asyncio.to_thread(os.preadv, file.fileno(), [room], start):
                        yield room[:number]
                        start, room, other = start + number, other, room
                return
            answer = await obstore.get_async(self.store, place)
            parts = (bytes(part) async for part in answer.stream(min_chunk_size=PART))
            async for block in _regrouped(parts, start, size):
                yield block
        except (NotFoundError, FileNotFoundError):
            raise DocumentMissing from None

    async def _checked(self, name: str, place: str) -> _Header:
        digest, start = sha256(), b""
        async for part in self._blocks(place):
            await asyncio.to_thread(digest.update, part)
            start = start or bytes(part)
        if digest.hexdigest() != name:
            raise DocumentChanged
        return _header(start)

    async def _content(self, place: str, header: _Header, cipher: AESGCM) -> AsyncIterator[bytes]:
        number, held = 0, memoryview(b"")
        async for block in self._blocks(place, header.size, BLOCK * (CHUNK + TAG)):
            if held:  # the last one is known by what follows it: nothing
                yield await asyncio.to_thread(_opened, cipher, number, held)
                number += BLOCK
            held = memoryview(block)
        yield await asyncio.to_thread(_opened, cipher, number, held, ends=True)


async def _regrouped(parts: AsyncIterable[bytes], start: int, size: int) -> AsyncIterator[bytes]:
    """Yield the same bytes without the first ones, in blocks of that size."""
    waiting = bytearray()
    async for part in parts:
        waiting += part[start:]
        start = max(0, start - len(part))
        while len(waiting) >= size:
            with memoryview(waiting) as view:
                block = bytes(view[:size])
            del waiting[:size]
            yield block
    if waiting:
        yield bytes(waiting)


@dataclass(frozen=True, slots=True)
class _Header:
    media_type: str
    key_class: KeyClass
    key: str
    text: bytes
    salt: bytes

    @property
    def size(self) -> int:
        return len(MAGIC) + 2 + len(self.text) + SALT


def _header(start: bytes) -> _Header:
    """Of a document whose bytes are the recorded ones. Raises DocumentChanged for what was never written here."""
    if not start.startswith(MAGIC):
        raise DocumentChanged
    at = len(MAGIC) + 2
    end = at + int.from_bytes(start[len(MAGIC) : at])
    told = json.loads(start[at:end])
    if told["class"] not in KEY_CLASSES:
        raise DocumentChanged
    return _Header(told["media_type"], told["class"], told["key"], start[at:end], start[end : end + SALT])


async def _encrypted(
    file: IO[bytes], key: DataKey, case: str, key_class: KeyClass, media_type: str, content: AsyncIterable[bytes]
) -> Kept:
    text = json.dumps({"class": key_class, "key": key.id, "media_type": media_type}).encode()
    header = _Header(media_type, key_class, key.id, text, secrets.token_bytes(SALT))
    sealing = _Sealing(file, _cipher(key, case, header), hmac.new(key.secret, b"caravel document", sha256))
    start = MAGIC + len(text).to_bytes(2) + text + header.salt
    running = asyncio.create_task(asyncio.to_thread(sealing.write, start))
    filling, sealed, filled, size = bytearray(BLOCK * CHUNK), bytearray(BLOCK * CHUNK), 0, 0
    try:
        async for part in content:
            taken, size = 0, size + len(part)
            while taken < len(part):
                if filled == len(filling):
                    await running  # one block is sealed while the next one comes in
                    running = asyncio.create_task(asyncio.to_thread(sealing.block, memoryview(filling)))
                    filling, sealed, filled = sealed, filling, 0
                number = min(len(part) - taken, len(filling) - filled)
                memoryview(filling)[filled : filled + number] = memoryview(part)[taken : taken + number]
                taken, filled = taken + number, filled + number
    finally:
        await running
    await asyncio.to_thread(sealing.block, memoryview(filling)[:filled], ends=True)
    return Kept(sealing.digest.hexdigest(), size, sealing.same.digest())


class _Sealing:
    """Encrypts chunk by chunk into a file; `digest` is of what stands there, `same` of content and the case's key."""

    def __init__(self, file: IO[bytes], cipher: AESGCM, same: hmac.HMAC) -> None:
        self._file = file
        self._cipher = cipher
        self._number = 0
        self._sealed = memoryview(bytearray(CHUNK + TAG))
        self.digest = sha256()
        self.same = same

    def write(self, part: bytes | memoryview) -> None:
        self.digest.update(part)
        self._file.write(part)

    def block(self, content: memoryview, *, ends: bool = False) -> None:
        """Seal some chunks, the last of all among them or not: each is read, sealed and written while it is at hand."""
        starts = range(0, len(content) or 1, CHUNK)
        for at in starts:
            nonce, chunk = _nonce(self._number, last=ends and at == starts[-1]), content[at : at + CHUNK]
            self.same.update(chunk)
            self.write(self._sealed[: self._cipher.encrypt_into(nonce, chunk, None, self._sealed[: len(chunk) + TAG])])
            self._number += 1


def _cipher(key: DataKey, case: str, header: _Header) -> AESGCM:
    about = MAGIC + len(case).to_bytes(2) + case.encode() + header.text
    return AESGCM(HKDF(hashes.SHA256(), 32, header.salt, about).derive(key.secret))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE - 1) + bytes([last])


def _opened(cipher: AESGCM, number: int, sealed: memoryview, *, ends: bool = False) -> bytes:
    """The content of some chunks, the last of all among them or not. Raises DocumentChanged."""
    starts = range(0, len(sealed) or 1, CHUNK + TAG)
    last = starts[-1] if ends else None
    try:
        return b"".join(
            cipher.decrypt(_nonce(number + n, last=at == last), sealed[at : at + CHUNK + TAG], None)
            for n, at in enumerate(starts)
        )
    except (InvalidTag, ValueError):
        raise DocumentChanged from None


def _placed(file: Path, name: Path) -> None:
    """Give a file its name in the folder of documents, durably; copied where that is another disk."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        name.hardlink_to(file)
    except FileExistsError:
        return  # the same bytes
    except OSError:  # another disk, or one without links
        beside = name.with_name(f".{name.name}.{secrets.token_hex(8)}")
        shutil.copyfile(file, beside)
        beside.rename(name)
    _durable(name)


def _durable(file: Path) -> None:
    """On disk, and its name too."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def copy_all(store: ObjectStore, target: ObjectStore) -> int:
    """Copy every document as it is stored, into a store that can stand in its place; return how many."""
    number = 0
    async for batch in obstore.list(store):
        for found in batch:
            answer = await obstore.get_async(store, found["path"])
            await obstore.put_async(target, found["path"], answer.stream())
            number += 1
    return number
