"""Visits behind a mailed link: a code that goes by mail opens one, once, for a while; all of it rows beside the link.

Of link, code and visit only SHA-256s are kept, and that of a code is taken together with the link's own token, which
is kept nowhere: the database alone does not let anybody find a code.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Interval, LargeBinary, bindparam, func, literal_column, select, update

from infra.identity.capabilities import BYTES, ISSUE
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import CapabilityRow
from infra.ledger.statement import NOW, SqlStatement, table

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""Letters and digits that nobody takes for one another, and that make no words."""
LENGTH, MOST = 8, 5
"""Characters of a code; codes of one link within an hour."""
CODE_LASTS, VISIT_LASTS = timedelta(minutes=10), timedelta(minutes=30)
CODE, VISIT = "visit code", "visit"
row = table(CapabilityRow).c
HOUR = literal_column("interval '50 minutes'", Interval)
"""An hour less the ten minutes a code lasts: what expires after that was issued within the hour."""
SENT = SqlStatement(
    select(func.count().label("n")).where(
        row.question == bindparam("question"), row.fixed == bindparam("fixed"), row.expires_at > NOW - HOUR
    )
)
TAKE = SqlStatement(
    update(CapabilityRow)
    .where(
        row.token == bindparam("given", type_=LargeBinary),
        row.question == bindparam("kind"),
        row.used_at.is_(None),
        row.expires_at > NOW,
    )
    .values(used_at=NOW)
    .returning(row.stream)
)
INSIDE = SqlStatement(
    select(row.stream).where(
        row.token == bindparam("token", type_=LargeBinary), row.question == bindparam("question"),
        row.fixed == bindparam("fixed"), row.expires_at > NOW,
    )
)  # fmt: skip


class Visits:
    """Opens and finds visits; `link` is the row of the link, as Capabilities finds it, with its `now`."""

    def __init__(self, ledger: PgLedger) -> None:
        self._pool = ledger.pool

    async def code(self, token: str, link: Mapping[str, Any]) -> str | None:
        """Return a new code, to be sent once and kept nowhere; None = too many within the hour."""
        sent = await SENT.first(self._pool, question=CODE, fixed=_of(token))
        if sent is not None and sent["n"] >= MOST:
            return None
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        await self._issue(_code(token, code), token, link, CODE, link["now"] + CODE_LASTS)
        return code

    async def enter(self, token: str, code: str, link: Mapping[str, Any]) -> str | None:
        """Use a code up, and return the secret of the visit it opens; None = it opens nothing, or does no more."""
        typed = "".join(code.upper().split()).replace("-", "")[: 2 * LENGTH]
        if await TAKE.first(self._pool, given=_code(token, typed), kind=CODE) is None:
            return None
        secret = secrets.token_urlsafe(BYTES)
        await self._issue(_digest(secret), token, link, VISIT, link["now"] + VISIT_LASTS)
        return secret

    async def inside(self, token: str, secret: str) -> bool:
        """Return whether this secret is of a visit behind this link that is not over."""
        found = await INSIDE.first(self._pool, token=_digest(secret[:200]), question=VISIT, fixed=_of(token))
        return found is not None

    async def _issue(self, key: bytes, token: str, link: Mapping[str, Any], kind: str, until: datetime) -> None:
        await ISSUE.rows(
            self._pool, token=key, stream=link["stream"], effect=link["effect"], actor=link["actor"], question=kind,
            commands=[], fixed=_of(token), zone=link["zone"], expires_at=until,
        )  # fmt: skip


def _of(token: str) -> str:
    """Which link a row belongs to."""
    return json.dumps({"link": _digest(token).hex()})


def _code(token: str, code: str) -> bytes:
    return _digest(f"{token}/{code}")


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
