"""CaseWorkflow as somebody might carelessly change it: it sleeps before it looks. No history of the real one fits."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import CaseStart
    from workflows.names import CASE_WORKFLOW, NUDGE


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
