"""Reads what the courier knows of cases, for whoever compares it with what the workflow engine knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from infra.ledger.connections import Pool
from infra.ledger.schema.tables import AttentionRow, EventRow
from infra.ledger.statement import Row, SqlStatement, fixed, member, one_of, table, text

attention, event = table(AttentionRow).c, table(EventRow).c
OPEN = SqlStatement(
    select(
        attention.stream,
        attention.version,
        attention.wake_at,
        (attention.attended < attention.version).label("unattended"),
    ).where(~attention.ended)
)
VERSIONS = SqlStatement(select(attention.stream, attention.version).where(one_of(attention.stream, "streams")))
EFFECTS = SqlStatement(
    select(member(event.data, "effect").label("effect")).where(
        event.type == fixed("EffectRequested"), event.stream == text("stream")
    )
)


class AttentionQueries:
    """Reads of what the courier keeps."""

    def __init__(self, pool: Pool[Any]) -> None:
        self._pool = pool

    async def open_cases(self) -> Mapping[str, Row]:
        """Read version, next waking and whether it is unattended, of every case that is not ended."""
        return {row["stream"]: row for row in await OPEN.rows(self._pool)}

    async def versions(self, streams: Sequence[str]) -> Mapping[str, int]:
        """Read the version of each of these cases that there is."""
        rows = await VERSIONS.rows(self._pool, streams=list(streams))
        return {row["stream"]: row["version"] for row in rows}

    async def effects(self, stream: str) -> set[str]:
        """List every effect a case ever asked for."""
        return {row["effect"] for row in await EFFECTS.rows(self._pool, stream=stream)}
