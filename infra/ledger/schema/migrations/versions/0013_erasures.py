"""Adds an index of the events that say something was erased, to hold them against the key service."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index; there is no way back, as everywhere."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
