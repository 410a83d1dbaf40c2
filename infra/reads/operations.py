"""Reads how the machinery does, as lists a person can act on: bounded, by index, the newest events only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, Integer, and_, extract, func, literal_column, select, true
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.leader import leads
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import AttentionRow, CaseView, ClaimRow, EffectView, EventRow, RejectedCallback
from infra.ledger.statement import LIMIT, ONE, STATEMENT_TIME, Row, SqlStatement, again, fixed, member, table, text
from infra.reads.gauges import clock_doubt

SHOWN = 20
NEWEST_STAGES, NEWEST_STEPS = 2_000, 500
"""How many events the figures are made of, however many there are."""
FAR_BACK = 200_000
"""How far back they are looked for, in positions."""
QUEUES = ("cases", "hospitals", "notices")
PATIENCE = timedelta(seconds=2)

CASE, ATTENTION, CLAIM, EFFECT = table(CaseView), table(AttentionRow), table(ClaimRow), table(EffectView)
event, case, attention, claim, effect = table(EventRow).c, CASE.c, ATTENTION.c, CLAIM.c, EFFECT.c
callback = table(RejectedCallback).c
EPOCH = "epoch"

UNATTENDED = SqlStatement(
    select(
        attention.stream, case.number, (attention.version - attention.attended).label("events"),
        attention.nudge_at.label("since"),
    )
    .join_from(ATTENTION, CASE, case.stream == attention.stream, isouter=True)
    .where(attention.attended < attention.version)
    .order_by(attention.nudge_at)
    .limit(LIMIT)
)  # fmt: skip
LATE = SqlStatement(
    select(
        case.stream, case.number, case.next_kind.label("kind"), case.next_debtor.label("debtor"),
        case.next_due.label("due"),
    )
    .where(case.open, case.next_due < STATEMENT_TIME)
    .order_by(case.next_due, case.stream)
    .limit(LIMIT)
)  # fmt: skip


def _effects(tries: ColumnElement[int], source: FromClause, *bounds: ColumnElement[bool]) -> SqlStatement:
    """Effects, the oldest first."""
    return SqlStatement(
        select(
            effect.id, effect.stream, case.number, effect.kind, effect.state, tries.label("tries"), effect.not_before,
            effect.requested_at,
        )
        .select_from(source.outerjoin(CASE, case.stream == effect.stream))
        .where(*bounds)
        .order_by(effect.requested_at)
        .limit(LIMIT)
    )  # fmt: skip


EFFECTS = _effects(effect.tries, EFFECT, effect.state == text("state"))
FAILING = _effects(
    claim.attempt,
    EFFECT.join(CLAIM, and_(claim.effect == effect.id, claim.newest)),
    effect.state == fixed("requested"),
    claim.attempt > ONE,
)
PAST_LEASE = SqlStatement(
    select(claim.stream, case.number, effect.kind, claim.attempt, claim.lease_until)
    .select_from(CLAIM.join(EFFECT, effect.id == claim.effect).outerjoin(CASE, case.stream == claim.stream))
    .where(claim.newest, claim.ended_at.is_(None), claim.lease_until < STATEMENT_TIME)
    .order_by(claim.lease_until)
    .limit(LIMIT)
)
CALLBACKS = SqlStatement(
    select(callback.received_at, callback.centre, callback.reason, callback.size)
    .order_by(callback.id.desc())
    .limit(LIMIT)
)
WAITING = SqlStatement(
    select(
        case.next_debtor.label("debtor"), func.count().label("number"),
        func.count().filter(case.next_due < STATEMENT_TIME).label("late"),
    )
    .where(case.open, case.next_debtor.is_not(None))
    .group_by(case.next_debtor)
)  # fmt: skip


def _newest(kind: str, *columns: ColumnElement[Any]) -> CTE:
    """The newest events of a type, as many as the limit."""
    head = select(func.max(again(EventRow, "head").c.position)).scalar_subquery()
    lately = event.position > head - literal_column(str(FAR_BACK), Integer)
    found = select(*columns).where(event.type == fixed(kind), lately).order_by(event.position.desc())
    return found.limit(LIMIT).cte("newest")


def _stages() -> SqlStatement:
    newest, earlier = _newest("StageEntered", event.stream, event.version, event.recorded_at), again(EventRow, "e").c
    before = (
        select(
            func.coalesce(member(earlier.data, "stage"), fixed("inquiry")).label("stage"),
            earlier.recorded_at.label("at"),
        )
        .where(
            earlier.stream == newest.c.stream, earlier.version < newest.c.version,
            earlier.type.in_([fixed("StageEntered"), fixed("CaseOpened")]),
        )
        .order_by(earlier.version.desc())
        .limit(ONE)
        .lateral("before")
    )  # fmt: skip
    took = extract(EPOCH, newest.c.recorded_at - before.c.at)
    spells = select(before.c.stage, took.label("seconds")).select_from(newest.join(before, true())).cte("spells")

    def within(share: str) -> ColumnElement[Any]:
        return func.percentile_cont(literal_column(share)).within_group(spells.c.seconds)

    figures = func.count().label("number"), within("0.5").label("median"), within("0.9").label("ninety")
    return SqlStatement(select(spells.c.stage, *figures).group_by(spells.c.stage))


def _reminders() -> SqlStatement:
    newest = _newest(
        "ObligationStepTaken", event.stream, event.version, member(event.data, "obligation").label("obligation")
    )
    first, number = func.min(newest.c.version).label("version"), func.count().label("number")
    sent = select(newest.c.stream, newest.c.obligation, first, number).group_by(newest.c.stream, newest.c.obligation)
    s = sent.cte("sent")
    opening, ending = again(EventRow, "opening").c, again(EventRow, "ending").c
    opened = (
        select(member(opening.data, "debtor").label("debtor"))
        .where(
            opening.stream == s.c.stream, opening.version < s.c.version, opening.type == fixed("ObligationOpened"),
            member(opening.data, "obligation") == s.c.obligation,
        )
        .order_by(opening.version.desc())
        .limit(ONE)
        .lateral("opened")
    )  # fmt: skip
    ends = [fixed(one) for one in ("ObligationMet", "ObligationMissed", "ObligationWithdrawn")]
    ended = (
        select(ending.type)
        .where(
            ending.stream == s.c.stream, ending.version > s.c.version, ending.type.in_(ends),
            member(ending.data, "obligation") == s.c.obligation,
        )
        .order_by(ending.version)
        .limit(ONE)
        .lateral("ended")
    )  # fmt: skip
    debtor = func.coalesce(opened.c.debtor, fixed("")).label("debtor")
    sums = (
        func.sum(s.c.number).cast(Integer).label("sent"),
        func.count().cast(Integer).label("owed"),
        func.count().filter(ended.c.type == fixed("ObligationMet")).cast(Integer).label("met"),
        func.count().filter(ended.c.type == fixed("ObligationMissed")).cast(Integer).label("missed"),
    )
    found = select(debtor, *sums).select_from(s.outerjoin(opened, true()).outerjoin(ended, true()))
    return SqlStatement(found.group_by(debtor).order_by(sums[0].desc()))


STAGES, REMINDERS = _stages(), _reminders()


class OperationsQueries:
    """Reads of one ledger and of the workers' queues."""

    def __init__(self, ledger: PgLedger, temporal: Client | None) -> None:
        self._ledger = ledger
        self._pool = ledger.pool
        self._temporal = temporal

    async def unattended(self) -> Sequence[Row]:
        """Return cases something was recorded of that nobody has looked at yet, the oldest first."""
        return await UNATTENDED.rows(self._pool, limit=SHOWN)

    async def late(self) -> Sequence[Row]:
        """List what is late, the longest first, as the worklist says it: also what was missed and is chased."""
        return await LATE.rows(self._pool, limit=SHOWN)

    async def effects(self) -> Sequence[Row]:
        """Nobody knows the fate of, was refused or came back, or is being tried again; each the oldest first."""
        ended = [
            row
            for state in ("unknown", "refused", "bounced")
            for row in await EFFECTS.rows(self._pool, limit=SHOWN, state=state)
        ]
        return [*ended, *await FAILING.rows(self._pool, limit=SHOWN)]

    async def past_lease(self) -> Sequence[Row]:
        """Return attempts whose end nobody has told."""
        return await PAST_LEASE.rows(self._pool, limit=SHOWN)

    async def callbacks(self) -> Sequence[Row]:
        """Return callbacks that were not believed, the newest first."""
        return await CALLBACKS.rows(self._pool, limit=SHOWN)

    async def stages(self) -> Sequence[Row]:
        """Return seconds spent in each stage, median and 90 %, of the newest changes of stage."""
        return await STAGES.rows(self._pool, limit=NEWEST_STAGES)

    async def waiting(self) -> Sequence[Row]:
        """Open cases by whom they wait for."""
        return await WAITING.rows(self._pool)

    async def reminders(self) -> Sequence[Row]:
        """Count of the newest reminders how many things were asked of whom, and how many of them were done since."""
        return await REMINDERS.rows(self._pool, limit=NEWEST_STEPS)

    async def workers(self) -> Sequence[Row] | None:
        """List who asked each queue for work, and when last; None = Temporal is not there to say."""
        if self._temporal is None:
            return None
        try:
            return [row for queue in QUEUES for row in await self._pollers(self._temporal, queue)]
        except RPCError:
            return None

    async def leads(self) -> Mapping[str, Row]:
        """Return by role who leads, since when, and when one last lost that."""
        return await leads(self._pool)

    async def doubt(self) -> str:
        """Return why no clock is believed, so that nothing is recorded; empty where all agree."""
        return await clock_doubt(self._ledger)

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
