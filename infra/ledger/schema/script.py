"""Runs a file of many SQL statements over an alembic connection, for this and later migrations."""

from typing import cast

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection


def run_script(connection: Connection, text: str) -> None:
    """Run it in the transaction under way; asyncpg takes several statements at once only without a plan."""
    connection.exec_driver_sql("select 1")  # the adapter begins its transaction with the first statement it plans
    driver = cast("AsyncAdapt_asyncpg_connection", connection.connection.dbapi_connection)
    driver.run_async(lambda plain: plain.execute(text))
