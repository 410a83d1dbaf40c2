"""Verifications that were asked for: how far each is and what it found, where every process sees it. Operational."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded

LEFT = 20
"""Seconds without a sign of life after which whoever carried it out is gone."""
KEPT = 20
SILENT = f"state = 'running' and seen_at < clock_timestamp() - interval '{LEFT} seconds'"

SHOWN = f"""
select id, stream, began_at, found,
       case when {SILENT} then 'left' else state end as state
from verification
"""  # noqa: S608 - words of ours
CLEAR = f"""
with gone as (delete from verification where id in (select id from verification order by began_at desc offset {KEPT}))
update verification set state = 'left' where {SILENT}
"""  # noqa: S608 - words of ours
BEGIN = """
insert into verification values ($1, $2, clock_timestamp(), clock_timestamp(), 'running', '{}')
on conflict do nothing returning id
"""
TOLD = """
update verification set state = $2, found = $3, seen_at = clock_timestamp()
where id = $1 and state in ('running', 'left') returning id
"""


async def begin(pool: Pool[Any], id_: str, stream: str) -> bool:
    """Start a verification and return whether this one runs now; no two run at once in all processes together."""
    await guarded(pool.execute(CLEAR))
    return await guarded(pool.fetchval(BEGIN, id_, stream)) is not None


async def told(pool: Pool[Any], id_: str, state: str, found: Mapping[str, Any]) -> None:
    """Write how far a verification is, or how it ended. What ended stays as it is."""
    await guarded(pool.fetchval(TOLD, id_, state, json.dumps(found)))


async def one(pool: Pool[Any], id_: str) -> Mapping[str, Any] | None:
    """Read one of the newest verifications by its id; None where it is not kept any more."""
    rows = await guarded(pool.fetch(f"{SHOWN} where id = $1", id_))
    return _read(rows[0]) if rows else None


async def newest(pool: Pool[Any]) -> Sequence[Mapping[str, Any]]:
    """Read the verifications that are kept, newest first."""
    rows = await guarded(pool.fetch(f"{SHOWN} order by began_at desc limit {KEPT}"))
    return [_read(row) for row in rows]


def _read(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**row, "found": json.loads(row["found"])}
