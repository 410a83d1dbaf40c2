"""Whole databases: whether one was begun, what it holds, beginning it anew; as an administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import asyncpg

from domain.core.personal import KeyClass

MOST = 2**63 - 1

# The newest event at or before a position, and how many there are.
NEWEST = """
select (select count(*) from event) as events, coalesce(newest.position, 0) as position,
       coalesce(encode(newest.hash, 'hex'), '') as hash
from (select 1) one left join lateral
     (select position, hash from event where position <= $1 order by position desc limit 1) newest on true
"""
# The fingerprint of the key folder the ledger names.
KEYS = """
select data::json ->> 'fingerprint' from event where stream = 'installation' and type = 'KeyFolderNamed'
order by version desc limit 1
"""
# The schema's revision.
REVISION = "select version_num from alembic_version"
# Whatever the schema consists of, with a digest of how it is defined.
OBJECTS = """
select 'table ' || c.relname || '.' || a.attname as name,
       md5(format_type(a.atttypid, a.atttypmod) || a.attnotnull) as definition
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
union all select 'index ' || c.relname, md5(pg_get_indexdef(c.oid))
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'i'
union all select 'constraint ' || c.conname, md5(pg_get_constraintdef(c.oid))
from pg_constraint c where c.connamespace = 'public'::regnamespace
union all select 'trigger ' || t.tgname, md5(pg_get_triggerdef(t.oid)) from pg_trigger t where not t.tgisinternal
union all select 'function ' || p.oid::regprocedure, md5(p.prosrc)
from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
"""
# Which keys something that is recorded was sealed with.
NEEDED = """
select distinct stream, key_class from event, lateral json_object_keys(sealed::json) key_class
where sealed <> '{}' order by stream, key_class
"""
# Some documents that cases name, by chance.
DOCUMENTS = """
select stream, data::json ->> 'document' as document from event where type = 'DocumentAttached'
order by random() limit $1
"""
# The lock of caravel_append_lock, for as long as the session lasts: nobody appends meanwhile, and whoever would waits
# before it has touched any table.
HOLD_RECORDING = "select pg_advisory_lock(4846793)"
# Whether a rehearsal has begun, and ended.
PAST = """
select exists (select from event) as begun, exists (select from event where type = 'RehearsalEnded') as ended
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Says how far the history in a database goes (position and hash of its newest event), and what its schema is."""

    position: int
    hash: str
    revision: str
    objects: Mapping[str, str]
    keys: str = ""
    """The fingerprint of the key folder the ledger names; empty = none."""


@dataclass(frozen=True, slots=True)
class Held:
    """Counts the events, and has the hash of the one that was asked for; empty = not there."""

    events: int
    hash: str


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[tuple[str, Taken]]:
    """Hold one instant of a database still: its name for pg_dump, and what is in it."""
    async with _connected(dsn) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        name = await connection.fetchval("select pg_export_snapshot()")
        newest = await connection.fetchrow(NEWEST, MOST)
        assert newest is not None
        keys = await connection.fetchval(KEYS) or ""
        yield name, Taken(newest["position"], newest["hash"], *await _objects(connection), keys)


@asynccontextmanager
async def recording_held(dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Let nobody record in a migrated database until this ends; yields the one session that may.

    Whoever appends meanwhile waits, and decides by what stands there then.
    """
    async with _connected(dsn) as connection:
        await connection.execute(HOLD_RECORDING)
        yield connection


async def event_at(connection: asyncpg.Connection[asyncpg.Record], position: int) -> Held:
    """Return how many events a migrated database has, and the hash of the one at `position`."""
    row = await connection.fetchrow(NEWEST, position)
    assert row is not None
    return Held(row["events"], row["hash"] if row["position"] == position else "")


async def objects_of(dsn: str) -> tuple[str, Mapping[str, str]]:
    """Return the schema's revision and its parts, each with a digest of its definition."""
    async with _connected(dsn) as connection:
        return await _objects(connection)


def differing_objects(objects: Mapping[str, str], taken: Taken) -> Sequence[str]:
    """List the parts of a schema that are missing, too many, or defined otherwise."""
    names = sorted({*objects, *taken.objects})
    return [name for name in names if objects.get(name) != taken.objects.get(name)]


async def needed_keys(dsn: str) -> Sequence[tuple[str, KeyClass]]:
    """List stream and class of every key that something recorded was sealed with."""
    async with _connected(dsn) as connection:
        rows = await connection.fetch(NEEDED)
    return [(row["stream"], cast("KeyClass", row["key_class"])) for row in rows]


async def documents_named(dsn: str, most: int) -> Sequence[tuple[str, str]]:
    """List at most so many documents that cases name, with their cases, by chance."""
    async with _connected(dsn) as connection:
        rows = await connection.fetch(DOCUMENTS, most)
    return [(row["stream"], row["document"]) for row in rows]


async def past_of(dsn: str) -> tuple[bool, bool]:
    """Return whether a rehearsal has begun in this database, and whether it came to its end."""
    async with _connected(dsn) as connection:
        row = await connection.fetchrow(PAST)
    assert row is not None
    return row["begun"], row["ended"]


async def empty(dsn: str) -> None:
    """Drop the database, whoever uses it, and create it without tables."""
    address, _, name = dsn.rpartition("/")
    async with _connected(f"{address}/postgres") as connection:
        await connection.execute(f'drop database "{name}" with (force)')
        await connection.execute(f'create database "{name}"')


async def _objects(connection: asyncpg.Connection[asyncpg.Record]) -> tuple[str, Mapping[str, str]]:
    rows = await connection.fetch(OBJECTS)
    return await connection.fetchval(REVISION), {row["name"]: row["definition"] for row in rows}


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        yield connection
    finally:
        await connection.close()
