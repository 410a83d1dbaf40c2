"""Whatever is told in whatever order at whatever time: what must hold of every case, always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Rule
from domain.core.fact import ENGINE, Command
from domain.engine.advance import NoFixpoint, advance
from domain.journey import COMMANDS
from domain.stages.anytime.notes import NoteAdded
from domain.stages.treatment.dose import HoldDose
from tests.domain.any_command import MAKE
from tests.domain.course import CENTRE, FROM, LOT, PROTOCOL, start
from tests.domain.journey import DAY, HOUR, START, Journey
from tests.drawing import draws

WAITS = (timedelta(0), timedelta(minutes=20), 5 * HOUR, DAY, 4 * DAY, 17 * DAY, 40 * DAY, 400 * DAY)
Act = tuple[int, int, int]
ACTS = st.lists(st.tuples(st.integers(0, len(COMMANDS) + 3), st.integers(0, 40), st.integers(0, 30)), max_size=25)
STARTS = st.sampled_from(FROM)


def act(j: Journey, what: Act) -> Command | None:
    """One thing that happens: a command, or the world changes, or time passes."""
    number, variant, wait = what
    j.now += WAITS[wait] if wait < len(WAITS) else timedelta(0)
    if number < len(COMMANDS):
        command: Command = MAKE[COMMANDS[number]](j, variant)
        j.tried(command, ENGINE if COMMANDS[number].__name__ == "RecordOutcome" else "person-1")
        if j.refused is None:
            return command
        j.look()
        return None
    match number - len(COMMANDS):
        case 0:
            j.source(LOT, state=("released", "quarantined", "recalled")[variant % 3], expires=j.now + 99 * DAY)
        case 1:
            j.source(PROTOCOL, open=bool(variant % 2), open_until=j.now + variant * DAY, planned_infusions=1)
        case 2:
            j.source(CENTRE, paused=bool(variant % 2), country="CN", zone="Asia/Shanghai")
        case _:
            j.deliver()
    j.look()
    return None


def check(j: Journey) -> None:
    """What holds after every step."""
    case = j.case
    if case.version == 0:
        return
    assert not advance(case, j.now, j.ids, j.policy), "a second advance adds something"
    wake = j.agenda.wake_at
    assert wake is None or wake > j.now, "the next wake-up lies in the past: a spin"
    assert no_dead_end(case, wake), f"a dead end at {case.stage}"
    assert not case.infusions or case.follow_up != "none", "infused without follow-up"
    assert all(o.state != "open" for o in case.obligations.values()) or case.open
    first = {(e.kind, e.about) for e in case.effects.values() if e.state != "withdrawn"}
    kept = [e for e in case.effects.values() if e.state != "withdrawn"]
    assert len(first) == len(kept), "the same thing was asked twice"
    if case.stage is Stage.CLOSED:
        assert case.exit or case.follow_up not in ("none", "open") or case.imported


def no_dead_end(case: Case, wake: object) -> bool:
    pending = any(e.pending for e in case.effects.values())
    owed = any(o.state == "open" for o in case.obligations.values())
    return not case.open or pending or owed or wake is not None


@given(STARTS, ACTS)
@draws(50)
def test_any_commands_at_any_time(name: str, acts: Sequence[Act]) -> None:
    live_through(name, acts)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(STARTS, ACTS)
@draws(300)
def test_any_commands_at_any_time_at_length(name: str, acts: Sequence[Act]) -> None:
    live_through(name, acts)


def live_through(name: str, acts: Sequence[Act]) -> None:
    """Each step of it leaves a case of which everything holds."""
    j = start(name)
    check(j)
    for what in acts:
        infusions = len(j.case.infusions)
        act(j, what)
        check(j)
        assert len(j.case.infusions) >= infusions, "an infusion disappeared"
    assert j.refold() == j.case


@given(STARTS, ACTS)
@draws(20)
def test_nothing_happens_before_the_next_wake_up(name: str, acts: Sequence[Act]) -> None:
    j = start(name)
    for what in acts:
        act(j, what)
    if j.case.version == 0:
        return
    wake = j.agenda.wake_at
    almost = (wake or j.now + 9999 * DAY) - timedelta(microseconds=1)
    assert not advance(j.case, almost, j.ids, j.policy)


@given(STARTS, ACTS)
@draws(20)
def test_the_same_command_again_changes_nothing_harmful(name: str, acts: Sequence[Act]) -> None:
    j = start(name)
    for what in acts:
        command = act(j, what)
        if command is None:
            continue
        before = j.case
        j.tried(command)
        j.look()
        check(j)
        assert len(j.case.infusions) == len(before.infusions), f"{command.type} twice infused twice"
        assert len(j.case.treatments) == len(before.treatments) or before.treatments == ()
        assert j.case.dose.state == before.dose.state or command.type == "AskDoseAgain"


@given(STARTS, ACTS)
@draws(20)
def test_time_alone_brings_every_case_to_rest(name: str, acts: Sequence[Act]) -> None:
    """Without anybody ever answering, whatever is open is chased at ever longer intervals and never spins."""
    j = start(name)
    for what in acts:
        act(j, what)
    for _ in range(25):
        wake = j.agenda.wake_at
        if wake is None:
            break
        j.now = wake
        j.look()
        j.deliver()
        check(j)


def test_there_is_a_maker_for_every_command() -> None:
    assert set(MAKE) == set(COMMANDS)


def test_rules_that_undo_each_other_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of the fixpoint: a rule that always has something to say is an error, not a loop without end."""
    j = start("records")
    again = Rule("says_it_again", 1, lambda *_: [NoteAdded("note", "again")])
    monkeypatch.setattr("domain.engine.advance.RULES", (again,))
    with pytest.raises(NoFixpoint, match="no end after 50 rounds: says_it_again: NoteAdded"):
        advance(j.case, j.now, j.ids, j.policy)


def test_a_wake_up_that_is_forgotten_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of busy and missed waking: without the rules' own instants a lease ends and nobody looks."""
    j = start("priced").tell(HoldDose(LOT, "unit-1", SOON))
    for o in j.all_owed():
        j.case = replace(j.case, obligations={k: v for k, v in j.case.obligations.items() if k != o.id})
    monkeypatch.setattr("domain.engine.agenda.RULES", ())
    assert j.agenda.wake_at is None
    assert next(d.event.type for d in advance(j.case, SOON, j.ids, j.policy)) == "DoseLapsed"


SOON = START + 40 * DAY


def test_the_checks_themselves_can_fail() -> None:
    """Negative controls: a broken protection is seen."""
    j = start("infused")
    broken: Sequence[dict[str, Any]] = (
        {"follow_up": "none"},
        {"obligations": {}},
        {"effects": {**j.case.effects, "again": replace(next(iter(j.case.effects.values())), id="again")}},
        {"stage": Stage.CLOSED},
    )
    for wrong in broken:
        j.case = replace(start("infused").case, **wrong)
        with pytest.raises(AssertionError):
            check(j)
