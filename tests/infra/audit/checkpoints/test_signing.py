"""The log's keys: made once, announced in a chain, rotated without a moment in which nothing can sign."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.audit.checkpoints.note import BadNote, UnknownKey, key_of
from infra.audit.checkpoints.signing import SigningKeys, announced, chained
from infra.files import create

LOG = "caravel/here"


def test_the_first_key_is_made_once_whoever_asks_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as many:
        keys = set(many.map(lambda _: key_of(LOG, SigningKeys(tmp_path, LOG).current()), range(32)))
    assert keys == set(SigningKeys(tmp_path, LOG).known())
    assert len(keys) == 1


def test_a_rotated_key_is_vouched_for_by_the_one_before(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, LOG)
    first = key_of(LOG, keys.current())
    second, third = keys.rotate(), keys.rotate()
    assert keys.known() == [first, second, third]
    assert key_of(LOG, keys.current()) == third
    assert chained(keys.announcements(), LOG, [first]) == [first, second, third]
    assert [file.name for file in tmp_path.glob("private.*")] == ["private.3"]


def test_a_key_nobody_vouched_for_is_not_believed(tmp_path: Path) -> None:
    ours, theirs = SigningKeys(tmp_path / "a", LOG), SigningKeys(tmp_path / "b", LOG)
    first = key_of(LOG, ours.current())
    theirs.rotate()
    with pytest.raises(UnknownKey):
        chained([*ours.announcements(), theirs.announcements()[1]], LOG, [first])
    with pytest.raises(BadNote, match="no announcement of key 2"):
        announced(ours.announcements()[0][1], 2, LOG)
    with pytest.raises(BadNote, match="no announcement of key 1 of caravel/there"):
        announced(ours.announcements()[0][1], 1, "caravel/there")


@pytest.mark.parametrize("step", ["private.2", "announced.2"])
def test_a_rotation_cut_short_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    keys = SigningKeys(tmp_path, LOG)
    first = key_of(LOG, keys.current())

    def cut(file: Path, content: bytes) -> bytes:
        if file.name == step:
            raise KeyboardInterrupt
        return create(file, content)

    with monkeypatch.context() as cutting:
        cutting.setattr("infra.audit.checkpoints.signing.create", cut)
        with pytest.raises(KeyboardInterrupt):
            keys.rotate()
    assert key_of(LOG, keys.current()) == first
    second = keys.rotate()
    assert keys.known() == [first, second]
    assert key_of(LOG, keys.current()) == second


def test_a_key_others_can_read_is_not_used(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, LOG)
    keys.current()
    (tmp_path / "private.1").chmod(0o644)
    with pytest.raises(PermissionError, match="0600"):
        keys.current()


def test_with_an_older_copy_of_the_folder_a_new_key_gets_a_number_nobody_has(tmp_path: Path) -> None:
    """The second key was announced outside; the copy that was put back has only the first."""
    keys, older = SigningKeys(tmp_path / "now", LOG), SigningKeys(tmp_path / "older", LOG)
    first = key_of(LOG, keys.current())
    shutil.copytree(tmp_path / "now", tmp_path / "older", dirs_exist_ok=True)
    second = keys.rotate()
    third = older.rotate(keys.announcements())
    assert older.known() == [first, second, third]
    assert chained(older.announcements(), LOG, [first]) == [first, second, third]
    assert [file.name for file in (tmp_path / "older").glob("private.*")] == ["private.3"]


def test_what_was_announced_outside_by_others_stops_a_rotation(tmp_path: Path) -> None:
    keys, theirs = SigningKeys(tmp_path / "a", LOG), SigningKeys(tmp_path / "b", LOG)
    first = key_of(LOG, keys.current())
    theirs.rotate()
    with pytest.raises(UnknownKey):
        keys.rotate([theirs.announcements()[1]])
    assert keys.known() == [first]


def test_a_private_key_that_a_backup_brought_back_is_destroyed_again(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, LOG)
    keys.current()
    old = (tmp_path / "private.1").read_bytes()
    second = keys.rotate()
    create(tmp_path / "private.1", old)
    keys.forget_replaced()
    assert [file.name for file in tmp_path.glob("private.*")] == ["private.2"]
    assert key_of(LOG, keys.current()) == second
