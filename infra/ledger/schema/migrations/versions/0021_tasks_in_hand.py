"""Lets a list of tasks say who has each in hand, and who was asked to take it."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and write them with the other ones of an obligation."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
