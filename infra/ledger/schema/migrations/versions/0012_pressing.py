"""Adds the index by which urgent cases are read before the others."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index; there is no way back, as everywhere."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
