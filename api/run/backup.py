"""A backup that restores: the database first, then documents, then keys, so that nothing kept lacks its key."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from infra.documents import copy_all, store_of
from infra.postgres_programs import find_binaries
from infra.settings import Settings


class BackupFailed(RuntimeError):
    """The dump did not come off; the text is the last line of what pg_dump said."""


async def backup(settings: Settings, into: Path) -> Path:
    """Write `into/caravel-<instant>/` with the dump, documents, keys and the list of destroyed keys.

    A key is made, and a document stored, before the event that needs it is recorded: copied after the dump, they are
    never too few. The
    list of destroyed keys must be merged into a restored one, never replace it. Raises BackupFailed.
    """
    folder = into / f"caravel-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
    await _dump(settings.database_url.get_secret_value(), folder / "database.dump")
    await copy_all(store_of(settings.documents, settings.document_folder), folder / "documents")
    await asyncio.to_thread(_copy, settings, folder)
    return folder


async def _dump(dsn: str, target: Path) -> None:
    url = urlsplit(dsn)
    place = url._replace(netloc=url.netloc.replace(f":{url.password}@", "@")) if url.password else url
    process = await asyncio.create_subprocess_exec(
        str(find_binaries() / "pg_dump"),
        "--format=custom",
        f"--file={target}",
        f"--dbname={place.geturl()}",
        env={**os.environ, "PGPASSWORD": url.password or ""},  # not among the words every user of the machine can see
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise BackupFailed(said.decode(errors="replace").strip().splitlines()[-1])


def _copy(settings: Settings, folder: Path) -> None:
    for source in (settings.keys, settings.signing):
        if source.exists():
            shutil.copytree(source, folder / source.name)
    for source in (settings.kek, settings.destroyed_keys):
        if source.exists():
            shutil.copy2(source, folder / source.name)
