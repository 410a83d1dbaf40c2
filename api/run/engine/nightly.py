"""The chores of the night: who carries them out, and their schedules on Temporal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.nightly import chores
from activities.ports import ChoreFinding
from api.run.engine.drift import compare
from api.run.engine.restore import own_engine
from api.run.verifying import verified
from api.run.wiring import Parts
from domain.core.errors import Reason, require
from infra.leader import supersede
from infra.reads.nightly import keep
from workflows.names import UPKEEP
from workflows.nightly import CHORES, COMPARE_ENGINE, VERIFY_HISTORY, UpkeepWorkflow

CATCH_UP = timedelta(hours=12)
"""A night that was missed, because nothing ran, is made up for in the morning."""


def chores_of(opened: Parts, client: Client) -> list[Callable[[], Awaitable[bool]]]:
    """Return the activities behind workflows/nightly.py."""

    async def compare_engine() -> ChoreFinding:
        own = await own_engine(opened.ledger, client)
        require(own, Reason.SUPERSEDED, "another Temporal acts for this ledger")
        return (await compare(opened.ledger, client)).finding()

    looks: Mapping[str, Callable[[], Awaitable[ChoreFinding]]] = {
        COMPARE_ENGINE: compare_engine,
        VERIFY_HISTORY: partial(verified, opened.settings),
    }
    pool = opened.ledger.pool
    return chores(looks, partial(supersede, pool), partial(keep, pool))


async def plan(client: Client) -> None:
    """See to it that every chore has its schedule; one that is paused stays paused. Safe to repeat."""
    for name in CHORES:
        try:
            await client.create_schedule(name, _schedule(name))
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(name).update(partial(_renewed, name))


def _schedule(name: str) -> Schedule:
    chore = CHORES[name]
    return Schedule(
        action=ScheduleActionStartWorkflow(
            UpkeepWorkflow.run, name, id=name, task_queue=UPKEEP, static_summary=chore.does
        ),
        spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(chore.hour)], comment=chore.does)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )


def _renewed(name: str, known: ScheduleUpdateInput) -> ScheduleUpdate:
    schedule = _schedule(name)
    schedule.state = known.description.schedule.state
    return ScheduleUpdate(schedule)
