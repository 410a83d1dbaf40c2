"""The tree over the ledger, checkpoints, and how sealing does."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; there is no way back, the first two are append-only."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
