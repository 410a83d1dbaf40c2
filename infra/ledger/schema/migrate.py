"""Brings a database to the newest schema: roles, tables, functions, grants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from domain.core.errors import Reason, Refused
from infra.ledger.schema.script import run_script

HERE = Path(__file__).parent
SQL = HERE / "sql"
FUNCTIONS = (
    "hash.sql",
    "clock.sql",
    "append.sql",
    "views.sql",
    "attention.sql",
    "checkpoints.sql",
    "leads.sql",
    "grants.sql",
)
ONE_AT_A_TIME = 4846795
LAST_STEPWISE = "0.1.0 (commit 0847494)"
"""The version that still has every step up to the one this program begins with."""


async def migrate(dsn: str) -> None:
    """Upgrade the database at `dsn`, whose user may create roles. Safe to repeat and to run from two places at once.

    Raises Refused for a database this program cannot bring to its schema: one from before its first revision, or one
    that a newer program has already changed.
    """
    async with _connected(dsn) as connection:
        await connection.exec_driver_sql(f"select pg_advisory_xact_lock({ONE_AT_A_TIME})")
        await connection.run_sync(_upgrade)


async def at_head(dsn: str) -> bool:
    """Return whether the database has the schema this program expects."""
    async with _connected(dsn) as connection:
        return await connection.run_sync(_is_head)


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[AsyncConnection]:
    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(dsn)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    encoding = connection.exec_driver_sql("show server_encoding").scalar_one()
    if encoding != "UTF8":
        raise ValueError(f"the database must be UTF8, not {encoding}")  # hashes are over UTF-8 bytes
    _refuse_unknown(connection)
    run_script(connection, (SQL / "roles.sql").read_text())
    connection.exec_driver_sql("set local role caravel_owner")
    command.upgrade(_config(connection), "head")
    for name in FUNCTIONS:
        run_script(connection, (SQL / name).read_text())


def _refuse_unknown(connection: Connection) -> None:
    """Raise Refused when the database stands at a revision that is not among this program's."""
    script = ScriptDirectory.from_config(_config(connection))
    known = [one.revision for one in script.walk_revisions()]
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None or found in known:
        return
    if found < min(known):
        through = f"Caravel {LAST_STEPWISE} brings it to {min(known)}: run `caravel migrate` of that version first"
        raise Refused(Reason.NOT_NOW, f"this database has schema {found}; {through}")
    raise Refused(Reason.NEWER_THAN_ME, f"this database has schema {found}, which this program does not know")


def _is_head(connection: Connection) -> bool:
    wanted = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == wanted


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
