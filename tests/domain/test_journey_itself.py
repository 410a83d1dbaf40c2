"""The helper of all given/when/then tests can fail: wrong order, an event more or less, no refusal, the wrong one."""

from collections.abc import Callable

import pytest

from domain.case.stage import Exit, Stage
from domain.case.table import Takes
from domain.core.errors import Reason
from domain.stages.anytime.moving import StageEntered
from domain.stages.anytime.notes import AddNote, NoteAdded
from domain.stages.follow_up.closing import JourneyLeft, LeaveJourney
from domain.stages.records.records import RequestRecord
from tests.domain.course import start
from tests.domain.journey import DAY, Then, when
from tests.domain.refusals import No

LEFT = JourneyLeft(Exit.DECLINED, Stage.RECORDS, "")
CLOSED = StageEntered(Stage.CLOSED, Stage.RECORDS)


def left() -> Then:
    return when(start("records"), LeaveJourney("declined"))


def noted() -> Then:
    return when(start("records"), AddNote("note", "text"))


def refused() -> Then:
    return when(start("records"), AddNote("note", ""))


def test_what_is_true_passes() -> None:
    left().then_told(LEFT, CLOSED)
    noted().then(NoteAdded("note", "text")).then_opens().then_asks()
    refused().then_refused(Reason.INVALID, "an empty note says nothing")
    when(start("records"), RequestRecord("labs")).then_opens("record").then_asks("request_record")


WRONG: dict[str, Callable[[], object]] = {
    "another order": lambda: left().then_told(CLOSED, LEFT),
    "one event too few": lambda: left().then_told(LEFT),
    "one event too many": lambda: noted().then(NoteAdded("note", "text"), NoteAdded("note", "text")),
    "the same type with another value": lambda: noted().then(NoteAdded("note", "other")),
    "what follows is left out": lambda: left().then(LEFT, CLOSED),
    "nothing expected": lambda: noted().then(),
    "nothing told": lambda: when(start("records")).then(NoteAdded("note", "text")),
    "no refusal": lambda: noted().then_refused(Reason.INVALID),
    "another reason": lambda: refused().then_refused(Reason.MISSING),
    "other words": lambda: refused().then_refused(Reason.INVALID, "words nobody says"),
    "refused though it should be told": lambda: refused().then_told(),
    "refused though nothing should follow": lambda: refused().then(),
    "an obligation too few": lambda: when(start("records"), RequestRecord("labs")).then_opens(),
    "an obligation too many": lambda: noted().then_opens("record"),
    "an effect too few": lambda: when(start("records"), RequestRecord("labs")).then_asks(),
    "an effect too many": lambda: noted().then_asks("request_record"),
    "a table row that is not refused": lambda: No("records", AddNote("note", "x"), Reason.INVALID, "x").check(),
    "time going back": lambda: when(start("records"), at=start("records").now - DAY),
    "a command that must be recorded": lambda: start("records").tell(AddNote("note", "")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_fails(name: str) -> None:
    with pytest.raises(AssertionError):
        WRONG[name]()


def test_an_event_the_page_does_not_name_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.domain.journey.TAKES", {AddNote: Takes(AddNote, ())})
    with pytest.raises(AssertionError, match="does not say that AddNote records"):
        noted()
