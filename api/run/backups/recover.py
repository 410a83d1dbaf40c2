"""Puts a backup back: keys, documents, and last the database in one transaction; then what is there now is checked.

What was destroyed after it was made stays destroyed: the list of destroyed keys is kept apart, only ever grows, and the
keys a backup brings back are held against it. Every step can be repeated, so a recovery that was cut short is begun
again with the same words.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from obstore.exceptions import BaseError

from activities.effect_handlers.erase import tell_again
from activities.ports import DocumentChanged, DocumentErased, DocumentKeyless, DocumentMissing
from api.run.backups.end_mark import BackupFailed, EndMark, read_whole
from api.run.backups.programs import run_program
from api.run.http_app import documents
from api.run.loss import Found, find, note_before_anybody_records
from api.run.sealing import signing_keys
from api.run.wiring import Parts, parts
from infra.destroyed_keys import merge_destroyed
from infra.documents import copy_all, store_of
from infra.files import sync_folder
from infra.identity.capabilities import Capabilities
from infra.keys import FolderKeys
from infra.ledger.schema.migrate import migrate
from infra.ledger.schema.whole import (
    differing_objects,
    documents_named,
    event_at,
    needed_keys,
    objects_of,
    recording_held,
)
from infra.settings import Settings

SAMPLE = 20
"""Documents that are opened at the end, chosen by chance."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """Histories of which keys stay destroyed, and those of them whose tombstone the backup did not have yet."""

    erased: frozenset[str]
    told: Sequence[str]
    missing: Found | None = None
    """What checkpoints outside say the backup lacks; then nothing is recorded before a person accepts it."""
    faults: Sequence[str] = ()
    """What the check at the end found: the backup was whole, what stands here now is not."""


async def recover(settings: Settings, folder: Path, progress: Progress = lambda _: None) -> Recovered:
    """Put a backup into an installation without events, and record the tombstones it is too old to have.

    An installation that holds this very backup, because an earlier recovery was cut short or is only repeated, is gone
    over once more. Who would record meanwhile waits until the events are back and what is lost of them is noted.
    `settings.destroyed_keys` is what stood there before, and what the backup knew besides. Raises
    BackupFailed before anything is changed: the backup is not whole, or something else stands where it would go; and
    where a disk is full or cannot be written to.
    """
    try:
        return await _recover(settings, folder, progress)
    except (ConnectionError, TimeoutError):
        raise  # the database is away
    except (OSError, BaseError) as error:
        raise BackupFailed(f"{error}; when that is mended, give the same words again") from error


async def _recover(settings: Settings, folder: Path, progress: Progress) -> Recovered:
    progress("holding every file of the backup against its end mark")
    mark = await asyncio.to_thread(read_whole, folder)
    await asyncio.to_thread(_refuse_other_keys, settings, folder, mark)
    dsn = settings.database_url.get_secret_value()
    await migrate(dsn)  # the roles, which no dump has
    async with recording_held(dsn) as connection:
        held = await event_at(connection, mark.taken.position)
        if held.events and held.hash != mark.taken.hash:
            raise BackupFailed("this database holds other events; a backup is put into an empty one only")
        progress(f"putting back {len(mark.files)} files: keys and documents")
        gone = await asyncio.to_thread(_put_keys, settings, folder, mark)
        if (folder / "documents").exists():
            await copy_all(store_of("", folder / "documents"), store_of(settings.documents, settings.document_folder))
        if not held.events:
            progress(f"putting back {mark.taken.position} events")
            await _put_database(dsn, folder)
        progress("checking what is there now")
        faults = await _schema_faults(dsn, mark)
        await migrate(dsn)
        await note_before_anybody_records(settings, connection)
    async with parts(settings, connections=2) as here:
        faults += [*await _key_faults(here, dsn), *await _document_faults(here, dsn)]
        missing = await find(here)
        return Recovered(gone, () if missing else await tombstones(here), missing, faults)


async def tombstones(here: Parts) -> Sequence[str]:
    """Record, where the ledger lacks it, what was erased and on whose order; answers with the cases."""
    if here.ledger.read_only:
        return ()
    return await tell_again(here.commands, here.keys.tombstones(), Capabilities(here.ledger).clear)


async def _put_database(dsn: str, folder: Path) -> None:
    """All of it or nothing: a server that loses its client half-way takes everything back."""
    words = ("--clean", "--if-exists", "--exit-on-error", "--single-transaction")
    await run_program("pg_restore", dsn, *words, str(folder / "database.dump"))


def _refuse_other_keys(settings: Settings, folder: Path, mark: EndMark) -> None:
    """Raise BackupFailed where keys of another installation, or other contents, stand where the backup's would go."""
    kek, theirs = settings.kek, folder / settings.kek.name
    ours = settings.keys.exists() and any(settings.keys.iterdir())
    if ours and theirs.exists() and kek.exists() and kek.read_bytes() != theirs.read_bytes():
        raise BackupFailed(f"{settings.home} holds the keys of something else; recover with an empty CARAVEL_HOME")
    for name in mark.files:
        there = settings.home / name
        if Path(name).parts[0] == settings.keys.name and there.exists():
            _refuse_different(there, folder / name)


def _refuse_different(there: Path, theirs: Path) -> None:
    if there.read_bytes() != theirs.read_bytes():
        raise BackupFailed(f"{there} is another key than the backup's; recover with an empty CARAVEL_HOME")


def _put_keys(settings: Settings, folder: Path, mark: EndMark) -> frozenset[str]:
    """Merge the list first: a crash in between leaves no key that was destroyed."""
    merge_destroyed(folder / settings.destroyed_keys.name, settings.destroyed_keys)
    of_keys = (settings.keys.name, settings.signing.name, settings.kek.name)
    for name in (name for name in mark.files if Path(name).parts[0] in of_keys):
        _put_file(folder / name, settings.home / name)
    if settings.signing.exists():
        signing_keys(settings).forget_replaced()
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    return frozenset(stream for stream, _ in keys.destroyed())


def _put_file(source: Path, target: Path) -> None:
    """Whole and on disk under its name, or not there."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    shutil.copy2(source, draft)
    with draft.open("rb") as copied:
        os.fsync(copied.fileno())
    draft.replace(target)
    sync_folder(target.parent)


async def _schema_faults(dsn: str, mark: EndMark) -> list[str]:
    """Tables, indexes, constraints, triggers and functions against those that were backed up, where none was newer."""
    revision, objects = await objects_of(dsn)
    if revision != mark.taken.revision:
        return []
    return [f"the database's {name} is not what was backed up" for name in differing_objects(objects, mark.taken)]


async def _key_faults(here: Parts, dsn: str) -> list[str]:
    """The keys are those the ledger names; every history with something sealed has its key, or it was destroyed."""
    gone = here.keys.destroyed()
    faults = ["the keys here are not those the ledger names"] if here.ledger.keys_elsewhere else []
    for stream, key_class in await needed_keys(dsn):
        if (stream, key_class) not in gone and key_class not in await here.keys.for_opening(stream):
            faults.append(f"the key {key_class} of {stream} is missing")
    return faults


async def _document_faults(here: Parts, dsn: str) -> list[str]:
    """Open some documents, whole."""
    faults = []
    for stream, name in await documents_named(dsn, SAMPLE):
        try:
            _ = [part async for part in (await documents(here).open(stream, name)).content]
        except DocumentErased:
            continue
        except (DocumentMissing, DocumentChanged, DocumentKeyless) as error:
            faults.append(f"document {name} of {stream} cannot be opened: {type(error).__name__}")
    return faults
