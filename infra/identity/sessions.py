"""Keeps who is signed in: random tokens, only their SHA-256, in PostgreSQL so that every process knows them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import PgLedger

BYTES = 32
OPEN = """
with gone as (delete from session where expires_at < clock_timestamp())
insert into session values ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4)
"""
FIND = "select actor, kind, expires_at from session where token = $1 and expires_at > clock_timestamp()"
CLOSE = "delete from session where token = $1"


class Sessions:
    """Opens, finds and ends sign-ins."""

    def __init__(self, ledger: PgLedger) -> None:
        self._pool = ledger.pool

    async def open(self, actor: str, kind: str, lasts: timedelta) -> str:
        """Open a session and return its token, which is shown once and kept nowhere."""
        token = secrets.token_urlsafe(BYTES)
        await guarded(self._pool.execute(OPEN, _digest(token), actor, kind, lasts))
        return token

    async def find(self, token: str) -> Mapping[str, Any] | None:
        """{"actor", "kind", "expires_at"} of a session that is still open."""
        row = await guarded(self._pool.fetchrow(FIND, _digest(token)))
        return dict(row) if row else None

    async def close(self, token: str) -> None:
        """End it; harmless when repeated."""
        await guarded(self._pool.execute(CLOSE, _digest(token)))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
