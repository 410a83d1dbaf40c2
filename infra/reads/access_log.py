"""Selects who saw a case, and what was recorded since, from the events themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSON, JSONB

from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import EventRow
from infra.ledger.statement import LIMIT, SqlStatement, fixed, member, table, text

event = table(EventRow).c
LOOKS = SqlStatement(
    select(
        event.position,
        event.recorded_at.label("at"),
        member(event.meta, "actor").label("actor"),
        member(event.meta, "purpose").label("purpose"),
        member(event.data, "what").label("what"),
        event.data.cast(JSON).op("->")(fixed("opened")).label("opened"),
    )
    .where(
        event.type == fixed("CasesSeen"),
        event.data.cast(JSONB).op("->", return_type=JSONB())(fixed("cases")).op("?")(text("stream")),
        event.position < bindparam("before", type_=BigInteger),
    )
    .order_by(event.position.desc())
    .limit(LIMIT)
)
CHANGES = SqlStatement(
    select(event.position, event.stream, event.version)
    .where(event.position > bindparam("after", type_=BigInteger), func.starts_with(event.stream, fixed("case-")))
    .order_by(event.position)
    .limit(LIMIT)
)


class AccessLogQueries:
    """Reads of who looked at the cases of one ledger."""

    def __init__(self, ledger: PgLedger) -> None:
        self._pool = ledger.pool

    async def looks(self, stream: str, before: int, limit: int) -> Sequence[dict[str, Any]]:
        """List who saw a case, newest first, before a position of the ledger."""
        rows = await LOOKS.rows(self._pool, stream=stream, before=before, limit=limit)
        return [{**row, "opened": json.loads(row["opened"])} for row in rows]


class ChangeQueries:
    """Reads of what was recorded lately."""

    def __init__(self, ledger: PgLedger) -> None:
        self._ledger = ledger

    async def head(self) -> int:
        """Read the newest position of the ledger."""
        return await self._ledger.head()

    async def changes(self, after: int, limit: int) -> Sequence[tuple[int, str, int]]:
        """List position, case and version of every event of a case after a position."""
        rows = await CHANGES.rows(self._ledger.pool, after=after, limit=limit)
        return [(row["position"], row["stream"], row["version"]) for row in rows]
