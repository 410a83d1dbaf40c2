"""A silent logger and a decision nobody makes: who is told when, once each, and that it ends with what was owed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.catalogue.streams import read_model
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.core.telling.chasing import ChaseOverdue
from domain.core.telling.notices import ClaimNotice, NoticeClaimed, NoticeOwed, RecordNotice
from domain.doses.lot import LotRecalled
from domain.doses.quality import OutOfSpecificationDecided, ResultRecorded
from domain.doses.stock import Lot, undecided
from domain.doses.storage import UnitCleared, UseOfUnitProposed
from domain.doses.store import ReadingsRecorded, StoreLimited
from domain.doses.unit import UnitUsed
from tests.domain.catalogue.steps import NOW, given, refused, when
from tests.domain.doses.test_store import DISCARDED, HELD, HOUR, LOT, PLACED, REGISTERED, STOPPED, STORE, lot, store

QUALITY = ("person-q",)
CHASE = ChaseOverdue(QUALITY)
DESK = (Party.SUPERVISOR.value,)
DAY = timedelta(days=1)


def readings(over: timedelta) -> ReadingsRecorded:
    return ReadingsRecorded("ab", NOW - over, NOW, 2, -180.0, -180.0, (), None, None)


def steps(stream: str, state: Any, after: timedelta) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.what, one.to) for one in when(stream, state, CHASE, now=NOW + after)]


@pytest.mark.parametrize(
    ("events", "interval"),
    [
        ((), timedelta(seconds=600)),
        ((readings(timedelta(0)),), timedelta(seconds=600)),
        ((readings(DAY),), DAY),
        ((readings(DAY), StoreLimited(-150.0, 300, 3 * 86400, "SOP 8")), 3 * DAY),
        ((StoreLimited(-150.0, 300, 10**15, "SOP 8"),), timedelta(days=366)),
    ],
)
def test_a_logger_is_silent_after_twice_its_interval(events: tuple[Any, ...], interval: timedelta) -> None:
    state, second = store(REGISTERED, *events), timedelta(seconds=1)
    assert (steps(STORE, state, 2 * interval - second), state.silent_at(NOW + 2 * interval - second)) == ([], False)
    assert (steps(STORE, state, 2 * interval), state.silent_at(NOW + 2 * interval)) == ([("silent", QUALITY)], True)
    late = 2 * interval + 4 * HOUR
    assert steps(STORE, state, late) == [("silent", QUALITY), ("silent_still", DESK)], "no step is passed over"


def test_each_silence_is_told_once_and_ends_with_a_reading() -> None:
    (told,) = when(STORE, store(REGISTERED, readings(HOUR)), CHASE, now=NOW + 3 * HOUR)
    assert told == NoticeOwed(f"silent {NOW.isoformat()}", "silent", QUALITY, "", f"{NOW:%Y-%m-%d %H:%M} UTC")
    silent = store(REGISTERED, readings(HOUR), told)
    assert (steps(STORE, silent, 3 * HOUR), read_model(STORE, silent)["untold"]) == ([], 1)
    claim, sent = (
        ClaimNotice(told.proposal, "silent", "person-q"),
        RecordNotice(told.proposal, "silent", "person-q", "sent"),
    )
    (claimed,) = when(STORE, silent, claim)
    assert isinstance(claimed, NoticeClaimed)
    assert refused(STORE, store(REGISTERED, readings(HOUR), told, claimed), claim) == (Reason.NOT_NOW, None)
    (ended,) = when(STORE, store(REGISTERED, readings(HOUR), told, claimed), sent)
    after = store(REGISTERED, readings(HOUR), told, claimed, ended)
    assert "untold" not in read_model(STORE, after)
    assert steps(STORE, after, 6 * HOUR) == [("silent_still", DESK)]
    newer = ReadingsRecorded("cd", NOW, NOW + HOUR, 2, -180.0, -180.0, (), None, None)
    again = store(REGISTERED, readings(HOUR), told, newer)
    assert "untold" not in read_model(STORE, again), "what was not sent yet is not sent any more"
    assert steps(STORE, again, 2 * HOUR) == []
    assert steps(STORE, again, 3 * HOUR) == [("silent", QUALITY)], "another silence is told again"


def test_where_nobody_sees_to_doses_supervisors_are_told() -> None:
    (told,) = when(STORE, store(REGISTERED), ChaseOverdue(()), now=NOW + HOUR)
    assert told.to == DESK
    assert refused(STORE, given(STORE), CHASE) == (Reason.NOT_FOUND, None)


OUT = ResultRecorded("potency", NOW.date(), 1.0, "%", "", within=False)
USED = OutOfSpecificationDecided("potency", "use", "validated", "person-3")
CLEARED = UnitCleared("u1", "fine", "person-3")


@pytest.mark.parametrize("owed", [(PLACED, STOPPED), (OUT,)])
def test_a_decision_nobody_makes_is_chased_once_each(owed: tuple[Any, ...]) -> None:
    state = lot(*owed)
    assert steps(LOT, state, DAY - timedelta(seconds=1)) == []
    assert steps(LOT, state, DAY) == [("undecided", QUALITY)]
    (first,) = when(LOT, state, CHASE, now=NOW + DAY)
    assert first.says in ("u1", "potency")
    told = lot(*owed, first)
    assert (steps(LOT, told, 2 * DAY), read_model(LOT, told)["untold"]) == ([], 1)
    assert steps(LOT, told, 3 * DAY) == [("undecided_still", DESK)]


@pytest.mark.parametrize(
    "events",
    [
        (),
        (PLACED, STOPPED, UseOfUnitProposed("u1", "fine", "person-2"), CLEARED),
        (PLACED, STOPPED, DISCARDED),
        (PLACED, HELD, STOPPED, UnitUsed("u1")),
        (PLACED, STOPPED, LotRecalled("contaminated")),
        (OUT, USED),
        (OUT, OutOfSpecificationDecided("potency", "remeasure", "laboratory", "person-3")),
        (OUT, OutOfSpecificationDecided("potency", "reject", "too weak", "person-3")),
    ],
)
def test_nothing_is_chased_once_it_is_decided(events: tuple[Any, ...]) -> None:
    state = lot(*events)
    assert (undecided(state), steps(LOT, state, 9 * DAY)) == ([], [])


def test_what_one_of_two_said_does_not_end_it_and_what_came_together_is_told_as_one() -> None:
    both = (PLACED, STOPPED, OUT, UseOfUnitProposed("u1", "fine", "person-2"))
    assert [one.says for one in undecided(lot(*both))] == ["potency, u1"]
    told = when(LOT, lot(*both), CHASE, now=NOW + DAY)
    decided = lot(*both, *told, CLEARED, USED)
    assert isinstance(decided, Lot)
    assert "untold" not in read_model(LOT, decided), "the mail that was not sent yet is not sent any more"
