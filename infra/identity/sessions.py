"""Keeps who is signed in: random tokens, only their SHA-256, in PostgreSQL so that every process knows them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import DateTime, Interval, bindparam, delete, func, insert, literal_column, select

from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import SessionRow
from infra.ledger.statement import NOW, SqlStatement, table, text

BYTES = 32
AHEAD = literal_column("interval '1 day'", Interval)
"""How far in the future a session may have begun: one opened by a clock that ran on for years does not last so long."""
row = table(SessionRow).c
OPEN = SqlStatement(
    insert(SessionRow)
    .values(
        token=bindparam("token"), actor=text("actor"), kind=text("kind"), opened_at=NOW,
        expires_at=NOW + bindparam("lasts", type_=Interval),
    )
    # By the earlier of two clocks, so that one that jumps ahead ends nobody's session for good.
    .add_cte(delete(SessionRow).where(
        row.expires_at < func.least(NOW, bindparam("said", type_=DateTime(timezone=True)))
    ).cte("gone"))
)  # fmt: skip
FIND = SqlStatement(
    select(row.actor, row.kind, row.expires_at).where(
        row.token == bindparam("token"), NOW.between(row.opened_at - AHEAD, row.expires_at)
    )
)
CLOSE = SqlStatement(delete(SessionRow).where(row.token == bindparam("token")))


class Sessions:
    """Opens, finds and ends sign-ins."""

    def __init__(self, ledger: PgLedger) -> None:
        self._pool = ledger.pool
        self._clock = ledger.clock

    async def open(self, actor: str, kind: str, lasts: timedelta) -> str:
        """Open a session and return its token, which is shown once and kept nowhere."""
        token = secrets.token_urlsafe(BYTES)
        said = self._clock.told()
        await OPEN.rows(self._pool, token=_digest(token), actor=actor, kind=kind, lasts=lasts, said=said)
        return token

    async def find(self, token: str) -> Mapping[str, Any] | None:
        """Return {"actor", "kind", "expires_at"} of a session that is still open."""
        return await FIND.first(self._pool, token=_digest(token))

    async def close(self, token: str) -> None:
        """End it; harmless when repeated."""
        await CLOSE.rows(self._pool, token=_digest(token))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
