"""A recall in FHIR: a valid Task with exactly the patients and units, read back alike, and its acknowledgement."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.task import Task

from activities.gateways import Request
from infra.hospitals.answers import BadAnswer
from infra.hospitals.fhir_map import Unmapped
from infra.hospitals.recall_tasks import WORDS, answer_of, request_of, task, task_of

UNITS = [{"lot": "lot-1", "unit": "u 1", "infused": True}, {"lot": "lot-2", "unit": "=A99", "infused": False}]
BODY = {"cases": ["case-a", "case-b"], "units": UNITS}
ASKED = Request("effect-1", "ask_acknowledgement", "recall-1", "centre-1/2", "hospital", "centre-1", BODY)
SAID = {
    "type": "AcknowledgeRecall",
    "said_by": "Dr Wu",
    "note": "ward 3",
    "units": [
        {"lot": "lot-1", "unit": "u 1", "fate": "infused"},
        {"lot": "lot-2", "unit": "=A99", "fate": "sent_back"},
    ],
}


@pytest.mark.parametrize("kind", WORDS)
def test_it_is_a_valid_task_that_is_read_back_alike(kind: str) -> None:
    asked = replace(ASKED, kind=kind)
    made = task(asked)
    Task.model_validate(made)
    assert made["priority"] == ("routine" if "drill" in kind else "stat")
    assert ("drill" in made["code"]["text"].lower()) is ("drill" in kind)
    assert request_of(json.loads(json.dumps(made)), "centre-1") == asked


def test_what_our_tables_have_no_row_for_is_not_sent() -> None:
    with pytest.raises(Unmapped, match="escalate_acknowledgement"):
        task(replace(ASKED, kind="escalate_acknowledgement"))


def test_an_acknowledgement_says_what_was_done_with_each_unit() -> None:
    made = task_of("callback-1", "recall-1", SAID, in_reply_to="effect-1", about="centre-1/2")
    Task.model_validate(made)
    answer = answer_of(json.dumps(made).encode())
    assert (answer.callback, answer.case, answer.in_reply_to) == ("callback-1", "recall-1", "effect-1")
    assert answer.command == SAID


def _without(made: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name != key}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: _without(made, "identifier"),
        lambda made: _without(made, "for"),
        lambda made: {**made, "for": {"identifier": {"system": "urn:caravel:recall", "value": "case-1"}}},
        lambda made: {**made, "status": 7},
        lambda made: {**made, "output": [{**made["output"][0], "type": {"text": "said_by"}}]},
        lambda made: {**made, "output": [{"type": made["output"][0]["type"], "valueInteger": 3}]},
        lambda made: {**made, "output": [{**made["output"][2], "valueIdentifier": {"value": "u1"}}]},
        lambda made: {**made, "output": [{**made["output"][2], "valueIdentifier": {"system": "urn:caravel:lot:x"}}]},
    ],
)
def test_what_says_nothing_we_can_use_is_refused_without_its_values(spoil: Any) -> None:
    made = task_of("callback-1", "recall-1", SAID)
    with pytest.raises(BadAnswer) as caught:
        answer_of(json.dumps(spoil(made)).encode())
    assert "Dr Wu" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"businessStatus": 7}',
        b'{"businessStatus": {"coding": 7}}',
        b'{"businessStatus": {"coding": [7]}}',
        b"\xff",
    ],
)
def test_what_is_no_task_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        answer_of(body)
