"""Run by alembic: upgrades over the connection that infra/ledger/schema/migrate.py hands in."""

from alembic import context
from sqlmodel import SQLModel

from infra.ledger.schema import tables  # noqa: F401 - fills the metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
with context.begin_transaction():
    context.run_migrations()
