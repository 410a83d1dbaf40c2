"""Adds how far changes of the catalogue were followed for the first rank of cases."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; there is no way back, as everywhere."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
