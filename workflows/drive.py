"""One case through time: look, do what is due, wait. A plain generator, answered by Temporal or by a rehearsal."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from activities.messages import Attend, Due, Turn


@dataclass(frozen=True, slots=True)
class Perform:
    """Attempt an effect beside the loop; answered at once with None."""

    due: Due


@dataclass(frozen=True, slots=True)
class AwaitNudge:
    """Asks to wait until `seconds` have passed or something happened; the answer is whether to go on."""

    turn: Turn


Step = Attend | Perform | AwaitNudge
Drive = Generator[Step, "Turn | bool | None", str]


def drive(case: str, epoch: int, seen: int) -> Drive:
    """Yields what to do next; returns why it stopped: `ended` or `superseded`."""
    while True:
        turn = yield Attend(case, epoch, seen)
        assert isinstance(turn, Turn)
        if turn.superseded:
            return "superseded"
        seen = turn.version
        for due in turn.effects:
            yield Perform(due)
        go_on = yield AwaitNudge(turn)
        if not go_on:
            return "ended"
