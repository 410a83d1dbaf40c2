"""An automatic event is what its rule says; one that is not is named with the field that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from domain.case.effect import EffectRequested
from domain.case.obligation import ObligationOpened, ObligationStepTaken
from domain.case.state import Case
from domain.case.table import Owes, Rule
from domain.core.fact import Command, Event, Fact
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.engine.evolve import fold
from domain.history.recheck import Known, Rechecked, recheck
from domain.history.replay import NOTED
from domain.journey import OWES, RULES
from domain.stages.anytime.moving import StageEntered
from tests.domain.course import start
from tests.domain.journey import DAY, START, Journey, policy, stretched
from tests.domain.test_properties import ACTS, STARTS, Act, act
from tests.drawing import draws

POLICIES = {one.hash: one for one in (policy(), *(stretched(n) for n in range(2, 9)))}


def known(j: Journey, **other: Any) -> Known:
    """A journey's sources change in place, and only the newest state of each is kept."""

    def source(stream: str, version: int) -> Mapping[str, Any] | None:
        newest, state = j.sources[stream]
        return state if newest == version else None

    return replace(Known(POLICIES.get, source), **other)


def checked(j: Journey, facts: Sequence[Fact[Any]] | None = None, after: int = 0, **other: Any) -> Rechecked:
    return recheck("case-1", j.facts if facts is None else facts, known(j, **other), after)


def automatic(facts: Sequence[Fact[Any]]) -> int:
    return sum(fact.why is not None for fact in facts)


class Recorded(Journey):
    """As a real ledger has it: an event is recorded a moment after it was computed, with the ledger's own instant."""

    def _turn(self, command: Command | None, actor: str, new: list[Fact[Event]]) -> None:
        super()._turn(command, actor, new)
        at = self.now + timedelta(milliseconds=3)
        same = When.at(self.now)
        new[:] = [
            replace(f, at=at, actor=actor, occurred=When.at(at) if f.occurred == same else f.occurred) for f in new
        ]
        self.case = fold([*self.facts, *new], Case(id="case-1"))


def live(name: str) -> Journey:
    """A journey that goes on on a real ledger."""
    j = start(name)
    j.__class__ = Recorded
    return j


@given(STARTS, ACTS)
@draws(8)
def test_whatever_was_told_every_automatic_event_is_what_its_rule_says(name: str, acts: Sequence[Act]) -> None:
    j = live(name)
    for what in acts:
        act(j, what)
    found = checked(j)
    assert found.differs is None
    assert found.same + found.unchecked.total() == automatic(j.facts)
    assert set(found.unchecked) <= {"the history it notes is not here"}


def altered(j: Journey, kind: type[Any], **fields: Any) -> tuple[list[Fact[Any]], int]:
    """The history with the last event of a type changed, and its version."""
    n = max(n for n, f in enumerate(j.facts) if isinstance(f.event, kind) and f.why)
    facts = list(j.facts)
    event: Any = facts[n].event
    facts[n] = replace(facts[n], event=replace(event, **fields))
    return facts, facts[n].version


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (ObligationOpened, "due", START),
        (ObligationOpened, "about", "somebody else"),
        (ObligationStepTaken, "late", "not late"),
        (EffectRequested, "to", "consulate"),
        (StageEntered, "stage", "closed"),
    ],
)
def test_a_changed_event_is_found_with_its_field(kind: type[Any], field: str, value: Any) -> None:
    j = start("submitted")
    j.wait(by=4 * DAY)
    facts, version = altered(j, kind, **{field: value})
    found = checked(j, facts).differs
    assert found
    assert (found.version, found.field) == (version, field)
    assert checked(j).differs is None, "control"


def test_an_event_that_no_rule_brings_and_one_that_is_put_in_twice_are_found() -> None:
    j = start("submitted")
    last = next(f for f in reversed(j.facts) if isinstance(f.event, StageEntered) and f.why)
    n = last.version
    twice = [*j.facts[:n], *(replace(f, version=f.version + 1) for f in j.facts[n - 1 :])]
    found = checked(j, twice).differs
    assert found
    assert (found.version, found.field) == (n + 1, "its rule does not bring it")


def test_a_ground_that_was_exchanged_is_found() -> None:
    j = start("submitted")
    n = next(n for n, f in enumerate(j.facts) if f.why and f.why.rests_on)
    why = j.facts[n].why
    assert why
    facts = [*j.facts[:n], replace(j.facts[n], why=replace(why, rests_on=("another",))), *j.facts[n + 1 :]]
    found = checked(j, facts).differs
    assert found
    assert found.field.startswith("rests_on")


def test_a_rule_or_policy_that_is_gone_is_said_and_is_no_difference() -> None:
    j = start("visa")
    without = [rule for rule in RULES if rule.name != "nothing_missing"]
    found = checked(j, rules=without)
    assert found.differs is None
    assert found.unchecked["rule nothing_missing 1 is not known here"] > 0
    none = checked(j, policy=lambda _hash: None)
    assert (none.differs, none.same) == (None, sum(f.why is not None and f.why.rule == NOTED for f in j.facts))
    assert f"policy {policy().hash[:12]} is not known here" in none.unchecked


def test_a_newer_version_of_a_rule_does_not_judge_what_the_older_brought() -> None:
    j = start("visa")
    newer = Rule("nothing_missing", 2, lambda *_: (), (), (StageEntered,))
    assert checked(j, rules=(newer, *RULES)).differs is None
    changed = [replace(r, follows=newer.follows) if r.name == "nothing_missing" else r for r in RULES]
    found = checked(j, rules=changed).differs
    assert found, "control: the same version with another outcome"
    assert found.field == "its rule does not bring it"


def test_a_row_that_was_added_since_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is owed by a row that did not exist was never recorded; what was recorded must still follow."""
    j = start("visa")
    row = Owes("first_reply", Party.COORDINATOR, Party.FAMILY, lambda _: ("new",), lambda *_: False)
    monkeypatch.setattr("domain.engine.advance.OWES", (row, *OWES))
    assert checked(j).differs is None
    monkeypatch.setattr("domain.engine.advance.OWES", ())
    assert checked(j).differs, "control: without its row it does not follow"


def test_what_was_checked_before_is_only_folded() -> None:
    j = start("granted")
    facts, version = altered(j, StageEntered, stage="closed")
    assert checked(j, facts).differs
    rest = checked(j, facts, after=len(facts))
    assert (rest.differs, rest.same) == (None, 0)
    again = checked(j, after=version)
    assert (again.differs, again.same) == (None, automatic(j.facts[version:]))


def test_what_is_noted_of_a_source_is_held_against_its_history() -> None:
    j = start("submitted")
    stream, (version, _) = next(iter(j.sources.items()))

    def other(name: str, at: int) -> Mapping[str, Any] | None:
        known = j.sources[name][1]
        return {**known, "open": False, "paused": True} if (name, at) == (stream, version) else None

    found = checked(j, source=other).differs
    assert found
    assert found.rule == "source_changed 1"


def test_no_policy_is_asked_of_what_was_told() -> None:
    asked: list[str] = []

    def policies(name: str) -> Policy | None:
        asked.append(name)
        return POLICIES.get(name)

    j = start("opened")
    checked(j, policy=policies)
    assert set(asked) == {policy().hash}
