"""Asks the database how the service does, when somebody looks: ages, counts, and who is at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.audit.checkpoints.exposure import exposure
from infra.leader import COURIER
from infra.ledger.encoding.errors import FAILURES, guarded
from infra.ledger.ledger import PgLedger
from infra.reads.nightly import last

GAUGES = """
select
    (select extract(epoch from clock_timestamp() - min(case when a.attended > 0 or a.woken = 0
                                                            then e.recorded_at else a.nudge_at end))
     from attention a join event e on e.stream = a.stream and e.version = a.attended + 1
     where a.attended < a.version) as oldest_unattended,
    (select extract(epoch from clock_timestamp() - min(wake_at)) from attention
     where wake_at < statement_timestamp() and attended >= version) as oldest_unwoken,
    (select extract(epoch from clock_timestamp() - min(next_due)) from case_view
     where open and next_due < statement_timestamp()) as oldest_overdue,
    (select count(*) from claim c join effect_view e on e.id = c.effect
     where c.newest and c.ended_at is null and c.lease_until < clock_timestamp()
         and e.state in ('requested', 'unknown')) as claims_past_lease
"""
UNSEALED = 300.0
"""Seconds after which an event without a checkpoint outside means that nobody seals."""
EFFECTS = "select kind, state, count(*) as number from effect_view where state <> 'requested' group by kind, state"
STAGES = "select stage, count(*) as number from case_view where open group by stage"
COURIER_HELD = f"""
select exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1
               and classid = 0 and objid = {COURIER:d}
               and database = (select oid from pg_database where datname = current_database()))
"""  # noqa: S608 - a number of ours


async def gauges(ledger: PgLedger) -> Mapping[str, Any]:
    """Seconds (0.0 = nothing waits) and counts; `effects` by (kind, state), `open_cases` by stage."""
    one = await guarded(ledger.pool.fetchrow(GAUGES))
    effects = await guarded(ledger.pool.fetch(EFFECTS))
    stages = await guarded(ledger.pool.fetch(STAGES))
    exposed = await exposure(ledger.pool)
    nightly = await last(ledger.pool)
    assert one is not None
    return {
        "oldest_unattended": float(one["oldest_unattended"] or 0),
        "oldest_unwoken": float(one["oldest_unwoken"] or 0),
        "oldest_overdue": float(one["oldest_overdue"] or 0),
        "claims_past_lease": one["claims_past_lease"],
        "exposed_seconds": exposed.seconds,
        "exposed_events": exposed.events,
        "sealing_refused": int(exposed.refused is not None),
        "sinks_failing": sum(sink["failing_since"] is not None for sink in exposed.sinks),
        "effects": {(row["kind"], row["state"]): row["number"] for row in effects},
        "open_cases": {row["stage"]: row["number"] for row in stages},
        "nightly": {name: int(one["fine"]) for name, one in nightly.items()},
        "nightly_age": {name: one["age"] for name, one in nightly.items()},
        "drift": {kind: n for one in nightly.values() for kind, n in one["found"].get("drift", {}).items()},
    }


async def sealing_fine(ledger: PgLedger) -> bool:
    """Return whether checkpoints are made and kept outside in time."""
    exposed = await exposure(ledger.pool)
    return exposed.refused is None and exposed.seconds < UNSEALED


async def courier_active(ledger: PgLedger) -> bool:
    """Return whether some process is the courier at this moment."""
    held: bool = await guarded(ledger.pool.fetchval(COURIER_HELD))
    return held


async def database_answers(ledger: PgLedger) -> bool:
    """Return whether the database can be asked at all."""
    try:
        return await ledger.pool.fetchval("select true", timeout=3) is True
    except FAILURES:
        return False
