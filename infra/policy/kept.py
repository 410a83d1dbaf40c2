"""The policies a ledger has been worked under, kept in it by their hash, so that their events can be checked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from domain.core.policy import Policy
from infra.ledger.connections import Pool, Reads
from infra.ledger.schema.tables import PolicyRow
from infra.ledger.statement import SqlStatement, table, text
from infra.policy.calendars import CalendarsInvalid
from infra.policy.reading import PolicyInvalid, earlier_policy, fingerprint

policy = table(PolicyRow).c
KEEP = SqlStatement(
    insert(PolicyRow)
    .values(hash=text("hash"), file=bindparam("file"), calendars=bindparam("calendars"))
    .on_conflict_do_nothing()
)
KEPT = SqlStatement(select(policy.file, policy.calendars))


async def keep_policy(pool: Pool[Any], given: bytes, tables: bytes) -> None:
    """Safe to repeat; nothing is ever taken away."""
    await KEEP.rows(pool, hash=fingerprint(given, tables), file=given, calendars=tables)


async def known_policies(reads: Reads, now: Policy) -> Mapping[str, Policy]:
    """Read by hash every policy that was kept and can still be read, and this machine's own."""
    found = {now.hash: now}
    for row in await KEPT.rows(reads):
        try:
            one = earlier_policy(row["file"], row["calendars"], now)
        except (PolicyInvalid, CalendarsInvalid):
            continue
        found.setdefault(one.hash, one)
    return found
