"""Reads which events are dated ahead of the clock, and what followed by itself between two positions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Interval, bindparam, or_, select

from infra.ledger.connections import Reads
from infra.ledger.schema.tables import CaseView, EventRow
from infra.ledger.statement import NOW, ONE, STATEMENT_TIME, Row, SqlStatement, fixed, member, table

EVENT, CASE = table(EventRow), table(CaseView)
event = EVENT.c
LAST_RIGHT = SqlStatement(
    select(event.position)
    .where(event.recorded_at <= STATEMENT_TIME + bindparam("bound", type_=Interval))
    .order_by(event.position.desc())
    .limit(ONE)
)
HEAD = SqlStatement(
    select(event.position, event.recorded_at, NOW.label("now")).order_by(event.position.desc()).limit(ONE)
)
BY_ITSELF = SqlStatement(
    select(event.position, event.stream, CASE.c.number, event.type, event.recorded_at)
    .select_from(EVENT.join(CASE, CASE.c.stream == event.stream))
    .where(
        event.position.between(bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)),
        or_(member(event.meta, "why").is_not(None), member(event.meta, "actor") == fixed("engine")),
    )
    .order_by(event.position)
)


async def head(reads: Reads) -> Row | None:
    """Return position and instant of the last event, and what the database's clock says now."""
    return await HEAD.first(reads)


async def last_right(reads: Reads, bound: object) -> int:
    """Return the newest position that is not dated ahead of the clock; 0 when there is none."""
    return await LAST_RIGHT.value(reads, bound=bound) or 0


async def by_itself(reads: Reads, first: int, last: int) -> Sequence[Row]:
    """List what followed by itself in cases, or was done by the engine, from one position to another."""
    return await BY_ITSELF.rows(reads, first=first, last=last)
