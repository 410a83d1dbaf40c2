"""Closes what the application's role could turn back: the number of a leader, the end of an attempt, a used link."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the triggers; there is no way back, as everywhere."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
