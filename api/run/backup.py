"""A backup that restores: the database first, then documents, then keys, so that nothing kept lacks its key.

What was destroyed after it was made stays destroyed: the list of destroyed keys is kept apart, only ever grows, and the
keys a backup brings back are held against it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from activities.effect_handlers.erase import tell_again
from api.run.loss import Found, find
from api.run.sealing import signing_keys
from api.run.wiring import Parts, parts
from infra.documents import copy_all, store_of
from infra.embedded.postgres_programs import find_binaries
from infra.identity.capabilities import Capabilities
from infra.keys import FolderKeys, merge_destroyed
from infra.ledger.schema.migrate import migrate
from infra.ledger.schema.whole import count_events
from infra.settings import Settings


class BackupFailed(RuntimeError):
    """The backup failed; the text is the last line of pg_dump or pg_restore, or why it was not tried."""


async def backup(settings: Settings, into: Path) -> Path:
    """Write `into/caravel-<instant>/` with the dump, documents, keys and the list of destroyed keys.

    A key is made, and a document stored, before the event that needs it is recorded: copied after the dump, they are
    never too few. The
    list of destroyed keys must be merged into a restored one, never replace it. Raises BackupFailed.
    """
    folder = into / f"caravel-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
    await _dump(settings.database_url.get_secret_value(), folder / "database.dump")
    await copy_all(store_of(settings.documents, settings.document_folder), store_of("", folder / "documents"))
    await asyncio.to_thread(_copy, settings, folder)
    return folder


@dataclass(frozen=True, slots=True)
class Recovered:
    """Histories of which keys stay destroyed, and those of them whose tombstone the backup did not have yet."""

    erased: frozenset[str]
    told: Sequence[str]
    missing: Found | None = None
    """What checkpoints outside say the backup lacks; then nothing is recorded before a person accepts it."""


async def recover(settings: Settings, folder: Path) -> Recovered:
    """Put a backup into an installation without events, and record the tombstones it is too old to have.

    `settings.destroyed_keys` is what stood there before, and what the backup knew besides. Raises BackupFailed.
    """
    dsn = settings.database_url.get_secret_value()
    await migrate(dsn)  # the roles, which no dump has
    if await count_events(dsn):
        raise BackupFailed("this database holds events; a backup is put into an empty one only")
    await _run("pg_restore", dsn, "--clean", "--if-exists", "--exit-on-error", str(folder / "database.dump"))
    await migrate(dsn)
    await copy_all(store_of("", folder / "documents"), store_of(settings.documents, settings.document_folder))
    gone = await asyncio.to_thread(_put_back, settings, folder)
    async with parts(settings, connections=2) as here:
        missing = await find(here)
        return Recovered(gone, () if missing else await tombstones(here), missing)


async def tombstones(here: Parts) -> Sequence[str]:
    """Record, where the ledger lacks it, what was erased and on whose order; answers with the cases."""
    if here.ledger.read_only:
        return ()
    return await tell_again(here.commands, here.keys.tombstones(), Capabilities(here.ledger).clear)


def _put_back(settings: Settings, folder: Path) -> frozenset[str]:
    """The list first: a crash in between leaves no key that was destroyed."""
    merge_destroyed(folder / settings.destroyed_keys.name, settings.destroyed_keys)
    for target in (settings.keys, settings.signing):
        if (folder / target.name).exists():
            shutil.copytree(folder / target.name, target, dirs_exist_ok=True)
    if settings.signing.exists():
        signing_keys(settings).forget_replaced()
    if (folder / settings.kek.name).exists():
        shutil.copy2(folder / settings.kek.name, settings.kek)
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    return frozenset(stream for stream, _ in keys.destroyed())


async def _dump(dsn: str, target: Path) -> None:
    await _run("pg_dump", dsn, "--format=custom", f"--file={target}")


async def _run(program: str, dsn: str, *words: str) -> None:
    url = urlsplit(dsn)
    place = url._replace(netloc=url.netloc.replace(f":{url.password}@", "@")) if url.password else url
    process = await asyncio.create_subprocess_exec(
        str(find_binaries() / program),
        f"--dbname={place.geturl()}",
        *words,
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
