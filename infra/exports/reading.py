"""Rows for exports, page by page: memory does not grow with the ledger, and no position is ever left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select

from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.stored import Stored, stored
from infra.ledger.queries import HEAD, SPAN, VERSIONS
from infra.ledger.schema.tables import CaseView
from infra.ledger.statement import LIMIT, SqlStatement, table, text

PAGE = 1_000
case = table(CaseView).c
CASES = SqlStatement(select(case.stream).where(case.stream > text("last")).order_by(case.stream).limit(LIMIT))


class PositionGap(Exception):
    """A position is missing: `caravel audit verify` says what became of it."""


async def head(pool: Pool[Any]) -> int:
    """Read the newest position of the ledger."""
    found: int = await guarded(pool.fetchval(HEAD))
    return found


async def everything(pool: Pool[Any], after: int, upto: int) -> AsyncIterator[Stored]:
    """Yield what is at positions `after` + 1 … `upto`, each once. Raises PositionGap."""
    while after < upto:
        rows = await guarded(pool.fetch(SPAN, after, upto, PAGE))
        for row in rows:
            if row["position"] != after + 1:
                break
            yield stored(row)
            after += 1
        if not rows or rows[-1]["position"] != after:
            raise PositionGap(f"position {after + 1} is not there")


async def one_case(pool: Pool[Any], stream: str, after: int, upto: int) -> AsyncIterator[Stored]:
    """Yield the events of a stream at positions `after` + 1 … `upto`."""
    version = 0
    while rows := await guarded(pool.fetch(VERSIONS, stream, version, upto, PAGE)):
        for row in rows:
            if row["position"] > after:
                yield stored(row)
        version = rows[-1]["version"]


async def cases(pool: Pool[Any]) -> AsyncIterator[str]:
    """Yield every case, by id."""
    last = ""
    while rows := await CASES.rows(pool, last=last, limit=PAGE):
        for row in rows:
            yield row["stream"]
        last = rows[-1]["stream"]
