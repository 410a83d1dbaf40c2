"""Every table, in one step: what revisions 0001 to 0009 made one after the other."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0009"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; there is no way back, history is append-only."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
