"""Decides commands: the row of a command says whether its stage takes it, its file says what it brings about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import datetime, timedelta
from typing import Any

from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Command, Dated, Draft, Event, Ids
from domain.core.personal import readable
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.core.shape import shapes
from domain.core.when import When
from domain.journey import ACCEPTED, MODULES, TAKES, accepting_stages
from domain.stages.anytime import correcting, erasing, linking
from domain.stages.follow_up import closing
from domain.stages.intake.inquiry import OpenCase

Decide = Callable[[Case, Any, datetime, Ids, Policy], Sequence[Event | Dated[Event]]]

DECIDE: Mapping[type[Any], Decide] = {
    row.command: module.decide
    for module in MODULES.values()
    for row in module.TAKES
    if row.command is not correcting.CorrectFact
}
"""Command → the function of its file; a correction has no file of its own, see `_correct`."""

FUTURE = timedelta(minutes=5)
"""How far a reported instant may lie ahead of the ledger's clock before it is refused: clocks differ."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    """Return the drafts of all that a command brings about. Raises Refused: then nothing is recorded."""
    _accepted_here(case, command)
    _goes_on_here(case, command)
    erasing.takes(case, command)
    occurred = _occurred(command, now)
    if isinstance(command, correcting.CorrectFact):
        corrected = _correct(case, command, now, ids, policy)
        _require_reason(command)
        return corrected
    events = DECIDE[type(command)](case, command, now, ids, policy)
    _require_reason(command)
    return [_draft(event, ids(), occurred, now) for event in events]


def _asks_why(command: type[Any]) -> bool:
    given = [field for field in fields(command) if field.name == "reason" and field.default is MISSING]
    return bool(given) and shapes(command)["reason"].kind == "text"


REASONED = frozenset(command for command, row in TAKES.items() if not row.by_hospital and _asks_why(command))
"""Commands that ask why, in words. What a hospital says is kept as it says it, though it gives no reason."""


def _require_reason(command: Command) -> None:
    """Refuse a reason of nothing but blanks, where one is asked for; the words of the stage's own file come first."""
    if type(command) in REASONED:
        given = command.reason  # type: ignore[attr-defined] # every command of REASONED has it
        said = given.strip() if isinstance(given, str) else readable(given)
        require(said, Reason.INVALID, "say why; a reason is never empty", "reason")


def _draft(event: Event | Dated[Event], name: str, occurred: When | None, now: datetime) -> Draft[Event]:
    """The draft of an event, at its own time where it has one."""
    if isinstance(event, Dated):
        require_past(event.occurred, now)
        return Draft(event.event, name, event.occurred)
    return Draft(event, name, occurred)


def _accepted_here(case: Case, command: Command) -> None:
    opening = isinstance(command, OpenCase)
    require(opening or case.version > 0, Reason.NOT_FOUND, "no such case")
    if opening or type(command) in ACCEPTED[case.stage]:
        return
    where = ", ".join(accepting_stages(type(command)))
    raise Refused(Reason.NOT_NOW, f"{command.type} is accepted in: {where}; the case stands at {case.stage}", "type")


UNDOING = frozenset(row[1] for row in closing.UNDO)
AFTER_MERGE = frozenset(
    command
    for command, row in TAKES.items()
    if row.by in (Action.ERASE, Action.ENGINE, Action.SETTLE, Action.BREAK_GLASS, Action.REVIEW_ACCESS)
    or UNDOING & set(row.answers)
) - {linking.AcceptLink} | {correcting.CorrectFact}
"""What a case still takes that was merged into another: what the law wants of it, and how its undoing came out."""


def taken(case: Case) -> Sequence[type[Any]]:
    """Return the commands that a case takes where it stands."""
    accepted = ACCEPTED[case.stage]
    return [c for c in accepted if c in AFTER_MERGE] if case.merged_into else accepted


def _goes_on_here(case: Case, command: Command) -> None:
    """Refuse what belongs to the case that this one was merged into, or is about to be. Raises Refused."""
    if type(command) in AFTER_MERGE:
        return
    into, asked = case.merged_into, case.link_asked
    if into is not None:
        number = into.number
        raise Refused(Reason.MERGED, f"this case was merged into {number}; go on there", goes_on_as=number)
    waits = asked is not None and asked.kind == "merge" and not isinstance(command, linking.AcceptLink)
    number = asked.number if asked else ""
    require(not waits, Reason.NOT_NOW, f"this case is being merged into {number}; wait for its answer")


def _occurred(command: object, now: datetime) -> When | None:
    occurred: When | None = getattr(command, "occurred", None)
    if occurred is not None:
        require_past(occurred, now)
    return occurred


def require_past(occurred: When, now: datetime) -> None:
    """Refuse what is told to have happened later than now."""
    past = occurred.earliest is None or occurred.earliest <= now + FUTURE
    require(past, Reason.INVALID, "a fact lies in the past", "occurred")


def _correct(case: Case, c: correcting.CorrectFact, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    require(
        c.fact in case.correctable,
        Reason.NOT_FOUND,
        "no such fact that can be corrected; name the first telling",
        "fact",
    )
    wrong = case.correctable[c.fact]
    occurred = _occurred(c.correction, now)
    right = correcting.corrected(case, wrong, c.correction, now, ids, policy)
    explained: Draft[Event] = Draft(correcting.FactCorrected(c.fact, c.reason), ids(), c.occurred)
    told = (Draft(event, ids(), occurred, corrects=c.fact if event.type == wrong.type else None) for event in right)
    return [explained, *told]
