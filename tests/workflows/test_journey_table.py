"""workflows/journey.py against domain/journey.py, in both directions, and every effect has a hand and a queue."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

import pytest

from activities.effect_handlers.linking import on_cases
from activities.effect_handlers.table import effect_handlers
from api.run.engine.worker import SLOTS
from domain.case.effect import EffectRequested
from domain.case.stage import Stage
from domain.case.state import Case
from domain.engine.agenda import UNHEARD_OF
from domain.engine.evolve import evolve
from domain.journey import WANTS
from domain.stages.follow_up.closing import LeaveJourney
from infra.policy.reading import load_policy
from tests.domain.course import STEPS
from tests.domain.journey import DAY, Journey
from workflows.journey import ANYTIME, EFFECTS, JOURNEY

BY_TIME = {effect.activity for effect in ANYTIME}
"""Asked for by the steps of a ladder, not by a row of WANTS."""


def test_every_effect_the_domain_wants_is_in_the_journey_and_none_besides() -> None:
    assert {row.kind for row in WANTS} | BY_TIME == set(EFFECTS)


def test_every_stage_is_there_in_journey_order() -> None:
    assert list(JOURNEY) == list(Stage)


def test_an_effect_is_one_row_wherever_it_stands() -> None:
    rows = [effect for effects in JOURNEY.values() for effect in effects]
    assert all(EFFECTS[row.activity] == row for row in rows)
    assert all(len({e.activity for e in effects}) == len(effects) for effects in JOURNEY.values())


def asked_for(j: Journey) -> Iterable[tuple[Stage, str]]:
    """Stage and kind of every effect asked for."""
    case = Case(id="case-1")
    for fact in j.facts:
        case = evolve(case, fact)
        if isinstance(fact.event, EffectRequested):
            yield case.stage, fact.event.kind


def test_what_an_ordinary_course_asks_for_stands_in_the_row_of_its_stage() -> None:
    j = Journey()
    for step in STEPS.values():
        step(j)
        j.deliver()
    seen = set(asked_for(j))
    assert len({kind for _, kind in seen}) > 12
    assert {pair for pair in seen if EFFECTS[pair[1]] not in JOURNEY[pair[0]]} == set()


@cache
def delivered() -> dict[str, Journey]:
    """The course after each of its steps, everything it asked for delivered."""
    j, after = Journey(), {}
    for name, step in STEPS.items():
        step(j)
        j.deliver()
        after[name] = j.fork()
    return after


@pytest.mark.parametrize("last", STEPS)
def test_what_time_and_leaving_ask_for_stands_there_too(last: str) -> None:
    j = delivered()[last].fork()
    j.wait(by=40 * DAY)
    j.tried(LeaveJourney("declined"))
    j.wait(by=40 * DAY)
    assert {(s, k) for s, k in asked_for(j) if EFFECTS[k] not in JOURNEY[s]} == set()


def test_every_effect_has_a_handler_and_slots_to_run_in() -> None:
    nobody = cast("Any", None)
    table = effect_handlers(
        {kind: effect.channel for kind, effect in EFFECTS.items()},
        *(nobody, load_policy(), nobody, nobody, nobody, nobody, nobody, nobody, nobody, nobody),
        {
            **dict.fromkeys(("erase_case", "look_back", "trace_vector_lot"), cast("Any", object())),
            **on_cases(nobody),
        },
        nobody,
    )
    assert set(table) == set(EFFECTS)
    assert {effect.queue for effect in EFFECTS.values()} <= set(SLOTS)


def test_an_effect_is_looked_after_again_only_when_its_attempt_must_be_over() -> None:
    assert max(effect.attempt for effect in EFFECTS.values()) < UNHEARD_OF
