"""Looks at everything once a night: the ledger against Temporal, and the whole history. Nothing is repaired here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.names import UPKEEP_WORKFLOW

HEARTBEAT = timedelta(seconds=60)
AGAIN = RetryPolicy(initial_interval=timedelta(seconds=30), maximum_attempts=5)


@dataclass(frozen=True, slots=True)
class Chore:
    """Names one thing to look at, every day at `hour` UTC, for so long at most."""

    hour: int
    lasts: timedelta
    does: str


COMPARE_ENGINE, VERIFY_HISTORY = "compare_engine", "verify_history"
CHORES: Mapping[str, Chore] = {
    COMPARE_ENGINE: Chore(1, timedelta(hours=2), "Open cases and due times: the ledger against Temporal."),
    VERIFY_HISTORY: Chore(2, timedelta(hours=12), "Recompute everything from the rows and the checkpoints outside."),
}
"""Name of the activity and the schedule → when. Schedules are paused and triggered like any other of Temporal's."""


@workflow.defn(name=UPKEEP_WORKFLOW)
class UpkeepWorkflow:
    """Carries out one chore, once, and returns whether all was well. What was found is in the ledger's database."""

    @workflow.run
    async def run(self, chore: str) -> bool:
        """Carry it out, again when its worker went away."""
        fine: bool = await workflow.execute_activity(
            chore,
            result_type=bool,
            start_to_close_timeout=CHORES[chore].lasts,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=AGAIN,
        )
        return fine
