"""A worker process: looks at cases, carries out effects, and one of all workers is the courier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import NondeterminismError

from activities.attend import Attending
from activities.command_handler import CommandHandler
from activities.perform import EffectHandler, Performing
from workflows.case import CaseWorkflow
from workflows.journey import EFFECTS
from workflows.names import CASES, HOSPITALS, NOTICES, UPKEEP
from workflows.nightly import UpkeepWorkflow
from workflows.recall import RECALL_EFFECTS, RecallWorkflow

GRACE = timedelta(seconds=20)
STICKY = timedelta(seconds=1)
SLOTS = {CASES: 20, HOSPITALS: 40, NOTICES: 20, UPKEEP: 1}
"""Activities at once."""
EVERY_EFFECT = {**EFFECTS, **RECALL_EFFECTS}
PASSED_THROUGH = (
    "domain",
    "activities",
    "workflows.journey",
    "workflows.names",
    "workflows.drive",
    "workflows.tracing",
    "opentelemetry",
)

RUNNER = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def workers(client: Client, commands: CommandHandler, handlers: Mapping[str, EffectHandler]) -> list[Worker]:
    """Make one worker for each queue, so that hospitals that hang and a dead mail server hold up no look at a case."""
    performing = Performing(commands, handlers)

    def named(queue: str) -> list[Callable[..., Any]]:
        return performing.activities(kind for kind, row in EVERY_EFFECT.items() if row.queue == queue)

    return [
        _worker(client, CASES, [Attending(commands).attend, performing.record_unknown, *named(CASES)]),
        _worker(client, HOSPITALS, named(HOSPITALS)),
        _worker(client, NOTICES, named(NOTICES)),
    ]


def night_worker(client: Client, chores: Sequence[Callable[..., Any]]) -> Worker:
    """Make the worker for the chores of the night, which runs one at a time."""
    return _worker(client, UPKEEP, [*chores])


def _worker(client: Client, queue: str, activities: list[Callable[..., Any]]) -> Worker:
    workflows: Mapping[str, Sequence[type]] = {CASES: [CaseWorkflow, RecallWorkflow], UPKEEP: [UpkeepWorkflow]}
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows.get(queue, ()),
        activities=activities,
        workflow_runner=RUNNER,
        workflow_failure_exception_types=[NondeterminismError],
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=SLOTS[queue],
        max_cached_workflows=1_000,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )


async def work(
    running: list[Worker], beside: list[Callable[[], Coroutine[Any, Any, None]]], stop: asyncio.Event
) -> None:
    """Run until `stop` is set; then let what is under way finish. Raises what ended a worker by itself."""
    async with AsyncExitStack() as stack:
        for worker in running:
            await stack.enter_async_context(worker)
        tasks = [asyncio.create_task(job()) for job in beside]
        try:
            stopping = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
