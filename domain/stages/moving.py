"""From stage to stage: by itself when nothing is missing, or moved on by a supervisor who accepts what is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from domain.errors import Reason, require
from domain.fact import Fact, Ids
from domain.personal import Clinical
from domain.policy import Policy
from domain.stages import (
    admission,
    eligibility,
    follow_up,
    infusion,
    inquiry,
    lymphodepletion,
    records,
    redosing,
    visa,
)
from domain.state import Case, Stage
from domain.table import Need, Rule


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


NEEDS: Mapping[Stage, tuple[Need, ...]] = {
    Stage.INQUIRY: inquiry.NEEDS,
    Stage.RECORDS: records.NEEDS,
    Stage.ELIGIBILITY: eligibility.NEEDS,
    Stage.VISA: visa.NEEDS,
    Stage.ADMISSION: admission.NEEDS,
    Stage.LYMPHODEPLETION: lymphodepletion.NEEDS,
    Stage.INFUSION: infusion.NEEDS,
    Stage.REDOSING: redosing.NEEDS,
    Stage.FOLLOW_UP: follow_up.NEEDS,
    Stage.CLOSED: (),
}
"""What must be there before a stage is left."""


def missing(case: Case, now: datetime) -> Sequence[Need]:
    """What the present stage still waits for."""
    return [n for n in NEEDS[case.stage] if not n.holds(case, now)]


def next_stage(case: Case) -> Stage | None:
    """Where the main line goes from here once nothing is missing; None = nowhere."""
    match case.stage:
        case Stage.CLOSED:
            return None
        case Stage.INFUSION:
            return Stage.REDOSING if case.pathway == "redose" else Stage.FOLLOW_UP
        case Stage.FOLLOW_UP:
            return Stage.CLOSED
        case Stage.REDOSING:
            return Stage.FOLLOW_UP if case.pathway == "observe" else Stage.LYMPHODEPLETION
        case _:
            return list(Stage)[case.stage.rank + 1]


def decide(case: Case, command: MoveOn, now: datetime, ids: Ids, policy: Policy) -> Sequence[StageEntered]:
    """Move on, or say exactly what is missing and what of it nobody may waive."""
    require(command.stage.rank > case.stage.rank, Reason.INVALID, "a case moves forward", "stage")
    require(command.stage.rank <= Stage.FOLLOW_UP.rank, Reason.INVALID, "closing has its own command", "stage")
    between = [s for s in Stage if case.stage.rank <= s.rank < command.stage.rank and s is not Stage.REDOSING]
    lacking = [n for s in between for n in NEEDS[s] if not n.holds(case, now)]
    fixed = [n.name for n in lacking if not n.waivable]
    require(not fixed, Reason.NEVER_WAIVED, f"cannot be waived: {'; '.join(fixed)}", "accepting")
    names = {n.name for n in lacking}
    require(
        names == set(command.accepting),
        Reason.MISSING,
        f"accept exactly what is missing: {'; '.join(sorted(names)) or 'nothing'}",
        "accepting",
    )
    return [StageEntered(command.stage, case.stage, tuple(sorted(names)), command.reason, command.by)]


def evolve(case: Case, fact: Fact[StageEntered]) -> Case:
    """Fold one change of stage."""
    event = fact.event
    return replace(case, stage=event.stage, stage_since=fact.at)


def move(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[StageEntered]:
    """One step along the main line, or off it after leaving early."""
    if case.on_hold is not None and case.exit is None:
        return []
    if case.exit is not None:
        end = Stage.FOLLOW_UP if case.follow_up == "open" else Stage.CLOSED
        return [] if case.stage in (end, Stage.CLOSED) else [StageEntered(end, case.stage)]
    if case.stage in (Stage.INFUSION, Stage.FOLLOW_UP) and redosing.untouched(case):
        return [StageEntered(Stage.REDOSING, case.stage)]
    target = next_stage(case)
    return [StageEntered(target, case.stage)] if target and not missing(case, now) else []


RULES = (
    Rule(
        "nothing_missing",
        1,
        move,
        tuple(sorted({t for needs in NEEDS.values() for n in needs for t in n.rests_on} | {"JourneyLeft"})),
    ),
)
