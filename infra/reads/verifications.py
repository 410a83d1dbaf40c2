"""Verifications that were asked for: how far each is and what it found, where every process sees it. Operational."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, Interval, and_, case, delete, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.connections import Pool
from infra.ledger.schema.tables import VerificationRow
from infra.ledger.statement import NOW, Row, SqlStatement, fixed, table, text

LEFT = 20
"""Seconds without a sign of life after which whoever carried it out is gone."""
KEPT = 20

row = table(VerificationRow).c
SILENT = and_(row.state == fixed("running"), row.seen_at < NOW - literal_column(f"interval '{LEFT} seconds'", Interval))
_SHOWN = select(
    row.id, row.stream, row.began_at, row.found, case((SILENT, fixed("left")), else_=row.state).label("state")
)
ONE_OF_THEM = SqlStatement(_SHOWN.where(row.id == text("id")))
NEWEST = SqlStatement(_SHOWN.order_by(row.began_at.desc()).limit(literal_column(str(KEPT), Integer)))
_OLD = select(row.id).order_by(row.began_at.desc()).offset(literal_column(str(KEPT), Integer))
CLEAR = SqlStatement(
    update(VerificationRow)
    .where(SILENT)
    .values(state=fixed("left"))
    .add_cte(delete(VerificationRow).where(row.id.in_(_OLD)).cte("gone"))
)
BEGIN = SqlStatement(
    insert(VerificationRow)
    .values(id=text("id"), stream=text("stream"), began_at=NOW, seen_at=NOW, state=fixed("running"), found=fixed("{}"))
    .on_conflict_do_nothing()
    .returning(row.id)
)
TOLD = SqlStatement(
    update(VerificationRow)
    .where(row.id == text("id"), row.state.in_([fixed("running"), fixed("left")]))
    .values(state=text("now_state"), found=text("now_found"), seen_at=NOW)
    .returning(row.id)
)


async def begin(pool: Pool[Any], id_: str, stream: str) -> bool:
    """Start a verification and return whether this one runs now; no two run at once in all processes together."""
    await CLEAR.rows(pool)
    return await BEGIN.value(pool, id=id_, stream=stream) is not None


async def told(pool: Pool[Any], id_: str, state: str, found: Mapping[str, Any]) -> None:
    """Write how far a verification is, or how it ended. What ended stays as it is."""
    await TOLD.rows(pool, id=id_, now_state=state, now_found=json.dumps(found))


async def one(pool: Pool[Any], id_: str) -> Mapping[str, Any] | None:
    """Read one of the newest verifications by its id; None where it is not kept any more."""
    found = await ONE_OF_THEM.first(pool, id=id_)
    return _read(found) if found else None


async def newest(pool: Pool[Any]) -> Sequence[Mapping[str, Any]]:
    """Read the verifications that are kept, newest first."""
    return [_read(one) for one in await NEWEST.rows(pool)]


def _read(found: Row) -> Row:
    return {**found, "found": json.loads(found["found"])}
