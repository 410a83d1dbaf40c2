"""Adds the table of who leads by a lease, in place of the session advisory locks of courier and sealer."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; there is no way back, as everywhere."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
