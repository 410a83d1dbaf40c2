"""Documents in blocks: whatever comes in comes out, as the format says it byte by byte, on whichever disk it lies."""

from __future__ import annotations

import errno
import json
import secrets
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.store import LocalStore, MemoryStore, ObjectStore

from activities.ports import DataKey, DocumentChanged
from domain.core.personal import KeyClass
from infra.documents import BLOCK, CHUNK, MAGIC, SALT, TAG, StoredDocuments

CASE, KEY = "case-1", DataKey("key-1", secrets.token_bytes(32))
MOST = BLOCK * CHUNK
SIZES = (1, CHUNK - 1, CHUNK, CHUNK + 1, MOST - 1, MOST, MOST + 1, 2 * MOST, 2 * MOST + CHUNK + 1)


class OneKey:
    """Keys of one case."""

    async def for_sealing(self, _: str, classes: Iterable[KeyClass]) -> dict[KeyClass, DataKey | None]:
        return dict.fromkeys(classes, KEY)

    async def for_opening(self, _: str) -> dict[KeyClass, DataKey | None]:
        return {"clinical": KEY}


def kept_in(store: ObjectStore, folder: Path) -> StoredDocuments:
    return StoredDocuments(store, OneKey(), folder / "spool")  # type: ignore[arg-type] # what is asked of keys here


async def parts(content: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def keep(documents: StoredDocuments, content: bytes, size: int = 60_000) -> str:
    return (await documents.keep(CASE, "clinical", "application/pdf", parts(content, size))).name


async def read(documents: StoredDocuments, name: str) -> bytes:
    return b"".join([part async for part in (await documents.open(CASE, name)).content])


def sealed(content: bytes) -> bytes:
    """The format written plainly: chunk after chunk, the last one marked in its nonce."""
    text = json.dumps({"class": "clinical", "key": KEY.id, "media_type": "application/pdf"}).encode()
    salt = secrets.token_bytes(SALT)
    about = MAGIC + len(CASE).to_bytes(2) + CASE.encode() + text
    cipher = AESGCM(HKDF(hashes.SHA256(), 32, salt, about).derive(KEY.secret))
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    written = [
        cipher.encrypt(n.to_bytes(11) + bytes([n == len(chunks) - 1]), one, None) for n, one in enumerate(chunks)
    ]
    return MAGIC + len(text).to_bytes(2) + text + salt + b"".join(written)


@pytest.mark.parametrize("size", SIZES)
async def test_what_goes_in_comes_out_from_a_folder_and_from_elsewhere(tmp_path: Path, size: int) -> None:
    content = secrets.token_bytes(size)
    for store in (LocalStore(tmp_path / "store", mkdir=True), MemoryStore()):
        documents = kept_in(store, tmp_path)
        for part in (1 << 16, 3 * MOST):
            assert await read(documents, await keep(documents, content, part)) == content
    assert not list((tmp_path / "spool").iterdir())


@pytest.mark.parametrize("size", SIZES)
async def test_the_format_is_the_one_that_was_always_written(tmp_path: Path, size: int) -> None:
    """So that documents kept before still open, and those kept now would have opened then."""
    folder = tmp_path / "store"
    content, documents = secrets.token_bytes(size), kept_in(LocalStore(folder, mkdir=True), tmp_path)
    before = sealed(content)
    name = sha256(before).hexdigest()
    (folder / name).write_bytes(before)
    assert await read(documents, name) == content
    assert (folder / await keep(documents, content)).stat().st_size == len(before)


async def test_a_chunk_that_is_missing_or_swapped_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    documents = kept_in(LocalStore(folder, mkdir=True), tmp_path)
    whole = sealed(secrets.token_bytes(2 * MOST + 5))
    one = CHUNK + TAG
    start = len(whole) - (5 + TAG) - 2 * BLOCK * one
    swapped = (
        whole[:start] + whole[start + one : start + 2 * one] + whole[start : start + one] + whole[start + 2 * one :]
    )
    for wrong in (whole[: -(5 + TAG)], whole[:-one], swapped):
        name = sha256(wrong).hexdigest()
        (folder / name).write_bytes(wrong)
        with pytest.raises(DocumentChanged):
            await read(documents, name)


async def test_a_folder_on_another_disk_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_disk(_: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "another disk", str(target))

    monkeypatch.setattr(Path, "hardlink_to", other_disk)
    folder, content = tmp_path / "store", secrets.token_bytes(MOST + 9)
    documents = kept_in(LocalStore(folder, mkdir=True), tmp_path)
    name = await keep(documents, content)
    assert await read(documents, name) == content
    assert [one.name for one in folder.iterdir()] == [name]


async def test_a_line_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * MOST)
        yield bytes(2 * MOST)
        raise ConnectionResetError

    folder = tmp_path / "store"
    documents = kept_in(LocalStore(folder, mkdir=True), tmp_path)
    with pytest.raises(ConnectionResetError):
        await documents.keep(CASE, "clinical", "application/pdf", broken())
    assert not [*folder.iterdir(), *(tmp_path / "spool").iterdir()]
