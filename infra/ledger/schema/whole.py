"""Whole databases: whether one was begun, and beginning it anew. For rehearsals and backups, as an administrator."""

from __future__ import annotations

import asyncpg

EVENTS = "select count(*) from event"
PAST = """
select exists (select from event) as begun, exists (select from event where type = 'RehearsalEnded') as ended
"""


async def count_events(dsn: str) -> int:
    """Count the events of a migrated database."""
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        number: int = await connection.fetchval(EVENTS)
    finally:
        await connection.close()
    return number


async def past_of(dsn: str) -> tuple[bool, bool]:
    """Return whether a rehearsal has begun in this database, and whether it came to its end."""
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        row = await connection.fetchrow(PAST)
    finally:
        await connection.close()
    assert row is not None
    return row["begun"], row["ended"]


async def empty(dsn: str) -> None:
    """Drop the database, whoever uses it, and create it without tables."""
    address, _, name = dsn.rpartition("/")
    connection = await asyncpg.connect(f"{address}/postgres", ssl=False)
    try:
        await connection.execute(f'drop database "{name}" with (force)')
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
