"""Says who is to be told, and that each was told once, or when that is not known, twice.

Of a change two people make, or of what is overdue at a store or lot; `proposal` names which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact

What = Literal[
    "proposed", "confirmed", "withdrawn", "undone", "silent", "silent_still", "undecided", "undecided_still"
]  # fmt: skip
Outcome = Literal["sent", "refused", "put_off", "unknown"]
CONTACT = "contact"
"""Stands for the address that the centre or desk had before, in the place of a person's stream."""
LEASE = timedelta(minutes=2)
"""How long whoever tells somebody has for it, before another may."""
TRIES = 2


@dataclass(frozen=True, slots=True)
class ClaimNotice:
    """Take it on to tell one of those who are to be told."""

    proposal: str
    what: What
    to: str
    type: Literal["ClaimNotice"] = "ClaimNotice"


@dataclass(frozen=True, slots=True)
class RecordNotice:
    """Say what became of it; put off = nothing was sent."""

    proposal: str
    what: What
    to: str
    outcome: Outcome
    possible_repeat: bool = False
    type: Literal["RecordNotice"] = "RecordNotice"


Command = ClaimNotice | RecordNotice


@dataclass(frozen=True, slots=True)
class NoticeOwed:
    """These are to be told by mail: of a change two people make, or of what is overdue."""

    proposal: str
    what: What
    to: tuple[str, ...]
    contact: str
    says: str
    type: Literal["NoticeOwed"] = "NoticeOwed"


@dataclass(frozen=True, slots=True)
class NoticeClaimed:
    """A mail to one of those who are to be told is about to be sent."""

    proposal: str
    what: What
    to: str
    type: Literal["NoticeClaimed"] = "NoticeClaimed"


@dataclass(frozen=True, slots=True)
class NoticeEnded:
    """They were told, perhaps twice, or could not be."""

    proposal: str
    what: What
    to: str
    outcome: Outcome
    possible_repeat: bool
    type: Literal["NoticeEnded"] = "NoticeEnded"


Event = NoticeOwed | NoticeClaimed | NoticeEnded


@dataclass(frozen=True, slots=True)
class Owed:
    """One mail that is to be sent. `tries`: how often it may have been."""

    proposal: str
    what: What
    to: str
    contact: str
    says: str
    by: str
    claimed: datetime | None = None
    tries: int = 0


def decide(owed: Sequence[Owed], command: Command, now: datetime) -> Sequence[Event]:
    """Decide what the engine says of a notice. Raises Refused: NOT_NOW while another is at it."""
    found = _found(owed, command)
    if found is None:
        raise Refused(Reason.NOT_FOUND, "nobody is to be told that", "to")
    about = found.proposal, found.what, found.to
    if isinstance(command, RecordNotice):
        return [NoticeEnded(*about, command.outcome, command.possible_repeat)]
    free = found.claimed is None or found.claimed + LEASE <= now
    require(free, Reason.NOT_NOW, "somebody else is about to tell them")
    return [NoticeClaimed(*about)]


def evolve(owed: tuple[Owed, ...], fact: Fact[Event]) -> tuple[Owed, ...]:
    """Fold one event of a notice."""
    event = fact.event
    match event:
        case NoticeOwed():
            e = event
            return (*owed, *(Owed(e.proposal, e.what, to, e.contact, e.says, fact.actor) for to in e.to))
        case NoticeClaimed():
            return _changed(owed, event, lambda one: replace(one, claimed=fact.at, tries=one.tries + 1))
        case NoticeEnded(outcome="put_off"):
            return _changed(owed, event, lambda one: replace(one, tries=one.tries - 1))
        case NoticeEnded():
            return tuple(one for one in owed if not _is(one, event))
        case _:
            assert_never(event)


def _changed(
    owed: tuple[Owed, ...], event: NoticeClaimed | NoticeEnded, change: Callable[[Owed], Owed]
) -> tuple[Owed, ...]:
    return tuple(change(one) if _is(one, event) else one for one in owed)


def _found(owed: Sequence[Owed], command: Command) -> Owed | None:
    return next((one for one in owed if _is(one, command)), None)


def _is(one: Owed, said: Command | NoticeClaimed | NoticeEnded) -> bool:
    return (one.proposal, one.what, one.to) == (said.proposal, said.what, said.to)
