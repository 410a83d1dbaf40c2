"""Keeps what the chores of the night found last, for metrics, `caravel doctor` and auditors. One row a chore."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Double, Text, bindparam, extract, func, select
from sqlalchemy.dialects.postgresql import insert

from activities.ports import ChoreFinding
from infra.ledger.connections import Pool, Reads
from infra.ledger.schema.tables import ChoreRow
from infra.ledger.statement import NOW, SqlStatement, table, text

chore = table(ChoreRow).c
_NAME = func.caravel_led(text("name"), bindparam("fence", type_=BigInteger), type_=Text)
_KEEP = insert(ChoreRow).values(name=_NAME, ended_at=NOW, fine=bindparam("fine"), found=text("found"))
KEEP = SqlStatement(
    _KEEP.on_conflict_do_update(
        index_elements=[chore.name],
        set_={one.name: one for one in (_KEEP.excluded.ended_at, _KEEP.excluded.fine, _KEEP.excluded.found)},
    )
)
LAST = SqlStatement(
    select(ChoreRow, extract("epoch", NOW - chore.ended_at).cast(Double).label("age")).order_by(chore.name)
)
STALE = 36 * 3600.0
"""Seconds after which a nightly chore has not been carried out."""


async def keep(pool: Pool[Any], name: str, found: ChoreFinding, fence: int = 0) -> None:
    """Keep what a chore found, in place of what it found the time before.

    Raises Refused(SUPERSEDED) where a later attempt than the one of that number was begun.
    """
    says = json.dumps(found.says, sort_keys=True, default=datetime.isoformat)
    await KEEP.rows(pool, name=name, fine=found.fine, found=says, fence=fence)


async def last(reads: Reads) -> Mapping[str, Mapping[str, Any]]:
    """Read by name when each ended, its age in seconds and if that is too long, if all was well, and what it found."""
    return {
        row["name"]: {
            "ended_at": row["ended_at"].isoformat(),
            "age": row["age"],
            "stale": row["age"] > STALE,
            "fine": row["fine"],
            "found": json.loads(row["found"]),
        }
        for row in await LAST.rows(reads)
    }
