"""Reads how the machinery does, as lists a person can act on: bounded, by index, the newest events only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import PgLedger

SHOWN = 20
NEWEST_STAGES, NEWEST_STEPS = 2_000, 500
"""How many events the figures are made of, however many there are."""
BACK = "position > (select max(position) from event) - 200000"
"""How far back they are looked for, by position."""
QUEUES = ("cases", "hospitals", "notices")
PATIENCE = timedelta(seconds=2)
Row = Mapping[str, Any]

UNATTENDED = """
select a.stream, c.number, a.version - a.attended as events, a.nudge_at as since
from attention a left join case_view c using (stream) where a.attended < a.version order by a.nudge_at limit $1
"""
LATE = """
select stream, number, next_kind as kind, next_debtor as debtor, next_due as due from case_view
where open and next_due < statement_timestamp() order by next_due, stream limit $1
"""
EFFECTS = """
select e.id, e.stream, c.number, e.kind, e.state, e.tries, e.not_before, e.requested_at
from effect_view e left join case_view c using (stream)
where e.state = $2 order by e.requested_at limit $1
"""
FAILING = """
select e.id, e.stream, c.number, e.kind, e.state, l.attempt as tries, e.not_before, e.requested_at
from effect_view e join claim l on l.effect = e.id and l.newest left join case_view c on c.stream = e.stream
where e.state = 'requested' and l.attempt > 1 order by e.requested_at limit $1
"""
PAST_LEASE = """
select l.stream, c.number, e.kind, l.attempt, l.lease_until from claim l
join effect_view e on e.id = l.effect left join case_view c on c.stream = l.stream
where l.newest and l.ended_at is null and l.lease_until < statement_timestamp() order by l.lease_until limit $1
"""
CALLBACKS = "select received_at, centre, reason, size from rejected_callback order by id desc limit $1"
STAGES = f"""
with newest as (
    select stream, version, recorded_at from event where type = 'StageEntered' and {BACK}
    order by position desc limit $1
), spells as (
    select before.stage, extract(epoch from n.recorded_at - before.at) as seconds from newest n cross join lateral (
        select coalesce(data::json ->> 'stage', 'inquiry') as stage, recorded_at as at from event e
        where e.stream = n.stream and e.version < n.version and e.type in ('StageEntered', 'CaseOpened')
        order by e.version desc limit 1
    ) before
)
select stage, count(*) as number, percentile_cont(0.5) within group (order by seconds) as median,
       percentile_cont(0.9) within group (order by seconds) as ninety
from spells group by stage
"""  # noqa: S608 - words of ours
WAITING = """
select next_debtor as debtor, count(*) as number, count(*) filter (where next_due < statement_timestamp()) as late
from case_view where open and next_debtor is not null group by 1
"""
REMINDERS = f"""
with newest as (
    select stream, version, data::json ->> 'obligation' as obligation from event
    where type = 'ObligationStepTaken' and {BACK}
    order by position desc limit $1
), sent as (select stream, obligation, min(version) as version, count(*) as number from newest group by 1, 2)
select coalesce(opened.debtor, '') as debtor, sum(s.number)::integer as sent,
       count(*)::integer as owed, count(*) filter (where ended.type = 'ObligationMet')::integer as met,
       count(*) filter (where ended.type = 'ObligationMissed')::integer as missed
from sent s
left join lateral (
    select data::json ->> 'debtor' as debtor from event e where e.stream = s.stream and e.version < s.version
    and e.type = 'ObligationOpened' and e.data::json ->> 'obligation' = s.obligation order by version desc limit 1
) opened on true
left join lateral (
    select type from event e where e.stream = s.stream and e.version > s.version
    and e.type in ('ObligationMet', 'ObligationMissed', 'ObligationWithdrawn')
    and e.data::json ->> 'obligation' = s.obligation order by version limit 1
) ended on true
group by 1 order by 2 desc
"""  # noqa: S608 - words of ours


class Operations:
    """Reads of one ledger and of the workers' queues."""

    def __init__(self, ledger: PgLedger, temporal: Client | None) -> None:
        self._ledger = ledger
        self._temporal = temporal

    async def unattended(self) -> Sequence[Row]:
        """Cases something was recorded of that nobody has looked at yet, the oldest first."""
        return await self._rows(UNATTENDED, SHOWN)

    async def late(self) -> Sequence[Row]:
        """List what is late, the longest first, as the worklist says it: also what was missed and is chased."""
        return await self._rows(LATE, SHOWN)

    async def effects(self) -> Sequence[Row]:
        """Nobody knows the fate of, was refused or came back, or is being tried again; each the oldest first."""
        ended = [row for state in ("unknown", "refused", "bounced") for row in await self._rows(EFFECTS, SHOWN, state)]
        return [*ended, *await self._rows(FAILING, SHOWN)]

    async def past_lease(self) -> Sequence[Row]:
        """Attempts whose end nobody has told."""
        return await self._rows(PAST_LEASE, SHOWN)

    async def callbacks(self) -> Sequence[Row]:
        """Callbacks that were not believed, the newest first."""
        return await self._rows(CALLBACKS, SHOWN)

    async def stages(self) -> Sequence[Row]:
        """Seconds spent in each stage, median and 90 %, of the newest changes of stage."""
        return await self._rows(STAGES, NEWEST_STAGES)

    async def waiting(self) -> Sequence[Row]:
        """Open cases by whom they wait for."""
        return await self._rows(WAITING)

    async def reminders(self) -> Sequence[Row]:
        """Count of the newest reminders how many things were asked of whom, and how many of them were done since."""
        return await self._rows(REMINDERS, NEWEST_STEPS)

    async def workers(self) -> Sequence[Row] | None:
        """List who asked each queue for work, and when last; None = Temporal is not there to say."""
        if self._temporal is None:
            return None
        try:
            return [row for queue in QUEUES for row in await self._pollers(self._temporal, queue)]
        except RPCError:
            return None

    async def _pollers(self, temporal: Client, queue: str) -> Sequence[Row]:
        request = DescribeTaskQueueRequest(
            namespace=temporal.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        answer = await temporal.workflow_service.describe_task_queue(request, timeout=PATIENCE)
        return [
            {"queue": queue, "identity": one.identity, "at": one.last_access_time.ToDatetime(UTC)}
            for one in answer.pollers
        ]

    async def _rows(self, sql: str, *given: object) -> Sequence[Row]:
        return [dict(row) for row in await guarded(self._ledger.pool.fetch(sql, *given))]
