"""The replay gate: no change to the loop may break a history that was written before it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from api.run.engine.worker import RUNNER
from tests.workflows.changed import Changed, ChangedRecall
from tests.workflows.rig import MAIL, PATIENT
from workflows.case import CaseWorkflow
from workflows.recall import RecallWorkflow

RECALLS = sorted((Path(__file__).with_name("histories") / "recalls").glob("*.json"))
STORED = sorted((Path(__file__).with_name("histories")).glob("*.json"))
PATHS = {"happy", "reminder", "unknown", "rotation", "closing"}


def replayer(workflow: type) -> Replayer:
    return Replayer(workflows=[workflow], data_converter=pydantic_data_converter, workflow_runner=RUNNER)


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("case-1", file.read_text())


def test_every_path_is_stored() -> None:
    assert {file.stem.rsplit("-", 1)[0] for file in STORED} >= PATHS
    assert RECALLS


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
async def test_a_stored_history_replays(file: Path) -> None:
    await replayer(CaseWorkflow).replay_workflow(history(file))


@pytest.mark.parametrize("file", RECALLS, ids=lambda file: file.stem)
async def test_a_stored_history_of_a_recall_replays_and_not_by_another_loop(file: Path) -> None:
    await replayer(RecallWorkflow).replay_workflow(history(file))
    with pytest.raises(NondeterminismError):
        await replayer(ChangedRecall).replay_workflow(history(file))


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
async def test_and_would_not_replay_were_the_loop_changed(file: Path) -> None:
    """The control: the gate closes."""
    with pytest.raises(NondeterminismError):
        await replayer(Changed).replay_workflow(history(file))


def test_stored_histories_tell_nothing_of_anybody() -> None:
    for file in (*STORED, *RECALLS):
        text = file.read_text()
        for word in (PATIENT, MAIL, PATIENT.split()[1]):
            assert word not in text
            assert not any(base64.b64encode(word[n:].encode()).decode()[:8] in text for n in range(3))
