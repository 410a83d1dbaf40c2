"""The trace of a command, across the ledger."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; it is operational and may be emptied."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
