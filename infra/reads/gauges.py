"""Asks the database how the service does, when somebody looks: ages, counts, and who is at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, extract, func, or_, select
from sqlalchemy import case as sql_case

from domain.core.errors import Refused
from infra.audit.checkpoints.exposure import exposure
from infra.leader import COURIER, leads
from infra.ledger.encoding.errors import FAILURES
from infra.ledger.ledger import PgLedger
from infra.ledger.queries import ALIVE
from infra.ledger.schema.tables import AttentionRow, CaseView, ClaimRow, EffectView, EventRow
from infra.ledger.statement import NOW, STATEMENT_TIME, SqlStatement, fixed, table
from infra.reads.nightly import last

CLAIM, EFFECT = table(ClaimRow), table(EffectView)
event, case, attention, claim, effect = (
    table(EventRow).c, table(CaseView).c, table(AttentionRow).c, CLAIM.c, EFFECT.c,
)  # fmt: skip


def _age(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", NOW - func.min(instant))


# What was written of a case counts from its recording; where only a watched stream grew, from the nudge that is owed.
SINCE = sql_case((or_(attention.attended > 0, attention.woken == 0), event.recorded_at), else_=attention.nudge_at)
GAUGES = SqlStatement(
    select(
        select(_age(SINCE))
        .where(
            event.stream == attention.stream, event.version == attention.attended + 1,
            attention.attended < attention.version,
        )
        .scalar_subquery().label("oldest_unattended"),
        select(_age(attention.wake_at))
        .where(attention.wake_at < STATEMENT_TIME, attention.attended >= attention.version)
        .scalar_subquery().label("oldest_unwoken"),
        select(_age(case.next_due))
        .where(case.open, case.next_due < STATEMENT_TIME)
        .scalar_subquery().label("oldest_overdue"),
        select(func.count())
        .select_from(CLAIM.join(EFFECT, effect.id == claim.effect))
        .where(
            claim.newest, claim.ended_at.is_(None), claim.lease_until < NOW,
            effect.state.in_([fixed("requested"), fixed("unknown")]),
        )
        .scalar_subquery().label("claims_past_lease"),
    )
)  # fmt: skip
UNSEALED = 300.0
"""Seconds after which an event without a checkpoint outside means that nobody seals."""
EFFECTS = SqlStatement(
    select(effect.kind, effect.state, func.count().label("number"))
    .where(effect.state != fixed("requested"))
    .group_by(effect.kind, effect.state)
)
STAGES = SqlStatement(select(case.stage, func.count().label("number")).where(case.open).group_by(case.stage))


async def gauges(ledger: PgLedger) -> Mapping[str, Any]:
    """Return seconds (0.0 = nothing waits) and counts; `effects` by (kind, state), `open_cases` by stage."""
    one = await GAUGES.first(ledger.pool)
    effects = await EFFECTS.rows(ledger.pool)
    stages = await STAGES.rows(ledger.pool)
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
    found = (await leads(ledger.pool)).get(COURIER)
    return found is not None and found["leads"]


async def clock_doubt(ledger: PgLedger) -> str:
    """Return why no clock is believed; empty where all agree."""
    try:
        await ledger.require_clock()
    except Refused as refused:
        return refused.detail
    return ""


async def clock_fine(ledger: PgLedger) -> bool:
    """Return whether events can be dated: the clocks agree, and the last event is not ahead of them."""
    return not await clock_doubt(ledger)


async def database_answers(ledger: PgLedger) -> bool:
    """Return whether the database can be asked at all."""
    try:
        return await ledger.pool.fetchval(ALIVE, timeout=3) is True
    except FAILURES:
        return False
