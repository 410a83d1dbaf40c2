"""Quiet hours of whoever receives a message: delivery waits, the due time does not move [people.quiet-hours]."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVENING, MORNING = time(21), time(8)


def quiet_until(now: datetime, zone: str, evening: time = EVENING, morning: time = MORNING) -> datetime | None:
    """Return the instant (UTC) at which quiet hours in `zone` end; None = it is not quiet now. `now` must be aware.

    Escalations to staff are not asked about. Raises ValueError for a naive instant, KeyError for an unknown zone.
    """
    if now.tzinfo is None:
        raise ValueError("an instant needs a zone")
    if evening == morning:
        return None
    there = ZoneInfo(zone)
    local = now.astimezone(there)
    clock = local.time()
    overnight = evening > morning
    quiet = clock >= evening or clock < morning if overnight else evening <= clock < morning
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if overnight and clock >= evening else 0)
    return datetime.combine(day, morning, there).astimezone(UTC)
