"""The end of the history is lost (a backup was put back): found, explained once, and accepted by a person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from temporalio.api.common.v1 import WorkflowExecution as Named
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecution

from activities.ports import Append, Meta
from api.cli.here import actor_of
from api.run.sealing import signing_keys
from api.run.wiring import Parts
from domain.errors import Reason, Refused, require
from domain.fact import Draft
from domain.installation import STREAM, LossAccepted, LossReason
from domain.roles import Role
from infra.checkpoints.checkpoint import origin_of
from infra.checkpoints.loss import beyond, told
from infra.checkpoints.sinks import sink_of
from infra.ledger.errors import guarded
from workflows.journey import EFFECTS
from workflows.names import CASE_WORKFLOW

log = structlog.get_logger()
Found = Mapping[str, Any]
RUNS = "WorkflowType = '{kind}' AND (ExecutionStatus = 'Running' OR CloseTime >= '{since}')"
VERSIONS = "select stream, version from attention where stream = any($1::text[])"
EFFECT_KNOWN = "select data::json ->> 'effect' as effect from event where type = 'EffectRequested' and stream = $1"
AT_ONCE = 20
PAGE = 100
PATIENCE = timedelta(seconds=10)


@dataclass(slots=True)
class Seen:
    """What the workflow engine knows of a case: the newest version, and effects that were attempted lately."""

    case: str
    version: int = 0
    effects: dict[str, str] = field(default_factory=dict)


async def find(here: Parts, client: Client | None = None, *, note: bool = True) -> Found | None:
    """What is missing, as far as checkpoints outside and, with a client, the workflow engine know; noted in the ledger.

    None where nothing is. What was noted before stands until it is accepted.
    """
    keys = signing_keys(here.settings).known() if here.settings.signing.exists() else ()
    sinks = [sink_of(place) for place in here.settings.checkpoint_places]
    found = await told(
        here.ledger.pool, await beyond(here.ledger.pool, sinks, origin_of(here.settings.installation), keys)
    )
    if before := await here.ledger.loss():  # what was looked at since was not there before
        found |= {name: before[name] for name in ("kept", "last_at")}
        found["missing"] = max(0, found["covered"] - found["kept"])
    found["cases"] = [] if client is None else await ahead(here, client, found["last_at"])
    missing = bool(found["checkpoints"] or found["cases"])
    if missing and note and not here.ledger.read_only:
        await here.ledger.note_loss(found, more=client is not None)
    return await here.ledger.loss() or (found if missing else None)


async def ahead(here: Parts, client: Client, last_at: str | None) -> list[dict[str, Any]]:
    """Cases of which this engine has seen more than the ledger holds; the most first."""
    since = datetime.fromisoformat(last_at) if last_at else datetime.fromtimestamp(0, UTC)
    runs = [run async for run in client.list_workflows(RUNS.format(kind=CASE_WORKFLOW, since=since.isoformat()))]
    rows = await guarded(here.ledger.pool.fetch(VERSIONS, [run.id for run in runs]))
    there = {row["stream"]: row["version"] for row in rows}
    epoch = (await here.ledger.engine()).epoch
    found: dict[str, Seen] = {}
    for start in range(0, len(runs), AT_ONCE):
        group = runs[start : start + AT_ONCE]
        for seen in await asyncio.gather(*(_seen(client, run, since, there.get(run.id, 0), epoch) for run in group)):
            if seen:
                one = found.setdefault(seen.case, seen)
                one.version, one.effects = max(one.version, seen.version), {**one.effects, **seen.effects}
    return [
        {"case": case, "seen": one.version, "there": there.get(case, 0), "effects": await _unknown(here, case, one)}
        for case, one in sorted(found.items(), key=lambda pair: there.get(pair[0], 0) - pair[1].version)
    ]


async def _seen(client: Client, run: WorkflowExecution, since: datetime, there: int, epoch: int) -> Seen | None:
    """What a run saw beyond the ledger; None where it saw nothing more, or its engine was replaced knowingly."""
    seen = await _look(client, run, since)
    if seen.version <= there:
        return None
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    first = await anext(handle.fetch_history_events(page_size=1))
    begun = _json(first.workflow_execution_started_event_attributes.input.payloads)
    return seen if begun.get("epoch", 0) >= epoch else None


async def _unknown(here: Parts, case: str, seen: Seen) -> list[list[str]]:
    """Effects that were attempted and that the ledger does not know: kind and id, to be asked for at the far side."""
    rows = await guarded(here.ledger.pool.fetch(EFFECT_KNOWN, case))
    known = {row["effect"] for row in rows}
    return [[kind, effect] for effect, kind in seen.effects.items() if effect not in known]


async def _look(client: Client, run: WorkflowExecution, since: datetime) -> Seen:
    """Back through a run until its newest look, and until what was recorded is surely in the ledger."""
    one = Seen(run.id)
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


@dataclass(frozen=True, slots=True)
class Accepting:
    """A person's word that it goes on without what is lost."""

    reason: LossReason
    by: str


MAY_ACCEPT = (Role.SUPERVISOR, Role.OPERATOR)


async def whole(here: Parts, client: Client, word: Accepting | None) -> None:
    """Return only when nothing is missing, or a person goes on without it. Raises Refused: all that is known."""
    found = await find(here, client)
    if found is None:
        require(word is None, Reason.ALREADY, "nothing is missing here; there is no loss to accept")
    elif word is None:
        raise Refused(Reason.LEDGER_BEHIND, "\n".join(explained(found)))
    else:
        actor = await actor_of(here, word.by)
        require(actor.role in MAY_ACCEPT, Reason.NOT_ALLOWED, "a supervisor or an operator accepts a loss", "by")
        await accept(here, found, word.reason, word.by)
        log.warning("loss accepted", kept=found["kept"], covered=found["covered"], by=word.by)


async def accept(here: Parts, found: Found, reason: LossReason, by: str) -> None:
    """Record that a person goes on without what is lost; from then on the ledger takes commands again."""
    event = LossAccepted(
        kept=found["kept"],
        covered=found["covered"],
        checkpoints=tuple(found["checkpoints"]),
        cases=tuple(f"{one['case']} {one['seen']}" for one in found["cases"]),
        reason=reason,
        by=by,
    )
    version = await here.ledger.last_version(STREAM)
    await here.ledger.append(Append(STREAM, version, [Draft(event, here.door.ids())], Meta(by, "operation")))


SHOWN = 20


def explained(found: Found) -> list[str]:
    """In plain words, for whoever runs this: what is missing, what is not affected, what to do."""
    cases = found["cases"]
    said = ["This database ends before what others have kept of it: most likely an older backup was put back."]
    said += [_range(found)] if found["covered"] else []
    said += [f"It was recorded after {found['last_at']}, the last event that is here."]
    said += [f"The newest checkpoint of it was kept outside at {found['kept_at']}."] if found["kept_at"] else []
    said += [f"Temporal had seen more of {len(cases)} cases than is here:"] if cases else []
    said += [_case(one) for one in cases[:SHOWN]]
    said += [f"  and {len(cases) - SHOWN} more" for _ in cases[SHOWN : SHOWN + 1]]
    return [*said, *WHAT_NOW]


def _range(found: Found) -> str:
    first, last = found["kept"] + 1, found["covered"]
    return f"At least {found['missing']} events are missing: positions {first} to {last} of the former history."


def _case(one: Mapping[str, Any]) -> str:
    asked = ", ".join(f"{kind} {effect}" for kind, effect in one["effects"])
    behind = f"{one['seen'] - one['there']} events more" if one["there"] else "opened in the lost part; not here at all"
    return f"  {one['case']}: {behind}" + (f"; was sent or attempted outside, ask there: {asked}" if asked else "")


WHAT_NOW = (
    "Not affected: every event that is here, its proofs, keys, documents, and what was forgotten stays forgotten.",
    "Until somebody decides, everything can be read, nothing is recorded, nobody is called and nothing is sent.",
    "If a newer backup exists, put that one back instead. If not:",
    "caravel restore --take-over --accept-loss --reason backup_restored --by PERSON",
)
