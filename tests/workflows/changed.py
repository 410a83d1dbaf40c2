"""CaseWorkflow as somebody might carelessly change it: it sleeps before it looks. No history of the real one fits."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import CaseStart
    from workflows.names import CASE_WORKFLOW, NUDGE, RECALL_WORKFLOW


@workflow.defn(name=CASE_WORKFLOW)
class Changed:
    """The negative control of replay."""

    @workflow.signal(name=NUDGE)
    def nudge(self) -> None:
        """Heard."""

    @workflow.run
    async def run(self, start: CaseStart) -> str:
        """A timer where a look should be."""
        await workflow.sleep(timedelta(hours=1))
        return start.case


@workflow.defn(name=RECALL_WORKFLOW)
class ChangedRecall(Changed):
    """The same for a recall."""

    @workflow.run
    async def run(self, start: CaseStart) -> str:
        """A timer where a look should be."""
        return await super().run(start)
