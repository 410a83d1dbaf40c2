"""RecallWorkflow drives one open recall as CaseWorkflow drives a case: the same loop, with effects of its own.

A lost run is started again from the ledger, and nothing is lost with it. It carries opaque ids and codes only.
"""

from __future__ import annotations

from collections.abc import Mapping

from temporalio import workflow

from workflows.case import CaseStart, CaseWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.recalls.recall import PREFIX
    from workflows.journey import EffectActivity
    from workflows.names import CASES, NOTICES, RECALL_WORKFLOW

RECALL_EFFECTS: Mapping[str, EffectActivity] = {
    effect.activity: effect
    for effect in (
        EffectActivity("stop_lot", "dedupes", CASES),
        EffectActivity("ask_acknowledgement", "blind", NOTICES),
        EffectActivity("remind_acknowledgement", "blind", NOTICES),
        EffectActivity("escalate_acknowledgement", "blind", NOTICES),
    )
}
"""What a recall asks of the world → the named activity for it."""


@workflow.defn(name=RECALL_WORKFLOW)
class RecallWorkflow(CaseWorkflow):
    """Stop the lots, ask each hospital, chase until all have acknowledged."""

    effects = RECALL_EFFECTS

    @workflow.init
    def __init__(self, start: CaseStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: CaseStart) -> str:
        """Drive the recall until it has ended, or another engine has taken over."""
        return await super().run(start)


def workflow_of(stream: str) -> type[CaseWorkflow]:
    """Return the workflow that drives a stream."""
    return RecallWorkflow if stream.startswith(PREFIX) else CaseWorkflow
