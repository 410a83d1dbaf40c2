"""Reads lots, protocols, centres and persons as their read models show them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select

from infra.ledger.connections import Pool
from infra.ledger.schema.tables import SourceRow
from infra.ledger.statement import LIMIT, Statement, member, table, text

source = table(SourceRow).c
LIST = Statement(
    select(source.stream, source.version, source.state)
    .where(func.starts_with(source.stream, text("prefix")), source.stream > text("after"))
    .order_by(source.stream)
    .limit(LIMIT)
)

CHANGES = Statement(
    select(source.stream)
    .where(or_(member(source.state, "proposal").is_not(None), member(source.state, "confirmed").is_not(None)))
    .order_by(source.stream)
)


class RegisterQueries:
    """Reads of what is not a case."""

    def __init__(self, pool: Pool[Any]) -> None:
        self._pool = pool

    async def catalogue(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """List streams of one kind by name, after one of them, with their state."""
        rows = await LIST.rows(self._pool, prefix=f"{prefix}-", after=after, limit=limit)
        return [{**row, "state": json.loads(row["state"])} for row in rows]

    async def changes(self) -> Sequence[str]:
        """Name the streams of which something was proposed or confirmed by two people."""
        return [str(row["stream"]) for row in await CHANGES.rows(self._pool)]
