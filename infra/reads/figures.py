"""Reads what figures for managers are made of, as the ledger knew it at an instant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, bindparam, func, select

from domain.core.errors import Reason, require
from domain.history.figures import TYPES, RecordedEvent
from infra.ledger.connections import Pool
from infra.ledger.schema.tables import CaseView, EventRow
from infra.ledger.statement import LIMIT, SqlStatement, again, fixed, one_of, table

event, touched, case = table(EventRow).c, again(EventRow, "touched").c, table(CaseView).c
MOST = 300_000
"""Events that are read for one answer; a period of more is asked for in parts."""


def _instant(name: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own kind of value
    return bindparam(name, type_=DateTime(timezone=True))


RECORDED = SqlStatement(
    select(event.stream, event.type, event.recorded_at, event.data)
    .where(
        event.type.in_([fixed(one) for one in TYPES]),
        event.recorded_at <= _instant("known_at"),
        event.stream.in_(
            select(touched.stream).where(
                touched.type.in_([fixed(one) for one in TYPES]),
                touched.recorded_at >= _instant("first"),
                touched.recorded_at < _instant("until"),
                touched.recorded_at <= _instant("known_at"),
                func.starts_with(touched.stream, fixed("case-")),
            )
        ),
    )
    .order_by(event.stream, event.version)
    .limit(LIMIT)
)
NUMBERS = SqlStatement(select(case.stream, case.number).where(one_of(case.stream, "streams")).order_by(case.number))


class FigureQueries:
    """Reads the events of cases that had any in a period, and the numbers of cases."""

    def __init__(self, pool: Pool[Any]) -> None:
        self._pool = pool

    async def recorded(self, first: datetime, until: datetime, known_at: datetime) -> Iterator[RecordedEvent]:
        """Return the events of each case in order, from its beginning; Refused where there are too many to count.

        Each is parsed when it is taken: that of all takes seconds, and is for a thread beside the one that answers.
        """
        rows = await RECORDED.rows(self._pool, first=first, until=until, known_at=known_at, limit=MOST + 1)
        told = "too much was recorded in this period to count at once; ask for a shorter one"
        require(len(rows) <= MOST, Reason.INVALID, told, "from")
        return (RecordedEvent(r["stream"], r["type"], r["recorded_at"], json.loads(r["data"])) for r in rows)

    async def numbers(self, streams: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Return the cases of these that are there, each with its number, in the order of the numbers."""
        rows = await NUMBERS.rows(self._pool, streams=list(streams))
        return [(str(row["stream"]), str(row["number"])) for row in rows]
