"""A fork with nothing changed is the recorded history; with another policy or rule it says what would differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given

from domain.case.effect import EffectRequested
from domain.case.obligation import ObligationOpened, ObligationStepTaken
from domain.case.table import Rule
from domain.core.policy import Policy, Span
from domain.history.whatif import ChangedOutcome, changed, fork, with_versions
from domain.journey import RULES
from domain.stages.anytime.moving import StageEntered
from domain.stages.eligibility.quote import QuoteLapsed
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, policy
from tests.domain.test_properties import ACTS, STARTS, Act, act
from tests.drawing import draws


@given(STARTS, ACTS)
@draws(40)
def test_a_fork_with_no_change_is_the_identical_history(name: str, acts: Sequence[Act]) -> None:
    j = start(name)
    for what in acts:
        act(j, what)
        assume(j.policy.hash == policy().hash)  # a fork runs under one policy
    assert list(fork(j.facts, j.policy)) == j.facts


def test_the_whole_course_forks_identically() -> None:
    j = start("handed_over")
    assert list(fork(j.facts, j.policy)) == j.facts
    assert not changed(j.facts, fork(j.facts, j.policy))


def with_due(kind: str, span: Span) -> Policy:
    ladder = replace(policy().ladders[kind], due=span, rungs=())
    return replace(policy(), hash="another", ladders={**policy().ladders, kind: ladder})


def kinds(found: Sequence[ChangedOutcome]) -> set[tuple[str, str]]:
    """Which obligations are due at another instant."""
    opened = [c.before.event for c in found if c.before and isinstance(c.before.event, ObligationOpened)]
    return {(event.kind, "due") for event in opened}


def test_another_deadline_is_listed_with_both_instants_and_nothing_else() -> None:
    j = start("visa")
    other = with_due("hospital_decision", Span(30, "days"))
    found = changed(j.facts, fork(j.facts, other))
    assert kinds(found) == {("hospital_decision", "due")}
    [due] = [c for c in found if c.before and isinstance(c.before.event, ObligationOpened)]
    assert due.before
    assert due.after
    assert due.after.event.due == due.before.at + 30 * DAY
    assert due.after.id == due.before.id


def test_the_same_instants_under_another_hash_are_no_change() -> None:
    j = start("visa")
    assert not changed(j.facts, fork(j.facts, replace(j.policy, hash="another")))


def test_a_shorter_deadline_would_have_been_missed_and_chased() -> None:
    j = start("submitted")
    j.wait(by=4 * DAY)
    found = changed(j.facts, fork(j.facts, with_due("submission_receipt", Span(1, "hours"))))
    missed = [c for c in found if c.after and c.after.event.type == "ObligationMissed"]
    assert missed
    assert all(c.before is None or (c.after and c.after.at < c.before.at) for c in missed)
    gone = [c.before.event for c in found if c.before and c.after is None]
    assert any(isinstance(event, ObligationStepTaken | EffectRequested) for event in gone)


def test_another_version_of_a_rule_is_another_history() -> None:
    """A quote that never lapses by itself: what lapsed is gone, and what followed from it."""
    j = start("quoted")
    j.wait(by=60 * DAY)
    assert any(isinstance(f.event, QuoteLapsed) for f in j.facts)
    never = Rule("quote_ends", 2, lambda *_: (), ("QuoteGiven",), (QuoteLapsed,))
    rules = with_versions((*RULES, never), {"quote_ends": 2})
    assert len(rules) == len(RULES)
    found = changed(j.facts, fork(j.facts, j.policy, rules))
    assert any(c.before and isinstance(c.before.event, QuoteLapsed) and c.after is None for c in found)
    first = with_versions((*RULES, never), {"quote_ends": 1})
    assert list(fork(j.facts, j.policy, first)) == j.facts
    assert {r.version for r in with_versions((*RULES, never), {}) if r.name == "quote_ends"} == {2}


@pytest.mark.parametrize("wanted", [{"quote_ends": 9}, {"nothing": 1}])
def test_a_rule_that_is_not_there(wanted: dict[str, int]) -> None:
    with pytest.raises(LookupError, match="no rule"):
        with_versions(RULES, wanted)


def test_a_stage_that_would_not_have_been_entered_is_seen() -> None:
    """Control: without the rule that moves a case on, no stage is entered and later facts still count."""
    j = start("visa")
    rules = [rule for rule in RULES if rule.name != "nothing_missing"]
    other = fork(j.facts, j.policy, rules)
    gone = [c.before.event for c in changed(j.facts, other) if c.before and c.after is None]
    assert any(isinstance(event, StageEntered) for event in gone)
    told = [f.event for f in j.facts if f.why is None]
    assert [f.event for f in other if f.why is None] == told


def test_the_recorded_history_is_not_touched() -> None:
    j: Journey = start("granted")
    before = list(j.facts)
    fork(j.facts, with_due("visa_outcome", Span(1, "hours")))
    assert j.facts == before
    assert timedelta(0) < j.facts[-1].at - j.facts[0].at
