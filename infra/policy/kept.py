"""The policies a ledger has been worked under, kept in it by their hash, so that their events can be checked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.core.policy import Policy
from infra.ledger.connections import Pool, Reads
from infra.ledger.encoding.errors import guarded
from infra.policy.calendars import CalendarsInvalid
from infra.policy.reading import PolicyInvalid, earlier_policy, fingerprint

KEEP = "insert into policy values ($1, $2, $3) on conflict do nothing"
KEPT = "select file, calendars from policy"


async def keep_policy(pool: Pool[Any], text: bytes, tables: bytes) -> None:
    """Safe to repeat; nothing is ever taken away."""
    await guarded(pool.execute(KEEP, fingerprint(text, tables), text, tables))


async def known_policies(reads: Reads, now: Policy) -> Mapping[str, Policy]:
    """Read by hash every policy that was kept and can still be read, and this machine's own."""
    found = {now.hash: now}
    for row in await guarded(reads.fetch(KEPT)):
        try:
            one = earlier_policy(row["file"], row["calendars"], now)
        except (PolicyInvalid, CalendarsInvalid):
            continue
        found.setdefault(one.hash, one)
    return found
