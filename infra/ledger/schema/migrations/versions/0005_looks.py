"""Finds who saw a case."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index; nothing recorded changes."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
