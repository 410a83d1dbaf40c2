"""Whatever time alone may bring has a way back that says more than to look."""

from __future__ import annotations

import pytest

from domain.case.table import never
from domain.engine.advance import TIME
from domain.history.way_back import OTHERWISE, WAYS, way_back
from domain.journey import RULES, TAKES

BY_TIME = sorted({e for rule in RULES if rule.at is not never for e in rule.brings} | set(TIME.brings), key=str)
BY_ITSELF = {"DoorReopened"}
"""Needs nobody: it says that all holds again."""


@pytest.mark.parametrize("event", BY_TIME)
def test_what_time_brings_has_a_row(event: type) -> None:
    assert event in WAYS or event.__name__ in BY_ITSELF, event


@pytest.mark.parametrize("event", WAYS)
def test_a_way_back_is_a_command_that_a_person_may_give(event: type) -> None:
    command, says = way_back(event)
    assert says
    assert not command or command in {one.__name__ for one in TAKES}


def test_what_is_not_known_is_looked_at() -> None:
    assert way_back(None) == (OTHERWISE[0].__name__, OTHERWISE[1])
