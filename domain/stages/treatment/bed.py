"""Bed track: a bed at the treating centre, held on a lease that ends by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import appointment
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action


@dataclass(frozen=True, slots=True)
class HoldBed:
    """The hospital holds a bed until `until`; `ref` is its own booking number."""

    ref: str
    until: datetime
    type: Literal["HoldBed"] = "HoldBed"


@dataclass(frozen=True, slots=True)
class RefuseBed:
    """The hospital has no bed now."""

    code: Literal["full", "not_yet", "other"]
    type: Literal["RefuseBed"] = "RefuseBed"


@dataclass(frozen=True, slots=True)
class AskBedAgain:
    """A coordinator asks for a bed again, or for a longer hold."""

    type: Literal["AskBedAgain"] = "AskBedAgain"


Command = HoldBed | RefuseBed | AskBedAgain


@dataclass(frozen=True, slots=True)
class BedHeld:
    """A bed is held until `until`."""

    ref: str
    until: datetime
    type: Literal["BedHeld"] = "BedHeld"


@dataclass(frozen=True, slots=True)
class BedRefused:
    """No bed could be held."""

    code: str
    type: Literal["BedRefused"] = "BedRefused"


@dataclass(frozen=True, slots=True)
class BedAsked:
    """A bed is asked for again."""

    round: int
    type: Literal["BedAsked"] = "BedAsked"


@dataclass(frozen=True, slots=True)
class BedLapsed:
    """The hold ended by itself."""

    type: Literal["BedLapsed"] = "BedLapsed"


Event = BedHeld | BedRefused | BedAsked | BedLapsed

TAKES = (
    Takes(HoldBed, (BedHeld,), at=stages(Stage.ELIGIBILITY), by=Action.ANSWER, answers=("hold_bed",)),
    Takes(RefuseBed, (BedRefused,), at=stages(Stage.ELIGIBILITY), by=Action.ANSWER, answers=("hold_bed",)),
    Takes(
        AskBedAgain,
        (BedAsked,),
        at=stages(Stage.ELIGIBILITY, Stage.REDOSING),
        settles=("bed_hold_renewal", "find_bed"),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a bed command: return the events it brings about. Raises Refused."""
    match command:
        case HoldBed():
            require(command.until > now, Reason.INVALID, "the hold has ended already", "until")
            return [BedHeld(command.ref, command.until)]
        case RefuseBed():
            require(not case.bed.good_at(now), Reason.ALREADY, "a bed is held")
            return [BedRefused(command.code)]
        case AskBedAgain():
            require(needed(case), Reason.NOT_NOW, "no bed is needed now")
            require(not case.bed.unanswered, Reason.ALREADY, "a bed is asked for already")
            return [BedAsked(case.bed.round + 1)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one bed event."""
    event = fact.event
    match event:
        case BedHeld():
            return replace(case, bed=case.bed.held(event.ref, event.until, fact.id))
        case BedRefused():
            return replace(case, bed=case.bed.ended("refused", fact.id))
        case BedAsked():
            renewed = case.bed.renewal() if case.bed.good_at(fact.at) else case.bed.again(fact.id)
            return replace(case, bed=renewed)
        case BedLapsed():
            return replace(case, bed=case.bed.again(fact.id, "lapsed"))
        case _:
            assert_never(event)


def needed(case: Case) -> bool:
    """Return whether a bed must be held: accepted, priced, not yet admitted, for the first time or to come again."""
    returning = case.stage is Stage.REDOSING and case.returning
    before = case.stage in (Stage.ELIGIBILITY, Stage.VISA, Stage.ADMISSION) or returning
    return before and not case.exit and case.accepted is not None and case.quote.state == "held" and not case.admitted


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A hold ends at its own instant, whoever looks; an occupied bed is no longer a hold."""
    return [BedLapsed()] if case.bed.ended_by(now) and not case.admitted else []


def _ends(case: Case) -> Instants:
    return [case.bed.until] if case.bed.state == "held" and not case.admitted else []


RULES = (Rule("bed_hold_ends", 1, lapse, ("BedHeld",), (BedLapsed,), _ends),)


def _open_question(case: Case) -> Iterable[str]:
    return [f"{case.centre}/{case.bed.round}"] if needed(case) and case.bed.unanswered else []


def _answered(case: Case, about: str) -> bool:
    return case.bed.answered >= About.of(about).number and case.bed.state in ("held", "refused")


def _held_once(case: Case) -> Iterable[str]:
    return [case.bed.fact] if needed(case) and case.bed.state == "held" and not case.bed.unanswered else []


def _renewed(case: Case, about: str) -> bool:
    asked = case.bed.state == "held" and (case.bed.fact != about or case.bed.unanswered)
    return asked or bool(case.admitted)


OWES = (
    Owes("bed_answer", Party.HOSPITAL, Party.COORDINATOR, _open_question, _answered, asked_by="hold_bed"),
    Owes(
        "bed_hold_renewal",
        Party.COORDINATOR,
        Party.HOSPITAL,
        _held_once,
        _renewed,
        lambda c, _: c.bed.until,
    ),
    Owes(
        "find_bed",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: [c.bed.fact] if needed(c) and c.bed.state == "refused" else [],
        lambda c, about: c.bed.fact != about and c.bed.state in ("asked", "held"),
    ),
)

WANTS = (
    Wants("hold_bed", Party.HOSPITAL, _open_question, _answered, asks=appointment("Please hold a bed for this case")),
)
