"""Takes at any stage who works on what is owed: tasks are claimed, handed back, offered, accepted, taken over.

Who owes a task and until when stays as it is; this says which one person of that role has it in hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.obligation import Obligation
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action

STAFF = frozenset({Party.COORDINATOR, Party.SUPERVISOR, Party.REVIEWER, Party.TRANSLATOR})
"""Who of those that owe something is of the service's own: only what they owe can be in one person's hands."""


@dataclass(frozen=True, slots=True)
class ClaimTask:
    """Whoever gives it does the task from now on; nobody else does it already."""

    obligation: str
    by: str = ""
    type: Literal["ClaimTask"] = "ClaimTask"


@dataclass(frozen=True, slots=True)
class TakeOverTask:
    """A supervisor has the task in hand from now on, whoever had it."""

    obligation: str
    reason: Identity
    by: str = ""
    type: Literal["TakeOverTask"] = "TakeOverTask"


@dataclass(frozen=True, slots=True)
class HandBackTask:
    """Whoever has the task gives it back to all of their role; an offer of it ends."""

    obligation: str
    by: str = ""
    type: Literal["HandBackTask"] = "HandBackTask"


@dataclass(frozen=True, slots=True)
class OfferTask:
    """A colleague is asked to do the task; until they accept, it stays with whoever has it."""

    obligation: str
    colleague: str
    by: str = ""
    type: Literal["OfferTask"] = "OfferTask"


@dataclass(frozen=True, slots=True)
class AcceptTask:
    """Whoever was asked to do the task does it from now on."""

    obligation: str
    by: str = ""
    type: Literal["AcceptTask"] = "AcceptTask"


@dataclass(frozen=True, slots=True)
class DeclineTask:
    """Whoever was asked to do the task does not, and says why."""

    obligation: str
    reason: Identity
    by: str = ""
    type: Literal["DeclineTask"] = "DeclineTask"


Command = ClaimTask | TakeOverTask | HandBackTask | OfferTask | AcceptTask | DeclineTask


@dataclass(frozen=True, slots=True)
class TaskClaimed:
    """Somebody does this task from now on."""

    obligation: str
    by: str
    type: Literal["TaskClaimed"] = "TaskClaimed"


@dataclass(frozen=True, slots=True)
class TaskTakenOver:
    """A supervisor took this task over."""

    obligation: str
    by: str
    reason: Identity
    type: Literal["TaskTakenOver"] = "TaskTakenOver"


@dataclass(frozen=True, slots=True)
class TaskHandedBack:
    """Nobody has this task in hand any more."""

    obligation: str
    type: Literal["TaskHandedBack"] = "TaskHandedBack"


@dataclass(frozen=True, slots=True)
class TaskOffered:
    """A colleague was asked to do this task."""

    obligation: str
    colleague: str
    by: str
    type: Literal["TaskOffered"] = "TaskOffered"


@dataclass(frozen=True, slots=True)
class TaskAccepted:
    """The colleague who was asked does this task from now on."""

    obligation: str
    by: str
    type: Literal["TaskAccepted"] = "TaskAccepted"


@dataclass(frozen=True, slots=True)
class TaskDeclined:
    """The colleague who was asked does not do this task."""

    obligation: str
    by: str
    reason: Identity
    type: Literal["TaskDeclined"] = "TaskDeclined"


Event = TaskClaimed | TaskTakenOver | TaskHandedBack | TaskOffered | TaskAccepted | TaskDeclined

TAKES = (
    Takes(ClaimTask, (TaskClaimed,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(HandBackTask, (TaskHandedBack,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(OfferTask, (TaskOffered,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(AcceptTask, (TaskAccepted,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(DeclineTask, (TaskDeclined,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(TakeOverTask, (TaskTakenOver,), at=EVERY_STAGE, by=Action.SUPERVISE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide who has a task in hand: return the events it brings about. Raises Refused."""
    task = open_task(case, command.obligation)
    match command:
        case ClaimTask():
            require(task.holder != command.by, Reason.ALREADY, "you have this task in hand", "obligation")
            words = "a colleague has this task in hand; ask them to hand it back or to offer it to you"
            require(not task.holder, Reason.NOT_NOW, words, "obligation")
            return [TaskClaimed(task.id, command.by)]
        case HandBackTask():
            held = task.holder and task.holder == command.by
            require(held, Reason.NOT_NOW, "you do not have this task in hand", "obligation")
            return [TaskHandedBack(task.id)]
        case OfferTask():
            return [_offered(task, command)]
        case AcceptTask():
            _require_asked(task, command.by)
            return [TaskAccepted(task.id, command.by)]
        case DeclineTask():
            _require_asked(task, command.by)
            require(readable(command.reason), Reason.INVALID, "say why you decline", "reason")
            return [TaskDeclined(task.id, command.by, command.reason)]
        case TakeOverTask():
            require(task.holder != command.by, Reason.ALREADY, "you have this task in hand", "obligation")
            require(readable(command.reason), Reason.INVALID, "say why you take it over", "reason")
            return [TaskTakenOver(task.id, command.by, command.reason)]
        case _:
            assert_never(command)


def open_task(case: Case, obligation: str) -> Obligation:
    """Return the open obligation of one of the service's own roles. Raises Refused."""
    known = case.obligations.get(obligation)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such task in this case", "obligation")
    require(known.state == "open", Reason.NOT_NOW, f"the task is {known.state}", "obligation")
    words = f"the {known.debtor.value} owes this, nobody of the service; it can be chased, not claimed"
    require(known.debtor in STAFF, Reason.NOT_NOW, words, "obligation")
    return known


def _offered(task: Obligation, c: OfferTask) -> TaskOffered:
    require(c.colleague, Reason.INVALID, "name the colleague", "colleague")
    require(c.colleague != c.by, Reason.INVALID, "claim the task instead of offering it to yourself", "colleague")
    require(task.holder in ("", c.by), Reason.NOT_NOW, "only who has this task in hand offers it", "obligation")
    asked = c.colleague in (task.holder, task.offered)
    require(not asked, Reason.ALREADY, "they have been asked already", "colleague")
    return TaskOffered(task.id, c.colleague, c.by)


def _require_asked(task: Obligation, by: str) -> None:
    require(task.offered and task.offered == by, Reason.NOT_NOW, "this task was not offered to you", "obligation")


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about who has a task in hand."""
    event = fact.event
    known = case.obligations.get(event.obligation)
    if known is None:
        return case
    match event:
        case TaskClaimed() | TaskTakenOver() | TaskAccepted():
            changed = replace(known, holder=event.by, offered="")
        case TaskHandedBack():
            changed = replace(known, holder="", offered="")
        case TaskOffered():
            changed = replace(known, offered=event.colleague)
        case TaskDeclined():
            changed = replace(known, offered="")
        case _:
            assert_never(event)
    return replace(case, obligations={**case.obligations, known.id: changed})
