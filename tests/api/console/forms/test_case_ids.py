"""An id of the case is chosen by a name, never typed; what is the only one stands there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from api.console.forms.case_ids import IDS
from api.console.forms.fields import Input, Maker
from api.console.text.texts import Texts
from domain.journey import COMMANDS
from domain.stages.records.records import VerifyRecord
from domain.stages.travel.travel import PlanStay

T = Texts("en")


def inputs(command: type[Any], **choices: Sequence[tuple[str, str]]) -> dict[str, Input]:
    maker = Maker(T, choices, None, {}, fresh=True, of_case=IDS)
    return {one.name: one for one in maker.inputs(command)}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_no_form_asks_for_an_id_in_writing(command: type[Any]) -> None:
    named = [one for n, one in inputs(command).items() if n in IDS or f"{command.__name__}.{n}" in IDS]
    assert [one.name for one in named if one.kind not in ("choice", "many")] == []


def test_a_field_of_another_command_with_that_name_stays_text() -> None:
    assert any(one.kind == "text" for command in COMMANDS for one in inputs(command).values())
    assert {c.__name__: inputs(c)["specimen"].kind for c in COMMANDS if "specimen" in inputs(c)} == {
        "RecordObservation": "text",
        "ReportSpecimen": "choice",
    }


def test_the_only_one_stands_there_and_of_two_none_does() -> None:
    one, two = ("a", "Blood count"), ("b", "Biopsy")
    assert inputs(VerifyRecord, item=[one])["item"].value == "a"
    assert inputs(VerifyRecord, item=[one, two])["item"].value == ""
    nobody = ("", "Nobody")
    assert inputs(PlanStay, attendant=[nobody, one])["attendant"].value == "", "the patient is nobody's companion"
