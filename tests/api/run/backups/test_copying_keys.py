"""The keys of a backup are whole although cases go on, and are erased, while they are copied."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path

import pytest

from api.run.backups.make import copy_keys, require_keys
from infra.keys import FolderKeys
from infra.settings import Settings

pytestmark = pytest.mark.slow
STANDING = 200
"""Keys that nobody touches, so that copying them takes a while."""


def _busy(keys: FolderKeys, stop: threading.Event) -> None:
    """Make keys and destroy them, as cases do that go on meanwhile."""

    async def cases() -> None:
        for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
            await keys.for_sealing(f"case-{number}", ["identity"])
            await keys.destroy(f"case-{number}", "identity")

    asyncio.run(cases())


def test_keys_are_copied_while_others_are_made_and_destroyed(tmp_path: Path) -> None:
    where, stop = Settings(home=tmp_path / "home"), threading.Event()
    keys = FolderKeys(where.keys, kek=where.kek, destroyed=where.destroyed_keys)
    named = keys.mark()
    asyncio.run(_stand(keys))
    thread = threading.Thread(target=_busy, args=(keys, stop))
    thread.start()
    try:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir()
            copy_keys(where, folder)
            require_keys(where, folder, named)
            assert len(list((folder / "keys").glob("stands-*"))) == STANDING
    finally:
        stop.set()
        thread.join()


async def _stand(keys: FolderKeys) -> None:
    for number in range(STANDING):
        await keys.for_sealing(f"stands-{number}", ["identity"])
