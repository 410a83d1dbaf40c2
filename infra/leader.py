"""Chooses one of many: a lease in the database, renewed while it is held, and a number that only grows.

A leader that hangs loses the lease, and what it writes when it comes back is refused by its number (sql/leads.sql).
That its session is there proves nothing, since a process that is stopped keeps it; that it is gone ends the lease.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
from sqlalchemy import and_, literal, select

from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import FAILURES, guarded
from infra.ledger.queries import LEAVE_LEAD, RENEW_LEAD, SUPERSEDE_LEAD, TAKE_LEAD
from infra.ledger.schema.tables import LeadRow
from infra.ledger.statement import NOW, Row, SqlStatement, fixed, table

log = structlog.get_logger()

COURIER, SEALER = "courier", "sealer"
MARKS = {COURIER: 4846801, SEALER: 4846802}
"""The advisory locks by which a session that took a lease shows that it is still there."""
LASTS = timedelta(seconds=20)
RENEW, WAIT, PATIENCE = 5.0, 1.0, 5.0
"""Seconds: between two renewals, between two tries to become the leader, and for a word at the end."""
SESSION = {"role": "caravel_app", "timezone": "UTC", "jit": "off", "application_name": "caravel leader"}

_lead = table(LeadRow).c
_ENDS = table(LeadRow).c.renewed_at + literal(LASTS)
LEADS = SqlStatement(
    select(
        _lead.role, _lead.holder, _lead.since, _lead.lost_at, _lead.lost_by,
        and_(_lead.holder.is_not(None), NOW.between(_lead.renewed_at, _ENDS)).label("leads"),
    ).where(_lead.role.in_([fixed(COURIER), fixed(SEALER)])).order_by(_lead.role)
)  # fmt: skip


class LeadLost(Exception):
    """The lease was not renewed in time, and another process has it."""


async def leading(dsn: str, role: str, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Wait to become the one and do its work, which is told the number that its writes must name.

    Raises LeadLost when the lease went to another, or what ended the work; then the lease is given up.
    """
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn, timeout=5, ssl=False, server_settings=SESSION)
    try:
        fence = await connection.fetchval(TAKE_LEAD, role, myself(), LASTS, MARKS[role])
        while not fence:
            await asyncio.sleep(WAIT)
            fence = await connection.fetchval(TAKE_LEAD, role, myself(), LASTS, MARKS[role])
        log.info("leading", role=role, fence=fence)
        try:
            await _first(work(fence), _renewing(connection, role, fence))
        finally:
            with suppress(*FAILURES):
                await asyncio.wait_for(connection.execute(LEAVE_LEAD, role, fence), PATIENCE)
    finally:
        connection.terminate()


async def _renewing(connection: asyncpg.Connection[Any], role: str, fence: int) -> None:
    """Renew for ever; a slow answer is waited for until the lease has ended."""
    while True:
        await asyncio.sleep(RENEW)
        if not await connection.fetchval(RENEW_LEAD, role, fence, timeout=LASTS.total_seconds() - RENEW):
            raise LeadLost(role)


async def _first(*works: Coroutine[Any, Any, None]) -> None:
    """Run them until one ends, and end the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def myself() -> str:
    """Return how this process is named among workers, as Temporal names it."""
    return f"{os.getpid()}@{socket.gethostname()}"


async def supersede(pool: Reads, role: str) -> int:
    """Take a role from whoever has it and hangs, as somebody else knows (Temporal does of chores); its new number."""
    fence: int = await guarded(pool.fetchval(SUPERSEDE_LEAD, role, myself()))
    return fence


async def leads(reads: Reads) -> Mapping[str, Row]:
    """Return by role who leads since when, whether the lease holds now, and when one was last lost, and by whom."""
    return {row["role"]: row for row in await LEADS.rows(reads)}
