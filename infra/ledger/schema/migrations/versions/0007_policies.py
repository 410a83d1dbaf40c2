"""The policies that events name by their hash."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what events rest on is never taken away."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
