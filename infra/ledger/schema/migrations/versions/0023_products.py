"""Writes into the read models of protocols what the product is called, by whose holds cases stand still."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to the rows that were written before; a rebuild from the events would write the same."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
