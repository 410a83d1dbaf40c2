"""Rows for exports, page by page: memory does not grow with the ledger, and no position is ever left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.stored import COLUMNS, Stored, stored
from infra.ledger.queries import HEAD

PAGE = 1_000
SPAN = f"select {COLUMNS} from event where position > $1 and position <= $2 order by position limit $3"  # noqa: S608 - names from this program
VERSIONS = f"""
select {COLUMNS} from event
where stream = $1 and version > $2 and position <= $3 order by version limit $4
"""  # noqa: S608 - as above
CASES = "select stream from case_view where stream > $1 order by stream limit $2"


class Gap(Exception):
    """A position is missing: `caravel audit verify` says what became of it."""


async def head(pool: Pool[Any]) -> int:
    """Read the newest position of the ledger."""
    found: int = await guarded(pool.fetchval(HEAD))
    return found


async def everything(pool: Pool[Any], after: int, upto: int) -> AsyncIterator[Stored]:
    """Positions `after` + 1 … `upto`, each once. Raises Gap."""
    while after < upto:
        rows = await guarded(pool.fetch(SPAN, after, upto, PAGE))
        for row in rows:
            if row["position"] != after + 1:
                break
            yield stored(row)
            after += 1
        if not rows or rows[-1]["position"] != after:
            raise Gap(f"position {after + 1} is not there")


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
    while rows := await guarded(pool.fetch(CASES, last, PAGE)):
        for row in rows:
            yield row["stream"]
        last = rows[-1]["stream"]
