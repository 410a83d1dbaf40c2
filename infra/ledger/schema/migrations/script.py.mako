"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """What changes; there is no way back, history is append-only."""
    ${upgrades if upgrades else "op.execute('select 1')"}
