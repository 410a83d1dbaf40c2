"""Keeps uploads that are not whole yet: pieces, encrypted with the case's key, in the store beside the documents.

An upload is a folder `open/PERSON/ID/` of objects: `told` says what it is for, `000000`, `000001` … are its pieces.
Each is a nonce of 12 bytes and AES-256-GCM of at most 1 MiB, bound to its place. So any process of the installation can
take the next piece, a piece that was cut off is not there, and destroying the case's key makes all of it unreadable.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import obstore
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import ObjectStore

from activities.ports import DocumentChanged, DocumentErased, Keys, OffsetDiffers, PartialUpload, TooManyUploads
from domain.core.personal import KeyClass

FOLDER, TOLD = "open/", "told"
PIECE, AROUND, NONCE = 1024 * 1024, 28, 12
"""Bytes of a piece; what encryption adds to it; of its nonce."""
MOST, WAITS = 5, timedelta(days=1)
"""Open uploads of one person at a time; how long one waits for its next piece [records.uploads]."""
NESTED = 3
"""Parts of an object's path before its own name."""
NAME = re.compile(r"[0-9a-f]{32}\.(identity|clinical)")
LABEL = b"caravel upload 1\n"


@dataclass(frozen=True, slots=True)
class PartialUploads:
    """Keeps uploads that are on their way."""

    store: ObjectStore
    keys: Keys

    async def begin(self, person: str, case: str, key_class: KeyClass, name: str, told: bytes) -> PartialUpload:
        """Begin an upload, or go on with the one of that name. Raises TooManyUploads, DocumentErased."""
        await self._sweep()
        upload = PartialUpload(_of(person), f"{_of(name)}.{key_class}", case, key_class)
        if not await self._sizes(upload):
            others = await self._folders(upload.person)
            if len(others) >= MOST:
                raise TooManyUploads
            await self._put(upload, TOLD, told, await self._cipher(upload))
        return upload

    async def find(self, person: str, case: str, name: str) -> tuple[PartialUpload, bytes] | None:
        """Return an upload of this person and case, and what it is for; None = there is none, or it waited too long.

        Raises DocumentErased.
        """
        known = NAME.fullmatch(name)
        if known is None:
            return None
        upload = PartialUpload(_of(person), name, case, "identity" if known[1] == "identity" else "clinical")
        try:
            return upload, await self._get(upload, TOLD, await self._cipher(upload))
        except DocumentChanged:
            return None

    async def offset(self, upload: PartialUpload) -> int:
        """Return how many bytes of it are kept."""
        return sum(size for name, size in await self._sizes(upload) if name != TOLD)

    async def append(self, upload: PartialUpload, offset: int, content: AsyncIterator[bytes]) -> int:
        """Keep what comes from `offset` on, piece by piece; return where it ends.

        What came before a line breaks stays, but for a part of a piece. Raises OffsetDiffers where another piece is
        there, and whatever reading `content` raises.
        """
        sizes = await self._sizes(upload)
        if offset != sum(size for name, size in sizes if name != TOLD):
            raise OffsetDiffers
        cipher = await self._cipher(upload)
        number, piece, filled = len(sizes) - 1, memoryview(bytearray(PIECE)), 0
        async for part in content:
            taken = 0
            while taken < len(part):
                fits = min(len(part) - taken, PIECE - filled)
                piece[filled : filled + fits] = part[taken : taken + fits]
                taken, filled = taken + fits, filled + fits
                if filled == PIECE:
                    await self._put(upload, f"{number:06}", piece, cipher)
                    number, offset, filled = number + 1, offset + PIECE, 0
        if filled:
            await self._put(upload, f"{number:06}", piece[:filled], cipher)
        return offset + filled

    async def content(self, upload: PartialUpload) -> AsyncIterator[bytes]:
        """Yield all of it that is kept. Raises DocumentErased, DocumentChanged."""
        cipher = await self._cipher(upload)
        for name, _ in await self._sizes(upload):
            if name != TOLD:
                yield await self._get(upload, name, cipher)

    async def remove(self, upload: PartialUpload) -> None:
        """Take it away."""
        for name, _ in await self._sizes(upload):
            await self._delete(f"{_folder(upload)}{name}")

    async def clear(self, case: str) -> None:
        """Take away every upload of a case while its keys can still tell which are its own: no place is held for it."""
        told = set[tuple[str, str]]()
        async for batch in obstore.list(self.store, FOLDER):
            told |= {(path[1], path[2]) for one in batch if len(path := str(one["path"]).split("/")) > NESTED}
        for person, name in sorted(told):
            if known := NAME.fullmatch(name):
                upload = PartialUpload(person, name, case, "identity" if known[1] == "identity" else "clinical")
                with suppress(DocumentChanged, DocumentErased):
                    await self._get(upload, TOLD, await self._cipher(upload))
                    await self.remove(upload)

    async def _sizes(self, upload: PartialUpload) -> Sequence[tuple[str, int]]:
        """The objects of an upload by name, with the bytes they hold; `told` is the last."""
        found = list[tuple[str, int]]()
        async for batch in obstore.list(self.store, _folder(upload)):
            found += [(str(one["path"]).rpartition("/")[2], one["size"] - AROUND) for one in batch]
        return sorted(found)

    async def _folders(self, person: str) -> set[str]:
        found = set[str]()
        async for batch in obstore.list(self.store, f"{FOLDER}{person}/"):
            found |= {str(one["path"]).split("/")[2] for one in batch}
        return found

    async def _sweep(self) -> None:
        """Take away uploads none of whose pieces came within a day."""
        newest: dict[str, datetime] = {}
        async for batch in obstore.list(self.store, FOLDER):
            for one in batch:
                folder = str(one["path"]).rpartition("/")[0]
                newest[folder] = max(newest.get(folder, one["last_modified"]), one["last_modified"])
        before = datetime.now(UTC) - WAITS
        for folder in (name for name, at in newest.items() if at < before):
            async for batch in obstore.list(self.store, f"{folder}/"):
                for one in batch:
                    await self._delete(one["path"])

    async def _delete(self, path: str) -> None:
        """Take an object away, whoever else does so at the same time."""
        with suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self.store, path)

    async def _put(self, upload: PartialUpload, name: str, content: bytes | memoryview, cipher: AESGCM) -> None:
        sealed = await asyncio.to_thread(_sealed, cipher, name, content)
        try:
            await obstore.put_async(self.store, f"{_folder(upload)}{name}", sealed, mode="create", use_multipart=False)
        except AlreadyExistsError:
            raise OffsetDiffers from None

    async def _get(self, upload: PartialUpload, name: str, cipher: AESGCM) -> bytes:
        try:
            answer: Any = await obstore.get_async(self.store, f"{_folder(upload)}{name}")
            sealed = memoryview(await answer.bytes_async())
            return await asyncio.to_thread(cipher.decrypt, sealed[:NONCE], sealed[NONCE:], name.encode())
        except (InvalidTag, ValueError, NotFoundError, FileNotFoundError):
            raise DocumentChanged from None

    async def _cipher(self, upload: PartialUpload) -> AESGCM:
        key = (await self.keys.for_sealing(upload.case, [upload.key_class])).get(upload.key_class)
        if key is None:
            raise DocumentErased
        about = LABEL + upload.case.encode() + b"\n" + upload.name.encode()
        return AESGCM(HKDF(hashes.SHA256(), 32, upload.person.encode(), about).derive(key.secret))


def _sealed(cipher: AESGCM, name: str, content: bytes | memoryview) -> bytearray:
    """Return a piece as it is stored, encrypted in place."""
    sealed = bytearray(AROUND + len(content))
    sealed[:NONCE] = nonce = secrets.token_bytes(NONCE)
    cipher.encrypt_into(nonce, content, name.encode(), memoryview(sealed)[NONCE:])
    return sealed


def _folder(upload: PartialUpload) -> str:
    return f"{FOLDER}{upload.person}/{upload.name}/"


def _of(text: str) -> str:
    """Make the name of a folder that says nothing."""
    return sha256(text.encode()).hexdigest()[:32]
