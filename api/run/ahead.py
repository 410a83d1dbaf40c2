"""Reads from Temporal's histories what it has seen of cases that the ledger does not hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution as Named
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecution

from api.run.wiring import Parts
from infra.reads.attention import AttentionQueries
from workflows.journey import EFFECTS
from workflows.names import CASE_WORKFLOW

RUNS = "WorkflowType = '{kind}' AND (ExecutionStatus = 'Running' OR CloseTime >= '{since}')"
AT_ONCE = 20
PAGE = 100
PATIENCE = timedelta(seconds=10)


@dataclass(slots=True)
class SeenOfCase:
    """Holds of one case the newest version, effects attempted lately (id → kind), and the newest engine's epoch."""

    case: str
    version: int = 0
    effects: dict[str, str] = field(default_factory=dict)
    epoch: int = 0

    def add(self, other: SeenOfCase) -> None:
        """Add what another run of the case saw."""
        self.version, self.epoch = max(self.version, other.version), max(self.epoch, other.epoch)
        self.effects |= other.effects


async def ahead(here: Parts, client: Client, last_at: str | None) -> list[dict[str, Any]]:
    """Return cases of which this engine has seen more than the ledger holds; the most first."""
    since = datetime.fromisoformat(last_at) if last_at else datetime.fromtimestamp(0, UTC)
    runs = [run async for run in client.list_workflows(RUNS.format(kind=CASE_WORKFLOW, since=since.isoformat()))]
    there = await AttentionQueries(here.ledger.pool).versions([run.id for run in runs])
    epoch = (await here.ledger.engine()).epoch
    found: dict[str, SeenOfCase] = {}
    for start in range(0, len(runs), AT_ONCE):
        group = runs[start : start + AT_ONCE]
        for seen in await asyncio.gather(*(_seen(client, run, since, there.get(run.id, 0), epoch) for run in group)):
            if seen:
                found.setdefault(seen.case, seen).add(seen)
    return [
        {
            "case": case,
            "seen": one.version,
            "there": there.get(case, 0),
            "effects": await _unknown(here, case, one),
            "epoch": one.epoch,
        }
        for case, one in sorted(found.items(), key=lambda pair: there.get(pair[0], 0) - pair[1].version)
    ]


async def _seen(client: Client, run: WorkflowExecution, since: datetime, there: int, epoch: int) -> SeenOfCase | None:
    """What a run saw beyond the ledger; None where it saw nothing more, or its engine was replaced knowingly."""
    seen = await _look(client, run, since)
    if seen.version <= there:
        return None
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    first = await anext(handle.fetch_history_events(page_size=1))
    begun = _json(first.workflow_execution_started_event_attributes.input.payloads)
    seen.epoch = begun.get("epoch", 0)
    return seen if seen.epoch >= epoch else None


async def _unknown(here: Parts, case: str, seen: SeenOfCase) -> list[list[str]]:
    """Effects that were attempted and that the ledger does not know: kind and id, to be asked for at the far side."""
    known = await AttentionQueries(here.ledger.pool).effects(case)
    return [[kind, effect] for effect, kind in seen.effects.items() if effect not in known]


async def _look(client: Client, run: WorkflowExecution, since: datetime) -> SeenOfCase:
    """Back through a run until its newest look, and until what was recorded is surely in the ledger."""
    one = SeenOfCase(run.id)
    versions: list[int] = []
    async for event in _backwards(client, run):
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                versions += _versions(event.activity_task_completed_event_attributes.result.payloads)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                versions.append(
                    int(_json(event.workflow_execution_started_event_attributes.input.payloads).get("seen", 0))
                )
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                asked = event.activity_task_scheduled_event_attributes
                if asked.activity_type.name in EFFECTS:
                    one.effects[str(_json(asked.input.payloads)["effect"])] = asked.activity_type.name
            case _:
                pass
        if versions and event.event_time.ToDatetime(UTC) < since:
            break
    one.version = max(versions, default=0)
    return one


def _versions(payloads: Sequence[Any]) -> list[int]:
    """Of a look's answer; other activities answer with nothing."""
    answer = _json(payloads)
    return [answer["version"]] if "version" in answer and not answer.get("superseded") else []


def _json(payloads: Sequence[Any]) -> Mapping[str, Any]:
    read = json.loads(payloads[0].data or b"null") if payloads else None
    return read if isinstance(read, dict) else {}


async def _backwards(client: Client, run: WorkflowExecution) -> AsyncIterator[HistoryEvent]:
    token = b""
    while True:
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=Named(workflow_id=run.id, run_id=run.run_id),
            maximum_page_size=PAGE,
            next_page_token=token,
        )
        answer = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=PATIENCE)
        for event in answer.history.events:
            yield event
        token = answer.next_page_token
        if not token:
            return
