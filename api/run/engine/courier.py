"""The courier: sees to it that every case that needs looking at gets nudged. Level-triggered, no cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain.core.errors import Reason, Refused, require
from infra.leader import COURIER, leading
from infra.ledger.bells import ATTENTION
from infra.ledger.ledger import CaseDue, PgLedger
from infra.tracing import TRACER, context_of, tracing
from workflows.case import CaseStart
from workflows.names import CASES, NUDGE
from workflows.recall import workflow_of

log = structlog.get_logger()

POLL = 5.0
"""Seconds; the floor when no bell rings."""
BATCH = 200
AT_ONCE = 20
PAUSE = timedelta(seconds=10)
"""How long a nudged case is left alone before it is nudged again if nobody looked."""
RETRY = 1.0
LASTS = 2.0
"""Seconds for which the epoch is taken to stand."""


class Courier:
    """One active in all processes, by a lease; nudges by signal-with-start.

    A nudge of a courier that hung is as harmless as a doubled one; that it was given is written down under the number
    of its lease.
    """

    def __init__(self, ledger: PgLedger, client: Client, dsn: str) -> None:
        self._ledger = ledger
        self._dsn = dsn
        self._client = client
        self.nudges = 0
        self._epoch = (-LASTS, 0)
        self._fence = 0

    async def run(self) -> None:
        """Nudge for ever; a lost database or engine is waited for."""
        while True:
            try:
                await leading(self._dsn, COURIER, self._work)
            except asyncio.CancelledError:
                raise
            except Refused as refused:  # the lease is given up, for the courier whose turn it is
                log.warning("courier rests", reason=refused.detail)
                await asyncio.sleep(POLL)
            except Exception as error:  # noqa: BLE001 - whatever it was, the courier comes back
                log.warning("courier interrupted", error=type(error).__name__)
                await asyncio.sleep(RETRY)

    async def _work(self, fence: int) -> None:
        self._fence = fence
        bell = await self._ledger.bells.listen(ATTENTION)
        try:
            while True:
                if await self.round() < BATCH:
                    await self._ledger.bells.wait(bell, POLL)
        finally:
            self._ledger.bells.leave(ATTENTION, bell)

    async def round(self) -> int:
        """Nudge what is due now; answers with how many there were. Raises Refused(SUPERSEDED | CLOCK_WRONG)."""
        due = await self._ledger.attention_due(BATCH)
        if not due:
            return 0
        epoch = await self._present_epoch()
        for start in range(0, len(due), AT_ONCE):
            await self._nudge(due[start : start + AT_ONCE], epoch)
        return len(due)

    async def _present_epoch(self) -> int:
        """The epoch of this engine, if it is the one that acts; it may have been replaced, or wiped, a moment ago.

        Read again every few seconds: a stale one only starts a loop that ends at once.
        """
        now = asyncio.get_running_loop().time()
        read, epoch = self._epoch
        if now - read > LASTS:
            await self._ledger.require_clock()
            engine = await self._ledger.engine()
            own = engine.cluster in ("", await cluster_id(self._client))
            require(own, Reason.SUPERSEDED, "another Temporal acts for this ledger; `caravel restore --take-over`")
            epoch = engine.epoch
            self._epoch = (now, epoch)
        return epoch

    async def _nudge(self, due: Sequence[CaseDue], epoch: int) -> None:
        traces = await self._ledger.take_traces([d.stream for d in due]) if tracing() else {}
        nudges = (self.nudge(d.stream, epoch, traces.get(d.stream, "")) for d in due)
        results = await asyncio.gather(*nudges, return_exceptions=True)
        reached = [d for d, result in zip(due, results, strict=True) if result is None]
        await self._ledger.nudged(reached, PAUSE, self._fence)
        self.nudges += len(reached)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed and not reached:
            raise failed[0]
        if failed:  # one case that cannot be reached holds up no other; it stays due
            log.warning("not nudged", cases=len(failed), error=type(failed[0]).__name__)

    async def nudge(self, case: str, epoch: int, parent: str = "") -> None:
        """Signal the case's loop, starting it if there is none. `parent`: the trace this belongs to."""
        with TRACER.start_as_current_span("nudge", context_of(parent), attributes={"caravel.case": case}):
            await self._client.start_workflow(
                workflow_of(case).run,
                CaseStart(case, epoch),
                id=case,
                task_queue=CASES,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal=NUDGE,
            )

    async def begin(self, case: str, epoch: int, delay: timedelta, *, anew: bool) -> None:
        """Start a loop that sleeps for `delay`; a nudge wakes it before that. `anew`: in place of the one there is."""
        replaced = WorkflowIDConflictPolicy.TERMINATE_EXISTING if anew else WorkflowIDConflictPolicy.USE_EXISTING
        await self._client.start_workflow(
            workflow_of(case).run,
            CaseStart(case, epoch),
            id=case,
            task_queue=CASES,
            id_conflict_policy=replaced,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_delay=delay or None,
        )


async def cluster_id(client: Client) -> str:
    """Return the id of the Temporal cluster behind a client; a wiped or different one has another."""
    info = await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), timeout=timedelta(seconds=10))
    return str(info.cluster_id)
