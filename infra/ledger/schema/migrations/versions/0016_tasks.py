"""Lets a list of tasks put first what has been late the longest: obligations that chase say since when that is."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and fill it as a rebuild from the events would."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
