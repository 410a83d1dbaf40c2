"""Adds indexes of the links between materials and lots, for recalls."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes; there is no way back, as everywhere."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
