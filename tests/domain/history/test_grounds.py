"""Every automatic event is explained by facts before it, down to what somebody told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given

from domain.case.effect import EffectRequested
from domain.case.obligation import ObligationMissed, ObligationOpened, ObligationStepTaken
from domain.core.fact import Fact
from domain.history.grounds import grounds
from domain.history.replay import NOTED
from tests.domain.course import start
from tests.domain.journey import DAY, Journey
from tests.domain.test_properties import ACTS, STARTS, Act, act
from tests.drawing import draws


def roots(fact: Fact[object], j: Journey) -> set[str]:
    below = grounds(fact, j.facts)
    assert all(one.version < fact.version for one in below), "a ground comes before what rests on it"
    return {fact.id} if not below else {root for one in below for root in roots(one, j)}


def explained(j: Journey) -> None:
    by_id = {fact.id: fact for fact in j.facts}
    for fact in j.facts[-60:]:
        if not fact.told and fact.why and fact.why.rule != NOTED:
            found = [by_id[one] for one in roots(fact, j)]
            assert any(one.told or (one.why and one.why.rule == NOTED) for one in found), fact.event.type


@given(STARTS, ACTS)
@draws(10)
def test_everything_automatic_goes_back_to_what_was_told(name: str, acts: Sequence[Act]) -> None:
    j = start(name)
    for what in acts[:8]:
        act(j, what)
    explained(j)


def test_a_reminder_goes_back_to_its_step_its_obligation_and_the_fact_that_opened_it() -> None:
    j = start("submitted")
    j.wait(by=4 * DAY)
    missed = next(f for f in j.facts if isinstance(f.event, ObligationMissed))
    [opened] = grounds(missed, j.facts)
    assert isinstance(opened.event, ObligationOpened)
    message = next(f for f in j.facts if isinstance(f.event, EffectRequested) and f.event.kind == "remind")
    [step] = grounds(message, j.facts)
    assert isinstance(step.event, ObligationStepTaken)
    assert [type(one.event) for one in grounds(step, j.facts)] == [ObligationOpened]


@pytest.mark.parametrize("name", ["opened", "granted"])
def test_what_was_told_rests_on_nothing_here(name: str) -> None:
    j = start(name)
    assert not [f for f in j.facts if f.told and grounds(f, j.facts)]
