"""Leaving early and closing: the reason, what is undone in order, what cannot be undone (DOMAIN.md 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, require
from domain.fact import Fact, Ids
from domain.personal import Clinical
from domain.policy import Party, Policy
from domain.stages import admission, inquiry
from domain.state import Case, Exit, Stage, Track
from domain.table import Rule

Leaving = Literal["declined", "withdrawn", "not_suitable", "protocol_closed", "product_recalled", "lost_to_follow_up"]


@dataclass(frozen=True, slots=True)
class LeaveJourney:
    """End the main line early. Unless the family itself declined, an alternative pathway is named."""

    reason: Leaving
    alternative: Clinical = ""
    type: Literal["LeaveJourney"] = "LeaveJourney"


@dataclass(frozen=True, slots=True)
class VoidCase:
    """The case was opened by mistake; nothing was sent to anybody."""

    reason: Clinical
    type: Literal["VoidCase"] = "VoidCase"


@dataclass(frozen=True, slots=True)
class ReopenCase:
    """Take a closed case up again where it was left."""

    reason: Clinical
    type: Literal["ReopenCase"] = "ReopenCase"


Command = LeaveJourney | VoidCase | ReopenCase


@dataclass(frozen=True, slots=True)
class JourneyLeft:
    """The main line ended early, at `stage`, and why."""

    reason: Exit
    stage: Stage
    alternative: Clinical
    type: Literal["JourneyLeft"] = "JourneyLeft"


@dataclass(frozen=True, slots=True)
class CannotBeUndone:
    """Something acquired on the way cannot be given back; what happens instead."""

    what: Literal[
        "lymphodepletion", "infused_cells", "thawed_unit", "granted_visa", "stay_in_country", "shared_dossier"
    ]
    instead: str
    type: Literal["CannotBeUndone"] = "CannotBeUndone"


@dataclass(frozen=True, slots=True)
class CaseReopened:
    """The journey goes on at `stage`."""

    stage: Stage
    reason: Clinical
    type: Literal["CaseReopened"] = "CaseReopened"


Event = JourneyLeft | CannotBeUndone | CaseReopened

SENT = ("submitted", "acknowledged", "more_info", "accepted", "withdrawn")


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What a closing command brings about."""
    match command:
        case LeaveJourney():
            require(case.exit is None, Reason.ALREADY, "the journey was left before")
            named = command.alternative or command.reason in ("declined", "withdrawn", "lost_to_follow_up")
            require(named, Reason.INVALID, "name the alternative pathway: nobody is left at a dead end", "alternative")
            return [JourneyLeft(Exit(command.reason), case.stage, command.alternative)]
        case VoidCase():
            require(case.exit is None, Reason.ALREADY, "the journey was left before")
            sent = any(s.state in SENT for s in case.submissions.values()) or case.infusions
            require(not sent, Reason.IRREVERSIBLE, "others know of this case; leave the journey instead")
            return [JourneyLeft(Exit.VOIDED, case.stage, command.reason)]
        case ReopenCase():
            require(case.exit, Reason.NOT_NOW, "the journey was not left")
            final = case.exit in (Exit.DIED, Exit.VOIDED)
            require(not final, Reason.IRREVERSIBLE, "this case cannot be taken up again")
            return [CaseReopened(case.left_from, command.reason)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one closing event."""
    event = fact.event
    match event:
        case JourneyLeft():
            return replace(case, exit=event.reason, exit_fact=fact.id, left_from=event.stage, on_hold=None)
        case CannotBeUndone():
            return replace(case, undone={**case.undone, event.what: event.instead})
        case CaseReopened():
            return _reopened(case, event.stage, fact)
        case _:
            assert_never(event)


def _reopened(case: Case, stage: Stage, fact: Fact[Event]) -> Case:
    """Nothing released comes back by itself: every track is asked again."""

    def fresh(track: Track) -> Track:
        return track if track.state == "none" else track.again(fact.id, keep=False)

    return replace(
        case,
        exit=None,
        stage=stage,
        stage_since=fact.at,
        undone={},
        dose=fresh(case.dose),
        bed=fresh(case.bed),
        letter=fresh(case.letter),
        travel=replace(case.travel, state="none", round=case.travel.round + 1),
        screening="none" if case.screening == "failed" else case.screening,
        obligations={k: o for k, o in case.obligations.items() if (o.kind, o.state) != ("family_reply", "missed")},
    )


def leave(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Death, a withdrawn consent, a failed screening and long silence end the main line by themselves."""
    if case.exit is not None or case.stage is Stage.CLOSED:
        return []
    reason = _reason(case)
    return [JourneyLeft(reason, case.stage, "")] if reason else []


def _reason(case: Case) -> Exit | None:
    if case.died:
        return Exit.DIED
    consent = case.consents.get("data_processing:")
    if consent is not None and not consent.given:
        return Exit.WITHDRAWN
    return admission.gives_up(case) or inquiry.gives_up(case)


def state_the_irreversible(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """On leaving, say plainly what cannot be taken back and what is done instead."""
    if case.exit is None:
        return []
    return [CannotBeUndone(what, instead) for what, instead in _irreversible(case) if what not in case.undone]  # type: ignore[arg-type]


def _irreversible(case: Case) -> Iterable[tuple[str, str]]:
    treatment = case.treatment
    if treatment and treatment.depletion in ("started", "completed", "stopped") and not treatment.infusions:
        yield "lymphodepletion", "physician on call informed; infection-risk plan; search for a backup unit"
    if treatment and treatment.thawed:
        yield "thawed_unit", "destroyed, with a deviation report"
    if case.infusions:
        yield "infused_cells", "follow-up of fifteen years goes on"
    if any(v.state == "granted" for v in case.visas.values()):
        yield "granted_visa", "non-use is reported to the hospital"
    if case.entered and not case.home and not case.died:
        yield "stay_in_country", "return travel is arranged; the permitted stay keeps running"
    if any(s.round for s in case.submissions.values()):
        yield "shared_dossier", "the hospital is told to destroy its copies where law allows"


RULES = (
    Rule("leaving_the_journey", 1, leave, ("DeathReported", "ConsentWithdrawn", "ScreeningFailed", "ObligationMissed")),
    Rule("what_cannot_be_undone", 1, state_the_irreversible, ("JourneyLeft",)),
)


def _exited(case: Case) -> bool:
    return case.exit is not None


def _has(track: Track) -> bool:
    return track.state == "held"


def _release_dose(case: Case) -> Iterable[str]:
    thawed = case.treatment is not None and case.treatment.thawed
    idle = case.stage in (Stage.FOLLOW_UP, Stage.CLOSED)
    return [case.dose.fact] if _has(case.dose) and not thawed and (_exited(case) or idle) else []


def _submitted(case: Case) -> Iterable[str]:
    return [
        f"{s.id}/{s.round}" for s in case.submissions.values() if s.round and s.state not in ("withdrawn", "declined")
    ]


UNDO: tuple[tuple[int, str, Party, Callable[[Case], Iterable[str]]], ...] = (
    (
        1,
        "tell_centre_of_exit",
        Party.HOSPITAL,
        lambda c: [c.exit_fact] if c.centre and (c.admitted or c.entered) else [],
    ),
    (2, "release_dose", Party.HOSPITAL, _release_dose),
    (2, "release_bed", Party.HOSPITAL, lambda c: [c.bed.fact] if _has(c.bed) and not c.admitted else []),
    (3, "void_letter", Party.HOSPITAL, lambda c: [c.letter.fact] if _has(c.letter) and not c.entered else []),
    (
        3,
        "withdraw_visa",
        Party.FAMILY,
        lambda c: [f"{v.person}/{v.round}" for v in c.visas.values() if v.state == "filed"],
    ),
    (3, "recall_dossier", Party.HOSPITAL, _submitted),
    (4, "cancel_travel", Party.FAMILY, lambda c: [c.travel.fact] if _has(c.travel) and not c.entered else []),
    (5, "tell_family_of_exit", Party.FAMILY, lambda c: [c.exit_fact] if not c.died and c.exit != Exit.VOIDED else []),
)
"""What is undone on leaving, by rank: safety, scarce resources, paperwork, money, words (DOMAIN.md 1.3)."""

RELEASED_BY = {"release_dose": "dose", "release_bed": "bed", "void_letter": "letter", "cancel_travel": "travel"}


def _ranked(rank: int, kind: str, acquired: Callable[[Case], Iterable[str]]) -> Callable[[Case], Iterable[str]]:
    def wanted(case: Case) -> Iterable[str]:
        if case.exit is None:
            return acquired(case) if kind == "release_dose" else []
        earlier = {row[1] for row in UNDO if row[0] < rank}
        waiting = any(e.kind in earlier and e.state == "requested" for e in case.effects.values())
        return [] if waiting or not _tried(case, rank) else acquired(case)

    return wanted


def _tried(case: Case, rank: int) -> bool:
    """Whether everything of an earlier rank was asked for: a step never overtakes one that was not yet requested."""
    asked = {(e.kind, e.about) for e in case.effects.values()}
    earlier = [(kind, about) for r, kind, _, acquired in UNDO if r < rank for about in acquired(case)]
    return all(pair in asked for pair in earlier)


WANTS = tuple(Wants(kind, to, _ranked(rank, kind, acquired)) for rank, kind, to, acquired in UNDO)
