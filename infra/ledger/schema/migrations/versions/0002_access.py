"""Sign-ins and one-question links."""

from pathlib import Path

from alembic import op

from infra.ledger.schema.script import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; both are operational and may be emptied."""
    run_script(op.get_bind(), Path(__file__).with_suffix(".sql").read_text())
