"""The loop of one case on the real Temporal and the real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from activities.gateways import GatewayRefused
from activities.perform import Delivered
from api.run.engine import courier
from tests.workflows.changed import Changed
from tests.workflows.rig import MAIL, PATIENT, Call, Engine, command, eventually, hang
from workflows.case import CaseStart, CaseWorkflow
from workflows.names import CASES, NUDGE

pytestmark = pytest.mark.slow

STAGE = SearchAttributeKey.for_keyword("CaravelStage")
CASE = SearchAttributeKey.for_keyword("CaravelCase")


def raw(events: Iterable[HistoryEvent]) -> bytes:
    """Everything Temporal keeps of a run, payloads as they are."""
    return b"".join(e.SerializeToString() for e in events)


async def test_an_opened_case_gets_its_loop_and_shows_where_it_stands(here: Engine) -> None:
    case = await here.open()
    await here.settled(case)

    async def shown() -> str:
        described = await here.client.get_workflow_handle(case).describe()
        return str((await described.memo()).get("stage", ""))

    assert await eventually(shown) == "inquiry"
    (run,) = await eventually(lambda: here.runs(case))
    assert run.status == WorkflowExecutionStatus.RUNNING
    assert run.typed_search_attributes.get(STAGE) == "inquiry"
    assert run.typed_search_attributes.get(CASE) == case
    details = await here.client.get_workflow_handle(case).query("__temporal_workflow_metadata")
    assert details.current_details.startswith("**inquiry**\n\n- first_reply: coordinator, until ")
    assert await here.looks(case) == 1


async def test_nothing_personal_enters_temporal(here: Engine) -> None:
    async def no(_call: Call) -> Delivered:
        raise GatewayRefused("no_address", f"{PATIENT} has moved")

    async def fault(_call: Call) -> Delivered:
        raise ValueError(f"cannot write to {PATIENT} at {MAIL}")

    here.hands.answers.update(request_record=no, request_record_from_doctor=fault)
    case = await here.open()
    await here.to_records(case)
    await here.send(case, command("RequestRecord", "labs", "family", f"from {PATIENT}"))
    await here.send(case, command("RequestRecord", "labs", "home_oncologist", f"from {PATIENT}"))
    kept = [b""]

    async def fails() -> bool:
        """Whether the failure of an attempt stands in Temporal; the newest run is listed a moment later."""
        kept[0] = await _kept(here, case)
        return b"ValueError" in kept[0]

    await eventually(fails)  # the failure is there, without its text
    here.hands.answers.clear()
    assert case.encode() in kept[0]
    for word in ("Canary", "canary", "Wilhelmina", "moved"):
        assert word.encode() not in kept[0]


async def _kept(here: Engine, case: str) -> bytes:
    """All that Temporal holds of a case."""
    kept = b""
    for run in await here.runs(case):
        handle = here.client.get_workflow_handle(case, run_id=run.run_id)
        described = await handle.describe()
        kept += raw(await here.history(case, run.run_id)) + described.raw_description.SerializeToString()
    return kept


async def test_the_chain_of_runs_is_the_journey(here: Engine) -> None:
    case = await here.open()
    await here.settled(case)
    await here.to_records(case)

    async def stages() -> list[str | None]:
        return [run.typed_search_attributes.get(STAGE) for run in await here.runs(case)]

    await eventually(lambda: _equal(stages, ["inquiry", "records"]))
    await here.send(case, command("VoidCase", "opened twice"))
    await eventually(lambda: _equal(stages, ["inquiry", "records", "closed"]))
    await eventually(lambda: _is(here, case, "COMPLETED"))
    runs = await here.runs(case)
    assert [r.status.name for r in runs if r.status] == ["CONTINUED_AS_NEW", "CONTINUED_AS_NEW", "COMPLETED"]
    assert [(await r.memo())["stage"] for r in runs] == ["inquiry", "records", "closed"]
    assert await here.client.get_workflow_handle(case).result() == "ended"
    facts = [f.event for f in await here.facts(case, "StageEntered")]
    assert [f.stage for f in facts] == ["records", "closed"]


async def test_a_stage_that_was_left_before_anybody_looked_has_its_run_too(here: Engine) -> None:
    case = await here.open()
    await here.settled(case)
    await here.stop()
    await here.to_records(case)
    await here.send(case, command("RequestRecord", "pathology"))
    await here.send(case, command("VoidCase", "opened twice"))
    await here.start()
    await eventually(lambda: _is(here, case, "COMPLETED"))
    runs = await here.runs(case)
    assert [run.typed_search_attributes.get(STAGE) for run in runs] == ["inquiry", "records", "closed"]
    assert [await here.looks(case, run.run_id) for run in runs[1:]] == [1, 1]
    details = await here.client.get_workflow_handle(case, run_id=runs[0].run_id).query("__temporal_workflow_metadata")
    assert details.current_details.startswith("**inquiry → records → closed**")


async def _equal(what: Any, wanted: Any) -> bool:
    return bool(await what() == wanted)


async def _is(here: Engine, case: str, status: str) -> bool:
    return await here.status(case) == status


async def test_a_loop_ends_only_when_no_nudge_is_pending(here: Engine) -> None:
    """A nudge that comes between the last look and the end is looked at."""
    case = await here.open()
    await here.settled(case)
    await here.send(case, command("VoidCase", "opened twice"))
    for _ in range(30):
        await here.courier.nudge(case, (await here.ledger.engine()).epoch)
    await here.settled(case)
    await eventually(lambda: _is(here, case, "COMPLETED"))
    for run in await here.runs(case):
        events = await here.history(case, run.run_id)
        newest_signal = max([n for n, e in enumerate(events) if _signal(e)], default=-1)
        newest_look = max([n for n, e in enumerate(events) if _look(e)])
        ended = events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
        assert not ended or newest_look > newest_signal


def _signal(event: HistoryEvent) -> bool:
    return event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


def _look(event: HistoryEvent) -> bool:
    return event.activity_task_scheduled_event_attributes.activity_type.name == "attend"


async def test_a_closed_case_can_be_taken_up_again_by_a_new_loop(here: Engine) -> None:
    case = await here.open()
    await here.send(case, command("LeaveJourney", "declined"))
    await eventually(lambda: _is(here, case, "COMPLETED"))
    await here.send(case, command("ReopenCase", "changed their mind"))
    await here.settled(case)
    await eventually(lambda: _is(here, case, "RUNNING"))


async def test_two_nudges_make_one_look_more_at_most(here: Engine) -> None:
    case = await here.open()
    await here.settled(case)
    await eventually(lambda: _looked(here, case))
    before = await here.looks(case)
    handle = here.client.get_workflow_handle(case)
    await asyncio.gather(handle.signal(NUDGE), handle.signal(NUDGE))
    await asyncio.sleep(2)
    assert before + 1 <= await here.looks(case) <= before + 2


async def _looked(here: Engine, case: str) -> bool:
    return await here.looks(case) > 0


async def test_what_the_loop_itself_records_calls_no_courier(here: Engine) -> None:
    case = await here.open()
    await here.to_records(case)
    await here.settled(case)
    await asyncio.sleep(1)
    before = here.courier.nudges
    await here.send(case, command("RequestRecord", "pathology"))
    await eventually(lambda: _delivered(here, case))
    await here.settled(case)
    await asyncio.sleep(4)  # longer than the grace
    assert here.courier.nudges == before + 1  # for the command; not for the delivery
    assert await here.attended(case)


async def _delivered(here: Engine, case: str, count: int = 1) -> bool:
    return len(await here.facts(case, "EffectDelivered")) >= count


async def test_an_effect_that_hangs_delays_no_look_even_at_a_change_of_stage(here: Engine) -> None:
    here.hands.answers["request_record"] = hang
    case = await here.open()
    await here.send(case, command("RequestRecord", "pathology"))
    await eventually(lambda: _called(here, case))
    await here.to_records(case)  # the run would begin anew, but for the effect under way
    for _ in range(5):
        began = time.monotonic()
        await here.send(case, command("AddNote", "note", "x"))
        await here.settled(case)
        assert time.monotonic() - began < 2
    here.hands.answers.clear()
    assert await here.status(case) == "RUNNING"


async def _called(here: Engine, case: str) -> bool:
    return bool(here.hands.of(case))


async def test_thirty_hospitals_that_hang_delay_no_look(here: Engine) -> None:
    """Effects have slots of their own."""
    here.hands.answers["request_record"] = hang
    cases = [await here.open() for _ in range(6)]
    for case in cases:
        for kind in ("pathology", "antigen", "imaging", "labs", "marrow_mrd"):
            await here.send(case, command("RequestRecord", kind))
    await asyncio.sleep(2)
    began = time.monotonic()
    case = await here.open()
    await here.settled(case)
    assert time.monotonic() - began < 3
    here.hands.answers.clear()


async def test_a_superseded_engine_ends_its_loops(here: Engine) -> None:
    case = await here.open()
    await here.settled(case)
    await here.client.start_workflow(CaseWorkflow.run, CaseStart(case, 0), id=f"{case}-of-old", task_queue=CASES)
    assert await here.client.get_workflow_handle(f"{case}-of-old").result() == "superseded"
    assert await here.status(case) == "RUNNING"


async def test_a_ledger_shorter_than_what_was_seen_is_refused_loudly(here: Engine) -> None:
    case = await here.open()
    await here.settled(case)
    epoch = (await here.ledger.engine()).epoch
    handle = await here.client.start_workflow(
        CaseWorkflow.run, CaseStart(case, epoch, seen=10_000), id=f"{case}-ahead", task_queue=CASES
    )

    async def failure() -> str:
        pending = (await handle.describe()).raw_description.pending_activities
        return next((p.last_failure.message for p in pending if p.HasField("last_failure")), "")

    assert "ledger_behind" in await eventually(failure)
    before = len(await here.facts(case))
    await handle.terminate()
    assert len(await here.facts(case)) == before


async def test_an_engine_restored_in_place_leaves_no_loop_of_the_old_epoch(
    here: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "PAUSE", timedelta(hours=1))  # at once, not at the courier's second knock
    case = await here.open()
    await here.settled(case)
    old = (await here.ledger.engine()).epoch
    restored = await here.restore(take_over=True)
    assert restored.epoch == old + 1
    runs = await here.runs(case)
    assert runs[-1].status == WorkflowExecutionStatus.RUNNING
    assert b'"epoch":%d' % restored.epoch in raw(await here.history(case))
    await here.send(case, command("AddNote", "note", "x"))
    await asyncio.sleep(0.3)
    await eventually(lambda: here.attended(case))


async def test_a_poisoned_history_fails_its_run_and_the_next_nudge_starts_afresh(
    here: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Non-determinism: the run was begun by other code than replays it."""
    case = await here.open()
    await here.settled(case)
    await here.stop()
    with monkeypatch.context() as changing:
        changing.setattr("api.run.engine.worker.CaseWorkflow", Changed)
        await here.start(courier=False)
    await here.client.get_workflow_handle(case).signal(NUDGE)
    await eventually(lambda: _is(here, case, "FAILED"), within=60)
    await here.stop()
    await here.start()
    await here.send(case, command("AddNote", "note", "x"))
    await here.settled(case)
    await eventually(lambda: _is(here, case, "RUNNING"))
    assert [r.status.name for r in await here.runs(case) if r.status][-2:] == ["FAILED", "RUNNING"]


async def test_a_rule_in_error_does_not_spin_the_loop(here: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is due, and a look changes nothing."""
    monkeypatch.setattr("domain.engine.agenda.wake_at", lambda case, *_: case.opened_at)
    case = await here.open()
    await here.settled(case)
    await asyncio.sleep(6)
    assert await here.looks(case) <= 5  # after 0, 2, 6 s
    await here.send(case, command("AddNote", "note", "x"))
    await here.settled(case)  # a nudge is heard meanwhile
