"""Corrective and preventive action after a deviation, a near miss or any other alert [safety.corrective].

Somebody does something about the cause until a day, and on a later day it is seen whether that helped; what did not
asks for another. After a deviation or a near miss the plan itself is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, assert_never

from domain.case.corrective import CorrectiveAction
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action

FARTHEST = timedelta(days=3 * 365)
"""How far ahead a check is planned; more is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class PlanCorrectiveAction:
    """Somebody will act on what led to an alert, until a day; on `check_on` it is seen whether that helped."""

    alert: str
    measure: Identity
    responsible: Identity
    done_by: date
    check_on: date
    type: Literal["PlanCorrectiveAction"] = "PlanCorrectiveAction"


@dataclass(frozen=True, slots=True)
class CompleteCorrectiveAction:
    """It is done, and how."""

    corrective: str
    account: Identity
    type: Literal["CompleteCorrectiveAction"] = "CompleteCorrectiveAction"


@dataclass(frozen=True, slots=True)
class CheckCorrectiveAction:
    """Somebody looked whether it helped, and what shows it."""

    corrective: str
    effective: bool
    account: Identity
    type: Literal["CheckCorrectiveAction"] = "CheckCorrectiveAction"


Command = PlanCorrectiveAction | CompleteCorrectiveAction | CheckCorrectiveAction


@dataclass(frozen=True, slots=True)
class CorrectiveActionPlanned:
    """Something will be done about what led to an alert."""

    corrective: str
    alert: str
    measure: Identity
    responsible: Identity
    done_by: date
    check_on: date
    type: Literal["CorrectiveActionPlanned"] = "CorrectiveActionPlanned"


@dataclass(frozen=True, slots=True)
class CorrectiveActionCompleted:
    """What was planned about the cause is done."""

    corrective: str
    account: Identity
    type: Literal["CorrectiveActionCompleted"] = "CorrectiveActionCompleted"


@dataclass(frozen=True, slots=True)
class CorrectiveActionChecked:
    """Somebody looked whether it helped."""

    corrective: str
    effective: bool
    account: Identity
    type: Literal["CorrectiveActionChecked"] = "CorrectiveActionChecked"


Event = CorrectiveActionPlanned | CorrectiveActionCompleted | CorrectiveActionChecked

TAKES = (
    Takes(
        PlanCorrectiveAction,
        (CorrectiveActionPlanned,),
        at=EVERY_STAGE,
        by=Action.CORRECT_CAUSE,
        settles=("corrective_plan", "corrective_again"),
    ),
    Takes(
        CompleteCorrectiveAction,
        (CorrectiveActionCompleted,),
        at=EVERY_STAGE,
        by=Action.CORRECT_CAUSE,
        settles=("corrective_action",),
    ),
    Takes(
        CheckCorrectiveAction,
        (CorrectiveActionChecked,),
        at=EVERY_STAGE,
        by=Action.CORRECT_CAUSE,
        settles=("corrective_check",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a step of a corrective action: return the event it brings about. Raises Refused."""
    words = "this person was erased, and with them what was planned; there is nothing to act on any more"
    require(not _gone(case), Reason.IRREVERSIBLE, words)
    match command:
        case PlanCorrectiveAction():
            return [_planned(case, command, now, ids)]
        case CompleteCorrectiveAction():
            known = _known(case, command.corrective)
            require(known.state == "planned", Reason.ALREADY, "it is said that this is done", "corrective")
            require(readable(command.account), Reason.MISSING, "say how it was done", "account")
            return [CorrectiveActionCompleted(command.corrective, command.account)]
        case CheckCorrectiveAction():
            known = _known(case, command.corrective)
            require(known.state != "planned", Reason.NOT_NOW, "it is not done yet; say first that it is", "corrective")
            require(known.state == "done", Reason.ALREADY, "it is said whether this helped", "corrective")
            require(readable(command.account), Reason.MISSING, "say what shows it", "account")
            return [CorrectiveActionChecked(command.corrective, command.effective, command.account)]
        case _:
            assert_never(command)


def _planned(case: Case, c: PlanCorrectiveAction, now: datetime, ids: Ids) -> Event:
    require(c.alert in case.alerts, Reason.NOT_FOUND, "there is no such alert to act on in this case", "alert")
    require(readable(c.measure), Reason.MISSING, "say what is done about the cause", "measure")
    require(readable(c.responsible), Reason.MISSING, "say who does it", "responsible")
    today = now.date()
    require(c.done_by >= today, Reason.INVALID, "what is planned is done today or later", "done_by")
    ahead = c.done_by <= c.check_on <= today + FARTHEST
    words = f"whether it helped is looked at after it is done, at most {FARTHEST.days} days ahead"
    require(ahead, Reason.INVALID, words, "check_on")
    return CorrectiveActionPlanned(ids(), c.alert, c.measure, c.responsible, c.done_by, c.check_on)


def _known(case: Case, corrective: str) -> CorrectiveAction:
    found = case.corrective.get(corrective)
    if found is None:
        raise Refused(Reason.NOT_FOUND, "no such corrective action in this case", "corrective")
    return found


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one step of a corrective action."""
    event = fact.event
    match event:
        case CorrectiveActionPlanned():
            new = CorrectiveAction(event.alert, event.done_by, event.check_on)
            return replace(case, corrective={**case.corrective, event.corrective: new})
        case CorrectiveActionCompleted():
            return _moved(case, event.corrective, state="done")
        case CorrectiveActionChecked():
            return _moved(case, event.corrective, state="effective" if event.effective else "ineffective")
        case _:
            assert_never(event)


def _moved(case: Case, corrective: str, **changes: object) -> Case:
    known = case.corrective.get(corrective)
    if known is None:
        return case
    return replace(case, corrective={**case.corrective, corrective: replace(known, **changes)})  # type: ignore[arg-type]


def _gone(case: Case) -> bool:
    """Return whether what was planned can be read no more: it is sealed with what identifies the person."""
    return case.erasure is not None and "identity" in case.erasure.going


def _in(case: Case, state: str) -> Iterable[str]:
    return [] if _gone(case) else [one for one, known in case.corrective.items() if known.state == state]


def _newest(case: Case) -> Mapping[str, str]:
    return {known.alert: one for one, known in case.corrective.items()}


ACTED_ON = ("deviation", "mismatch")
"""Alerts of something done otherwise than it should be: a plan is owed without anybody asking."""


def _unplanned(case: Case) -> Iterable[str]:
    if _gone(case):
        return []
    planned = _newest(case)
    return [one.id for one in case.alerts.values() if one.kind in ACTED_ON and one.id not in planned]


def _without_another(case: Case) -> Iterable[str]:
    """What did not help, until another is planned for the same alert."""
    newest = set(_newest(case).values())
    return [one for one in _in(case, "ineffective") if one in newest]


def _followed(case: Case, about: str) -> bool:
    return about in case.corrective and _newest(case)[case.corrective[about].alert] != about


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


OWES = (
    Owes(
        "corrective_plan",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        _unplanned,
        lambda c, about: about in _newest(c),
    ),
    Owes(
        "corrective_action",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: _in(c, "planned"),
        lambda c, about: about in c.corrective and c.corrective[about].state != "planned",
        due=lambda c, about: _end_of(c.corrective[about].done_by) if about in c.corrective else None,
    ),
    Owes(
        "corrective_check",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: _in(c, "done"),
        lambda c, about: about in c.corrective and c.corrective[about].state in ("effective", "ineffective"),
        due=lambda c, about: _end_of(c.corrective[about].check_on) if about in c.corrective else None,
    ),
    Owes(
        "corrective_again",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        _without_another,
        _followed,
    ),
)
