"""A database whose clock can be moved: functions of ours stand before PostgreSQL's own on the search path.

Nothing of the program is replaced, and nothing has to be installed: each statement and each function of the schema asks
for the time by the same words as ever.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg

MOVED = """
create schema moved;
create table moved.by (span interval not null);
insert into moved.by values ('0');
create function moved.clock_timestamp() returns timestamptz language sql volatile
    as $$ select pg_catalog.clock_timestamp() + (select span from moved.by) $$;
create function moved.statement_timestamp() returns timestamptz language sql stable
    as $$ select pg_catalog.statement_timestamp() + (select span from moved.by) $$;
grant usage on schema moved to public;
grant select on moved.by to public;
"""
OURS = """
select format('alter function %s set search_path = moved, pg_catalog, public, pg_temp', p.oid::regprocedure)
from pg_proc p where p.proname like 'caravel_%' and p.prosecdef
"""


async def movable(dsn: str) -> None:
    """Make the clock of a migrated database one that can be moved; for sessions that are opened after this."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(MOVED)
        for row in await connection.fetch(OURS):
            await connection.execute(row[0])
        name = dsn.rpartition("/")[2]
        await connection.execute(f'alter database "{name}" set search_path = moved, pg_catalog, public')
    finally:
        await connection.close()


async def move(dsn: str, span: timedelta) -> None:
    """Move the clock by so much against the right one."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("update moved.by set span = $1", span)
    finally:
        await connection.close()
