"""A clinical hold on protocol or product reaches every open case: nothing new is held or given until it is lifted."""

from __future__ import annotations

from datetime import date

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.doses.product import stream_of
from domain.law.clinical_holds import ClinicalHold, HoldCondition
from domain.stages.eligibility.submissions import protocol_open
from domain.stages.travel.doors import closed_doors
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.infusion import (
    StartThaw,
)
from domain.stages.treatment.lymphodepletion import SignGate
from tests.domain.course import CENTRE, PROTOCOL, STEPS, UNIT, start
from tests.domain.journey import Journey, when

HOLD = ClinicalHold(1, "regulator", "FDA", "two deaths", date(2026, 3, 1), (HoldCondition("amended consent"),))
PRODUCT = stream_of("FT-819")
ON = (PROTOCOL, PRODUCT)


def at(name: str) -> Journey:
    return start(name).source(PROTOCOL, product="ft-8 19").source(PRODUCT).look()


def held(j: Journey, stream: str) -> Journey:
    return j.source(stream, holds=(HOLD,)).look()


def lifted(j: Journey, stream: str) -> Journey:
    return j.source(stream, holds=()).look()


@pytest.mark.parametrize("stream", ON)
def test_the_case_gets_its_task_at_once_and_it_is_met_when_the_hold_is_lifted(stream: str) -> None:
    j = held(at("visa"), stream)
    owed = j.owed("trial_hold_review")
    assert owed.about == f"{stream}/1"
    lifted(j, stream)
    assert j.case.obligations[owed.id].state == "met"


@pytest.mark.parametrize("stream", ON)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("lymphodepletion", SignGate("Dr Li", no_active_infection=True, organ_function_fine=True)),
        ("infusion", AuthoriseInfusion("Dr Li")),
        ("checked", StartThaw(UNIT)),
    ],
)
def test_nothing_is_signed_authorised_or_thawed_meanwhile(name: str, command: SignGate, stream: str) -> None:
    j = held(at(name), stream)
    facts = list(j.facts)
    words = "the trial is on hold: FDA since 2026-03-01: two deaths; the regulator lifts it, after: amended consent"
    shut = "not known to be open" if stream == PROTOCOL and name == "lymphodepletion" else words
    then = when(j, command)
    assert j.refused is not None
    assert (j.refused.reason, shut in j.refused.detail or words in j.refused.detail) == (Reason.LAPSED, True)
    assert j.facts == facts
    assert then.journey is j
    assert lifted(j, stream).tried(command).refused is None


@pytest.mark.parametrize("stream", ON)
def test_no_unit_is_asked_for_and_no_thaw_confirmed_until_it_goes_on(stream: str) -> None:
    j = held(at("quoted"), stream)
    STEPS["priced"](j)
    assert j.asked("reserve_dose") == []
    assert "the trial is on hold" in closed_doors(j.case, j.now, j.policy)
    assert protocol_open(j.case, CENTRE, PROTOCOL, j.now) == (stream == PRODUCT)
    lifted(j, stream)
    assert [e.state for e in j.asked("reserve_dose")] == ["requested"]
    bedside = held(at("checked").fork(), stream)
    assert [e for e in bedside.agenda.effects if e.kind == "confirm_thaw"] == []


def test_whoever_has_the_cells_in_or_has_left_is_owed_nothing_by_it() -> None:
    j = held(at("infused"), PROTOCOL)
    assert (j.case.stage, j.all_owed("trial_hold_review")) == (Stage.INFUSION, [])


def test_a_case_that_noted_its_protocol_before_products_were_noted_is_reached_all_the_same() -> None:
    j = start("visa")
    version, state = j.sources[PROTOCOL]
    j.sources[PROTOCOL] = (version, {**state, "product": "FT-819"})  # the revision of the read models wrote it
    held(j, PRODUCT)
    assert j.owed("trial_hold_review").about == f"{PRODUCT}/1"
    count = len(j.facts)
    assert len(j.look().facts) == count
