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

from infra.ledger.schema.script import run_script

HERE = Path(__file__).parent
SQL = HERE / "sql"
FUNCTIONS = ("hash.sql", "append.sql", "views.sql", "attention.sql", "checkpoints.sql", "grants.sql")
ONE_AT_A_TIME = 4846795


async def migrate(dsn: str) -> None:
    """Upgrade the database at `dsn`, whose user may create roles. Safe to repeat and to run from two places at once."""
    async with _connected(dsn) as connection:
        await connection.exec_driver_sql(f"select pg_advisory_xact_lock({ONE_AT_A_TIME})")
        await connection.run_sync(_upgrade)


async def at_head(dsn: str) -> bool:
    """Whether the database has the schema this program expects."""
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
    run_script(connection, (SQL / "roles.sql").read_text())
    connection.exec_driver_sql("set local role caravel_owner")
    command.upgrade(_config(connection), "head")
    for name in FUNCTIONS:
        run_script(connection, (SQL / name).read_text())


def _is_head(connection: Connection) -> bool:
    wanted = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == wanted


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
