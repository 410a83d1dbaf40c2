"""Chases what is overdue outside cases: whoever sees to it is told once, then supervisors once, until it is done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from domain.core.fact import Fact
from domain.core.policy import Party
from domain.core.roles import Action
from domain.core.telling import notices
from domain.core.telling.notices import ClaimNotice, NoticeOwed, Owed, RecordNotice, What


@dataclass(frozen=True, slots=True)
class ChaseOverdue:
    """Tell of what is overdue here, each step once; `quality` are the people who see to doses. Safe to repeat."""

    quality: tuple[str, ...]
    type: Literal["ChaseOverdue"] = "ChaseOverdue"


Command = ChaseOverdue | notices.Command
Event = notices.Event
BY = dict.fromkeys((ChaseOverdue, ClaimNotice, RecordNotice), Action.ENGINE)
"""Who gives these commands: nobody but the engine."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Names what is owed, `about` one time that it is, and when whoever sees to it and then supervisors are told."""

    what: Literal["silent", "undecided"]
    about: str
    says: str
    remind: datetime
    escalate: datetime

    def steps(self, quality: tuple[str, ...]) -> Sequence[tuple[What, datetime, tuple[str, ...]]]:
        """Return each step's words, instant, and who is told; where nobody sees to doses, supervisors are."""
        still: What = "silent_still" if self.what == "silent" else "undecided_still"
        desk = (Party.SUPERVISOR.value,)
        return ((self.what, self.remind, quality or desk), (still, self.escalate, desk))


@dataclass(frozen=True, slots=True)
class Chase:
    """Holds the mails that are to be sent, and which steps were taken, each by its words and what it is about."""

    notices: tuple[Owed, ...] = ()
    taken: frozenset[tuple[str, str]] = frozenset()

    def due(self, overdue: Collection[Overdue], now: datetime, quality: tuple[str, ...] = ()) -> Sequence[NoticeOwed]:
        """Return the steps that are due and were not taken."""
        return [
            NoticeOwed(one.about, what, to, "", one.says)
            for one in overdue
            for what, at, to in one.steps(quality)
            if at <= now and (what, one.about) not in self.taken
        ]

    def open(self, overdue: Collection[Overdue]) -> tuple[Owed, ...]:
        """Return the mails that are still to be sent; none of what was done meanwhile."""
        stands = {one.about for one in overdue}
        return tuple(one for one in self.notices if one.proposal in stands)


NOTHING_CHASED = Chase()


def decide(chase: Chase, command: Command, overdue: Collection[Overdue], now: datetime) -> Sequence[Event]:
    """Decide what is told of what is overdue. Raises Refused as notices do."""
    if isinstance(command, ChaseOverdue):
        return chase.due(overdue, now, command.quality)
    return notices.decide(chase.notices, command, now)


def evolve(chase: Chase, fact: Fact[Event]) -> Chase:
    """Fold what was told."""
    event = fact.event
    taken = chase.taken | {(event.what, event.proposal)} if isinstance(event, NoticeOwed) else chase.taken
    return replace(chase, notices=notices.evolve(chase.notices, fact), taken=taken)
