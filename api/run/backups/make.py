"""Makes a backup: the database first, then documents, then keys, so that nothing kept lacks its key."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from obstore.exceptions import BaseError

from api.run.backups.end_mark import BackupFailed, finish
from api.run.backups.programs import run_program
from infra.documents import copy_all, store_of
from infra.keys import FolderKeys
from infra.ledger.schema.whole import snapshot
from infra.settings import Settings


async def backup(settings: Settings, into: Path) -> Path:
    """Write `into/caravel-<instant>/`: the dump, documents, keys, the list of destroyed keys, and last the end mark.

    A key is made, and a document stored, before the event that needs it is recorded: copied after the dump, they are
    never too few. Raises BackupFailed; what it leaves then has no end mark, and `recover` refuses it.
    """
    now = datetime.now(UTC)
    folder = into / f"caravel-{now:%Y%m%dT%H%M%SZ}"
    dsn = settings.database_url.get_secret_value()
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
        async with snapshot(dsn) as (name, taken):
            await run_program(
                "pg_dump", dsn, "--format=custom", f"--snapshot={name}", f"--file={folder / 'database.dump'}"
            )
        await copy_all(store_of(settings.documents, settings.document_folder), store_of("", folder / "documents"))
        await asyncio.to_thread(copy_keys, settings, folder)
        await asyncio.to_thread(require_keys, settings, folder, taken.keys)
        await asyncio.to_thread(finish, folder, settings.installation, now, taken)
    except shutil.Error as error:
        raise BackupFailed(f"{error.args[0][0][2]}; {folder} is no backup") from error
    except (OSError, BaseError) as error:
        raise BackupFailed(f"{error}; {folder} is no backup") from error
    return folder


def copy_keys(settings: Settings, folder: Path) -> None:
    """Copy keys, and after them the list: what is destroyed meanwhile is missing among them, or stands on it."""
    for source in (settings.keys, settings.signing):
        if source.exists():
            # Processes go on: a name with a point in front is a draft, and what is destroyed is not there any more.
            ignored = shutil.ignore_patterns(".*")
            shutil.copytree(source, folder / source.name, ignore=ignored, copy_function=_copy_if_there)
    for source in (settings.kek, settings.destroyed_keys):
        if source.exists():
            shutil.copy2(source, folder / source.name)


def _copy_if_there(source: str, target: str) -> None:
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)


def require_keys(settings: Settings, folder: Path, named: str) -> None:
    """Raise BackupFailed where what was copied are not the keys the ledger names: such a backup brings nobody back."""
    keys, kek, destroyed = (folder / one.name for one in (settings.keys, settings.kek, settings.destroyed_keys))
    if named and FolderKeys(keys, kek=kek, destroyed=destroyed).fingerprint() != named:
        raise BackupFailed(
            f"the keys in {settings.home} are not those this ledger names; {folder} is no backup. "
            "Set CARAVEL_HOME to the folder that holds them; `caravel doctor` says whether it does"
        )
