"""Reasons that are asked for are never empty: every command that asks for one is refused without, and taken with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.core.errors import Reason
from domain.engine.decide import REASONED
from domain.journey import ACCEPTED, TAKES
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.holding import Redate
from domain.stages.eligibility.eligibility import DeclinePatient
from domain.stages.records.records import WaiveRecord
from domain.stages.supply.gaps import CloseCustodyGap
from tests.domain.any_command import MAKE
from tests.domain.course import FROM, start
from tests.domain.journey import Journey, when
from tests.domain.test_journey_table import BEFORE, LEADS, NAMED, WHERE


def scenes(command: type[Any]) -> list[tuple[Journey, Any]]:
    """Where the command is taken with the reason that random histories give it: the first place that is found."""
    for name in WHERE[command.__name__] if command is CloseCustodyGap else FROM:
        if command not in ACCEPTED[start(name).case.stage]:
            continue
        for before in BEFORE.get(command.__name__, ((),)):
            for variant in range(12):
                j = start(name).fork()
                for earlier in before:
                    if earlier in NAMED:
                        j.tried(MAKE[NAMED[earlier]](j, variant))
                    elif command is CloseCustodyGap:
                        LEADS[earlier](j)
                newest = len(j.case.correctable) - 1 if command is CorrectFact else variant
                given = MAKE[command](j, newest)
                if j.fork().tried(given).refused is None:
                    return [(j, given)]
    return []


@pytest.mark.parametrize("command", sorted(REASONED, key=str), ids=str)
@pytest.mark.parametrize("blank", ["", " \n"], ids=["nothing", "blanks"])
def test_a_reason_that_is_asked_for_is_given(command: type[Any], blank: str) -> None:
    found = scenes(command)
    assert found, f"nothing makes {command.__name__} be taken"
    j, given = found[0]
    j.tried(replace(given, reason=blank))
    assert j.refused is not None
    assert (j.refused.reason, j.refused.field) == (Reason.INVALID, "reason")


def test_what_was_taken_without_a_reason_before_asks_for_one() -> None:
    assert {CorrectFact, Redate, WaiveRecord} <= REASONED
    j, given = scenes(WaiveRecord)[0]
    when(j, replace(given, reason="")).then_refused(Reason.INVALID, "say why; a reason is never empty")


def test_a_hospitals_answer_is_kept_though_it_says_not_why() -> None:
    assert not [command for command in REASONED if TAKES[command].by_hospital]
    assert DeclinePatient not in REASONED
