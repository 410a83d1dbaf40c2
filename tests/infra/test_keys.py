"""Key files and the list of destroyed keys are whole or not there, also on a disk that is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.core.errors import Refused
from infra.destroyed_keys import destroyed_in, merge_destroyed
from infra.files import create
from infra.keys import FolderKeys
from tests.infra.ledger.cases import folder_keys

LONG = 100_000
"""Bytes after which nothing fits any more: more than anything else here writes meanwhile."""
EMPTY = (" " * 999 + "\n") * (LONG // 1000)
"""So many bytes of a list that names nothing."""


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file of this process grows beyond that many bytes: what no longer fits is cut short, then refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("room", [0, 10])
async def test_a_full_disk_leaves_no_half_key(tmp_path: Path, room: int) -> None:
    keys = folder_keys(tmp_path)
    with full_after(room), pytest.raises(OSError, match=r"space|large"):
        await keys.for_sealing("case-1", ["identity"])
    assert files(tmp_path) == [], "no key encryption key either"
    await keys.for_sealing("case-1", ["identity"])
    before = files(tmp_path)
    with full_after(room), pytest.raises(OSError, match=r"space|large"):
        await keys.for_sealing("case-2", ["identity"])
    assert files(tmp_path) == before == ["keys/case-1.identity", "kek"][::-1]
    with full_after(room), pytest.raises(OSError, match=r"space|large"):
        create(tmp_path / "signing", b"a file of another kind")
    assert files(tmp_path) == before


@pytest.mark.parametrize("room", [0, 1, 30])
async def test_what_the_list_could_not_take_is_not_destroyed(tmp_path: Path, room: int) -> None:
    keys, listed = folder_keys(tmp_path), tmp_path / "destroyed"
    await keys.for_sealing("case-1", ["identity"])
    listed.write_text(EMPTY)
    with full_after(LONG + room), pytest.raises(OSError, match=r"space|large"):
        await keys.destroy("case-1", "identity")
    for known in (keys, folder_keys(tmp_path)):
        assert known.destroyed() == frozenset()
        assert (await known.for_opening("case-1"))["identity"] is not None, "nobody was told that it is gone"
    await keys.destroy("case-1", "identity")
    assert destroyed_in(listed) == {("case-1", "identity")}, "what was cut short spoils nothing"
    assert await folder_keys(tmp_path).for_opening("case-1") == {"identity": None}


async def test_a_disk_that_does_not_keep_what_it_takes_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = folder_keys(tmp_path)
    await keys.for_sealing("case-1", ["identity"])
    monkeypatch.setattr("infra.destroyed_keys.append", lambda *_: None)
    with pytest.raises(OSError, match="does not hold"):
        await keys.destroy("case-1", "identity")
    assert (await keys.for_opening("case-1"))["identity"] is not None


async def test_a_list_is_merged_whole_or_the_merging_fails(tmp_path: Path) -> None:
    other, into = tmp_path / "other", tmp_path / "into"
    other.write_text('\n{"stream": "case-1", "class": "identity"}\n')
    into.write_text(EMPTY)
    with full_after(LONG + 20), pytest.raises(OSError, match=r"space|large"):
        merge_destroyed(other, into)
    merge_destroyed(other, into)
    assert destroyed_in(into) == {("case-1", "identity")}


async def test_keys_wrapped_by_another_key_are_not_here_rather_than_erased(tmp_path: Path) -> None:
    await folder_keys(tmp_path).for_sealing("case-1", ["identity"])
    (tmp_path / "other").mkdir()
    other = folder_keys(tmp_path / "other")
    await other.for_sealing("case-2", ["identity"])
    mixed = FolderKeys(tmp_path / "keys", kek=tmp_path / "other" / "kek", destroyed=tmp_path / "destroyed")
    assert await mixed.for_opening("case-1") == {}


async def test_a_fingerprint_is_of_folder_and_wrapping_key_and_tells_neither(tmp_path: Path) -> None:
    keys = folder_keys(tmp_path)
    assert keys.fingerprint() == ""
    named = keys.mark()
    assert named == folder_keys(tmp_path).fingerprint() == folder_keys(tmp_path).mark()
    kek = (tmp_path / "kek").read_bytes()
    assert (kek.hex() in named, bytes.fromhex(named) in kek, len(named)) == (False, False, 64)
    (tmp_path / "keys" / "fingerprint").unlink()
    assert folder_keys(tmp_path).fingerprint() == "", "an empty folder beside the right wrapping key is not the folder"
    (tmp_path / "keys" / "fingerprint").write_text(named)
    (tmp_path / "kek").unlink()
    assert folder_keys(tmp_path).fingerprint() == ""


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"id": "1", "wrapped": "!"}', b'{"id": "1"'])
async def test_a_key_file_that_is_not_whole_is_no_key_and_nothing_is_sealed_without_it(
    tmp_path: Path, content: bytes
) -> None:
    """Full disks left empty ones before; what is sealed with no key would be lost."""
    await folder_keys(tmp_path).for_sealing("case-1", ["identity", "clinical"])
    (tmp_path / "keys" / "case-1.identity").write_bytes(content)
    keys = folder_keys(tmp_path)
    assert set(await keys.for_opening("case-1")) == {"clinical"}, "the control: the other one opens"
    with pytest.raises(Refused, match="cannot be read"):
        await keys.for_sealing("case-1", ["identity"])
    assert set(await keys.for_sealing("case-1", ["clinical"])) == {"clinical"}


@pytest.mark.parametrize("content", [b"", b"short", b"k" * 33])
async def test_a_wrapping_key_that_is_not_whole_is_none(tmp_path: Path, content: bytes) -> None:
    await folder_keys(tmp_path).for_sealing("case-1", ["identity"])
    (tmp_path / "kek").write_bytes(content)
    keys = folder_keys(tmp_path)
    assert await keys.for_opening("case-1") == {}
    with pytest.raises(Refused, match="put `kek` back"):
        await keys.for_sealing("case-2", ["identity"])


async def test_in_another_folder_than_the_named_one_nothing_is_sealed_or_destroyed(tmp_path: Path) -> None:
    """The volume went away under a process that has the key in memory; an empty folder is in its place."""
    home, aside = tmp_path / "home", tmp_path / "aside"
    home.mkdir()
    keys = folder_keys(home)
    keys.hold_to(keys.mark())
    await keys.for_sealing("case-1", ["identity"])
    home.rename(aside)
    home.mkdir()
    with pytest.raises(Refused, match="not here any more"):
        await keys.destroy("case-1", "identity")
    with pytest.raises(Refused, match="not here any more"):
        await keys.for_sealing("case-1", ["identity"])
    assert files(home) == []
    home.rmdir()
    aside.rename(home)
    await keys.destroy("case-1", "identity")
    assert await folder_keys(home).for_opening("case-1") == {"identity": None}, (
        "the control: with its folder it is done"
    )
