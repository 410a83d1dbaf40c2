"""Asks whether the database would record now, as sql/clock.sql decides it: for whoever waits until it does."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.core.errors import Reason, Refused, require
from infra.clock import said
from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded
from infra.ledger.queries import AHEAD_ACCEPTED, CLOCK


async def require_clocks(reads: Reads, sent: datetime, bound: timedelta) -> None:
    """Raise Refused(CLOCK_WRONG): the database's clock and `sent` differ, or the last event is ahead of both."""
    row = await guarded(reads.fetchrow(CLOCK))
    assert row is not None
    now, last = row["now"], row["last"]
    differ = f"the clock of the database says {said(now)}, that of this process {said(sent)}"
    require(abs(now - sent) <= bound, Reason.CLOCK_WRONG, differ)
    if last and last > now + bound and not await guarded(reads.fetchval(AHEAD_ACCEPTED, last)):
        raise Refused(Reason.CLOCK_WRONG, f"the last event is dated {said(last)}, and it is {said(now)}")
