"""Low blood counts and graft-versus-host disease that last after discharge: looked at until a person closes them.

What is still there when the patient leaves the ward, or comes later, is a task of its own [safety.late].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.redosing import LateWatch
from domain.case.phases.treatment import Episode
from domain.case.stage import EVERY_STAGE, Stage
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.grading.kinds import KINDS


@dataclass(frozen=True, slots=True)
class CloseLateToxicity:
    """A person says that it need not be looked at any more, and why; a higher grade opens it again."""

    episode: str
    reason: Clinical
    occurred: When | None = None
    type: Literal["CloseLateToxicity"] = "CloseLateToxicity"


Command = CloseLateToxicity


@dataclass(frozen=True, slots=True)
class LateToxicityWatched:
    """Harm that lasts after discharge is looked at from now on."""

    episode: str
    grade: int
    type: Literal["LateToxicityWatched"] = "LateToxicityWatched"


@dataclass(frozen=True, slots=True)
class LateToxicityClosed:
    """A person closed the watch over harm that lasted after discharge."""

    episode: str
    reason: Clinical
    type: Literal["LateToxicityClosed"] = "LateToxicityClosed"


Event = LateToxicityWatched | LateToxicityClosed

TAKES = (Takes(CloseLateToxicity, (LateToxicityClosed,), at=EVERY_STAGE, by=Action.ANSWER, answers=("late_toxicity",)),)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Close a watch. Raises Refused."""
    known = case.late_watches.get(command.episode)
    require(known is not None, Reason.NOT_FOUND, "nothing of that name is looked at after discharge", "episode")
    require(known and known.open, Reason.ALREADY, "that is closed; a higher grade opens it again", "episode")
    return [LateToxicityClosed(command.episode, command.reason)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a watch that began, or was closed at the grade that stood then."""
    event = fact.event
    known = case.episodes.get(event.episode)
    match event:
        case LateToxicityWatched():
            watch = LateWatch(True, event.grade)
        case LateToxicityClosed():
            watch = LateWatch(False, (known.grade or 0) if known else 0)
        case _:
            assert_never(event)
    return replace(case, late_watches={**case.late_watches, event.episode: watch})


def _lasting(case: Case) -> Iterable[Episode]:
    """Every episode of such a kind that is not over, while the patient is out of hospital."""
    out = case.discharged or case.home is not None or case.stage is Stage.FOLLOW_UP
    if not out or not case.infusions or case.died:
        return []
    return [one for one in case.episodes.values() if not one.over and one.kind in LATE]


LATE = frozenset(code for code, row in KINDS.items() if row.lasts)


def watched(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What lasts after discharge is looked at; what was closed is opened again by a higher grade only."""
    return [
        LateToxicityWatched(one.fact, one.grade or 0)
        for one in _lasting(case)
        if (watch := case.late_watches.get(one.fact)) is None or (not watch.open and (one.grade or 0) > watch.grade)
    ]


RULES = (
    Rule(
        "late_toxicity_watched",
        1,
        watched,
        ("PatientDischarged", "CytopeniaGraded", "GVHDGraded", "ToxicityReported"),
        (LateToxicityWatched,),
    ),
)


def _open(case: Case) -> Iterable[str]:
    over = case.died or case.stage is Stage.CLOSED
    return [] if over else [episode for episode, watch in case.late_watches.items() if watch.open]


OWES = (
    Owes(
        "late_toxicity",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _open,
        lambda c, about: (watch := c.late_watches.get(about)) is not None and not watch.open,
    ),
)
