"""What is called impossible is never given: at every step of the course, and in any history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from domain.engine.possible import Known, Probe
from domain.journey import ACCEPTED, SETTLED_BY, TAKES
from domain.stages.eligibility.submissions import SubmitDossier
from domain.stages.eligibility.waiting import TakePlace
from domain.stages.records.records import ReceiveRecord, RequestRecord, VerifyRecord
from domain.stages.travel.visa import FileVisa, GrantVisa
from domain.stages.treatment.bed import AskBedAgain
from tests.domain.case.obligation_scenes import KINDS, SCENES, scene
from tests.domain.course import STEPS, item, patient, start, submission
from tests.domain.journey import Journey
from tests.domain.test_properties import ACTS, STARTS, Act, act
from tests.drawing import draws

LONG = ("reach_family", "lost_decision")
"""Their scenes live through years; the test below names one of them."""
BY_OTHERS = {
    "dose_hold_renewal", "find_dose", "bed_hold_renewal", "find_bed", "closed_door", "study_filing", "key_destruction",
    "cohort_place",
}  # fmt: skip
"""Met in their scenes by what a lot, a hospital, the catalogue or the engine says; a person only asks or tells it."""


def known(j: Journey) -> Known:
    case = j.case
    return {
        "person": list(case.people),
        "submission": list(case.submissions),
        "item": list(case.records),
        "wait": list(case.waits_for) if hasattr(case, "waits_for") else [],
        "obligation": [o.id for o in case.obligations.values() if o.state == "open"],
    }


def probe(j: Journey, by: str = "person-1") -> Probe:
    return Probe(j.case, j.now, j.policy, known(j), by)


@pytest.mark.parametrize("name", list(STEPS))
def test_every_step_of_the_course_is_possible_before_it_is_taken(name: str) -> None:
    j = start(list(STEPS)[list(STEPS).index(name) - 1]) if name != next(iter(STEPS)) else start("")
    before = probe(j.fork())
    told = len(j.facts)
    STEPS[name](j)
    first = next((f.event.type for f in j.facts[told:] if f.told), None)
    givers = [c for c, row in TAKES.items() if first in {e.__name__ for e in row.records}]
    if before.case.version and givers:
        possible = [c for c in givers if c in ACCEPTED[before.case.stage]]
        assert not possible or any(before.refusal(c) is None for c in possible)


@pytest.mark.parametrize("name", [name for name in STEPS if name])
def test_any_command_can_be_tried_anywhere_and_nothing_of_it_is_kept(name: str) -> None:
    j = start(name)
    before = j.case
    tried = probe(j)
    assert any(tried.refusal(command) is None for command in ACCEPTED[j.case.stage])
    assert j.case is before
    assert j.refold() == before


def test_a_bed_that_nobody_asked_for_is_not_asked_for_again() -> None:
    refused = probe(start("records")).refusal(AskBedAgain)
    assert refused is not None


def test_only_what_stands_where_it_can_be_done_is_left() -> None:
    j = start("received")
    j.tell(RequestRecord("labs"))
    labs = list(j.case.records)[-1]
    assert probe(j).known["item"].index(labs)
    assert labs not in probe(j).left(VerifyRecord, "item")
    assert labs in probe(j).left(ReceiveRecord, "item")
    assert probe(j).lacks(TakePlace) == "wait"


def test_an_obligation_fills_in_what_it_is_about() -> None:
    j = start("asked_records")
    owed = j.owed("record")
    assert probe(j).named_by(ReceiveRecord, owed.about, owed.id) == {"item": item(j)}
    j = start("filed")
    owed = j.owed("visa_outcome")
    assert probe(j).named_by(GrantVisa, owed.about, owed.id) == {"person": patient(j)}
    assert probe(j).left(FileVisa, "person") == list(j.case.people)
    assert submission(j) not in probe(j).left(SubmitDossier, "submission") or len(j.case.submissions) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LONG])
def test_what_meets_an_obligation_is_named_as_settling_it(kind: str) -> None:
    j, _ = scene(kind)
    before = len(j.facts)
    SCENES[kind].meet(j)
    told = {f.event.type for f in j.facts[before:] if f.told}
    brought = {e.__name__ for command in SETTLED_BY[kind] for e in TAKES[command].records}
    assert told & brought or kind in BY_OTHERS


def test_everything_owed_is_settled_by_something_a_person_can_give() -> None:
    assert [kind for kind in KINDS if not SETTLED_BY[kind]] == ["cohort_place"], "told to the trial, not to the case"
    named = {kind for row in TAKES.values() for kind in row.settles}
    assert named <= set(KINDS), "a row settles what is never owed"
    assert {c.__name__ for c in SETTLED_BY["reach_family"]} >= {"TryContact", "SkipContact"}


@given(STARTS, ACTS)
@draws(60)
def test_what_was_given_was_never_called_impossible(name: str, acts: Sequence[Act]) -> None:
    j = start(name)
    for what in acts:
        before, facts = probe(j), len(j.facts)
        command = act(j, what)
        if command is None or len(j.facts) == facts or not before.case.version:
            continue
        if type(command) in ACCEPTED[before.case.stage]:
            stands = replace(before, now=j.now, by=getattr(command, "by", ""))
            assert stands.refusal(type(command)) is None, f"{command.type} was given"
    for kind in ACCEPTED[j.case.stage] if j.case.version else ():
        probe(j).refusal(kind)
