"""What is known to be missing of the history, until a person accepts it."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; while it has a row, nothing but looks is recorded."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
