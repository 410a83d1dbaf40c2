"""Keeps what the chores of the night found last, for metrics, `caravel doctor` and auditors. One row a chore."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from activities.ports import Finding
from infra.ledger.connections import Pool, Reads
from infra.ledger.encoding.errors import guarded

KEEP = """
insert into chore values ($1, clock_timestamp(), $2, $3)
on conflict (name) do update set ended_at = excluded.ended_at, fine = excluded.fine, found = excluded.found
"""
LAST = """
select name, ended_at, fine, found, extract(epoch from clock_timestamp() - ended_at)::double precision as age
from chore order by name
"""
STALE = 36 * 3600.0
"""Seconds after which a nightly chore has not been carried out."""


async def keep(pool: Pool[Any], name: str, found: Finding) -> None:
    """Keep what a chore found, in place of what it found the time before."""
    says = json.dumps(found.says, sort_keys=True, default=datetime.isoformat)
    await guarded(pool.execute(KEEP, name, found.fine, says))


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
        for row in await guarded(reads.fetch(LAST))
    }
