"""Moves a case from stage to stage: by itself when nothing is missing, or by a supervisor who accepts what is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Rule, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.stages.eligibility import choosing, eligibility
from domain.stages.follow_up import follow_up
from domain.stages.intake import inquiry
from domain.stages.records import dossier
from domain.stages.travel import travel, visa
from domain.stages.treatment import admission, infusion, lymphodepletion, recovery, redosing


@dataclass(frozen=True, slots=True)
class MoveOn:
    """A supervisor moves a case forward although something is missing; `accepting` must list exactly that."""

    stage: Stage
    reason: Clinical
    accepting: tuple[str, ...]
    by: str = ""
    type: Literal["MoveOn"] = "MoveOn"


@dataclass(frozen=True, slots=True)
class StageEntered:
    """The main line stands at a new stage. `accepted` is what a supervisor let go missing, for ever on record."""

    stage: Stage
    before: Stage
    accepted: tuple[str, ...] = ()
    reason: Clinical = ""
    by: str = ""
    type: Literal["StageEntered"] = "StageEntered"


Event = StageEntered
TAKES = (Takes(MoveOn, (StageEntered,), at=stages(Stage.INQUIRY, Stage.FOLLOW_UP), by=Action.SUPERVISE),)

NEEDS: Mapping[Stage, tuple[Need, ...]] = {
    Stage.INQUIRY: inquiry.NEEDS,
    Stage.RECORDS: dossier.NEEDS,
    Stage.ELIGIBILITY: choosing.NEEDS + eligibility.NEEDS,
    Stage.VISA: travel.NEEDS + visa.NEEDS,
    Stage.ADMISSION: admission.NEEDS,
    Stage.LYMPHODEPLETION: lymphodepletion.NEEDS,
    Stage.INFUSION: infusion.NEEDS + recovery.NEEDS,
    Stage.REDOSING: redosing.NEEDS,
    Stage.FOLLOW_UP: follow_up.NEEDS,
    Stage.CLOSED: (),
}
"""What must be there before a stage is left."""

MAIN = tuple(s for s in Stage if s not in (Stage.REDOSING, Stage.CLOSED))
"""The way every case goes; re-dosing leads from its end back to lymphodepletion."""


def missing(case: Case, now: datetime) -> Sequence[Need]:
    """Return what the present stage still waits for."""
    return [n for n in NEEDS[case.stage] if not n.holds(case, now)]


def next_stage(case: Case) -> Stage | None:
    """Return where the main line goes from here once nothing is missing; None = nowhere."""
    match case.stage:
        case Stage.CLOSED:
            return None
        case Stage.INFUSION:
            return Stage.REDOSING if case.pathway == "redose" else Stage.FOLLOW_UP
        case Stage.FOLLOW_UP:
            return Stage.CLOSED
        case Stage.REDOSING:
            return Stage.LYMPHODEPLETION if redosing.untouched(case) else Stage.FOLLOW_UP
        case _:
            return MAIN[MAIN.index(case.stage) + 1]


def decide(case: Case, command: MoveOn, now: datetime, ids: Ids, policy: Policy) -> Sequence[StageEntered]:
    """Move on, or say exactly what is missing and what of it nobody may waive."""
    require(case.exit is None, Reason.NOT_NOW, "the journey was left")
    require(case.on_hold is None, Reason.NOT_NOW, "the case is on hold")
    lacking = [n for s in _left(case, command.stage) for n in NEEDS[s] if not n.holds(case, now)]
    fixed = [n.name for n in lacking if not n.waivable]
    require(not fixed, Reason.NEVER_WAIVED, f"cannot be waived: {'; '.join(fixed)}", "accepting")
    names = sorted({n.name for n in lacking})
    told = sorted(set(command.accepting)) == names
    words = f"accept exactly what is missing: {'; '.join(names) or 'nothing'}"
    require(told, Reason.MISSING, words, "accepting")
    return [StageEntered(command.stage, case.stage, tuple(names), command.reason, command.by)]


def _left(case: Case, target: Stage) -> Sequence[Stage]:
    """The stages that are left on the way to the target."""
    if case.stage is Stage.REDOSING:
        onward = redosing.untouched(case) and target is Stage.LYMPHODEPLETION
        require(onward, Reason.INVALID, "from re-dosing a planned treatment goes to lymphodepletion", "stage")
        return [Stage.REDOSING]
    if target not in MAIN:
        raise Refused(Reason.INVALID, "re-dosing is decided, and closing has commands of its own", "stage")
    start, end = MAIN.index(case.stage), MAIN.index(target)
    require(start < end, Reason.INVALID, "a case moves forward", "stage")
    treated = target is not Stage.FOLLOW_UP or case.infusions
    require(treated, Reason.NOT_NOW, "no cells were infused; leave the journey instead")
    again = target is Stage.FOLLOW_UP and case.pathway == "redose"
    require(not again, Reason.NOT_NOW, "re-dosing is decided; decide on another pathway first")
    return MAIN[start:end]


def evolve(case: Case, fact: Fact[StageEntered]) -> Case:
    """Fold one change of stage."""
    event = fact.event
    return replace(case, stage=event.stage, stage_since=fact.at)


def move(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[StageEntered]:
    """One step along the main line, or off it after leaving early."""
    if case.exit is not None or case.stage is Stage.CLOSED:
        end = Stage.FOLLOW_UP if case.follow_up == "open" else Stage.CLOSED
        return [] if case.stage is end else [StageEntered(end, case.stage)]
    if case.on_hold is not None:
        return []
    target = _turned(case) or (None if missing(case, now) else next_stage(case))
    return [StageEntered(target, case.stage)] if target else []


def _turned(case: Case) -> Stage | None:
    """Where a decision leads off the plain way: back to other centres, to another treatment, or past one given up."""
    match case.stage:
        case Stage.VISA | Stage.ADMISSION if case.accepted is None and case.entered is None:
            return Stage.ELIGIBILITY
        case Stage.LYMPHODEPLETION if case.treatment is not None and case.treatment.given_up:
            return Stage.FOLLOW_UP
        case Stage.INFUSION if redosing.untouched(case):
            return Stage.REDOSING
        case Stage.FOLLOW_UP if redosing.untouched(case) or case.pathway == "redose":
            return Stage.REDOSING
        case _:
            return None


RULES = (
    Rule(
        "nothing_missing",
        1,
        move,
        tuple(sorted({t for needs in NEEDS.values() for n in needs for t in n.rests_on} | {"JourneyLeft"})),
        (StageEntered,),
    ),
)
