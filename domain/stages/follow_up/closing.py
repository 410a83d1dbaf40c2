"""Leaving early and closing: the reason, what is undone in order, what cannot be undone [undoing.order]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import Asking, appointment, notice, service
from domain.case.release import let_go
from domain.case.stage import EVERY_STAGE, Exit, Stage, stages
from domain.case.state import Case
from domain.case.table import Rule, Takes, Wants, not_answered
from domain.case.track import Track
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.follow_up import acquired
from domain.stages.intake import inquiry
from domain.stages.travel import arranging
from domain.stages.treatment import admission

What = Literal[
    "lymphodepletion", "infused_cells", "thawed_unit", "granted_visa", "stay_in_country", "shared_dossier",
    "material", "patient_cells", "registry_data", "payment",
]  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class RetractDeath:
    """A supervisor takes back a report of death that was a mistake; the journey goes on where it stood."""

    reason: Clinical
    by: str = ""
    type: Literal["RetractDeath"] = "RetractDeath"


Command = LeaveJourney | VoidCase | ReopenCase | RetractDeath


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

    what: What
    instead: str
    type: Literal["CannotBeUndone"] = "CannotBeUndone"


@dataclass(frozen=True, slots=True)
class CaseReopened:
    """The journey goes on at `stage`."""

    stage: Stage
    reason: Clinical
    type: Literal["CaseReopened"] = "CaseReopened"


@dataclass(frozen=True, slots=True)
class DeathRetracted:
    """The patient is alive: the report was a mistake. The report stays on record; the journey goes on at `stage`."""

    death: str
    stage: Stage
    reason: Clinical
    by: str
    type: Literal["DeathRetracted"] = "DeathRetracted"


Event = JourneyLeft | CannotBeUndone | CaseReopened | DeathRetracted

TAKES = (
    Takes(LeaveJourney, (JourneyLeft,), at=stages(Stage.INQUIRY, Stage.FOLLOW_UP), settles=("closed_door",)),
    Takes(VoidCase, (JourneyLeft,), at=stages(Stage.INQUIRY, Stage.FOLLOW_UP), by=Action.SUPERVISE),
    Takes(ReopenCase, (CaseReopened,), at=EVERY_STAGE, by=Action.SUPERVISE),
    Takes(RetractDeath, (DeathRetracted,), at=EVERY_STAGE, by=Action.SUPERVISE),
)

UNNAMED = ("declined", "withdrawn", "lost_to_follow_up")
"""Reasons of the family's own, which need no alternative pathway."""
REOPENABLE = ("withdrawn", "transferred", "lost", "stopped")
"""Ends of follow-up after which a family may come back."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a closing command: return the events it brings about. Raises Refused."""
    match command:
        case LeaveJourney():
            require(case.exit is None, Reason.ALREADY, "the journey was left before")
            named = command.alternative or command.reason in UNNAMED
            require(named, Reason.INVALID, "name the alternative pathway: nobody is left at a dead end", "alternative")
            return [JourneyLeft(Exit(command.reason), case.stage, command.alternative)]
        case VoidCase():
            require(case.exit is None, Reason.ALREADY, "the journey was left before")
            sent = any(s.round for s in case.submissions.values()) or case.infusions
            require(not sent, Reason.IRREVERSIBLE, "others know of this case; leave the journey instead")
            return [JourneyLeft(Exit.VOIDED, case.stage, command.reason)]
        case ReopenCase():
            return [_reopen(case, command)]
        case RetractDeath():
            require(case.died, Reason.MISSING, "no death is recorded")
            require(command.reason, Reason.INVALID, "a retraction has a reason", "reason")
            return [DeathRetracted(case.died, _stood(case), command.reason, command.by)]
        case _:
            assert_never(command)


def _reopen(case: Case, c: ReopenCase) -> Event:
    gone = case.exit or case.follow_up in REOPENABLE
    require(gone, Reason.NOT_NOW, "the journey was not left")
    final = case.died or case.exit in (Exit.DIED, Exit.VOIDED, Exit.MERGED)
    require(not final, Reason.IRREVERSIBLE, "this case cannot be taken up again")
    stage = case.left_from if case.exit else Stage.FOLLOW_UP
    stays_closed = case.exit is not None and _reason(_reopened(case, stage, "")) is not None
    require(not stays_closed, Reason.MISSING, "consent to process health data was withdrawn; it must be given again")
    return CaseReopened(stage, c.reason)


def _stood(case: Case) -> Stage:
    """Where the case goes on when its patient is found to be alive: where it left, unless it had left before."""
    return case.left_from if case.exit is Exit.DIED else case.stage


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one closing event."""
    event = fact.event
    match event:
        case JourneyLeft():
            return replace(case, exit=event.reason, exit_fact=fact.id, left_from=event.stage, on_hold=None)
        case CannotBeUndone():
            return replace(case, undone={**case.undone, event.what: event.instead})
        case CaseReopened():
            return _reopened(replace(case, stage_since=fact.at), event.stage, fact.id)
        case DeathRetracted():
            return _alive(replace(case, stage_since=fact.at), event.stage, fact.id)
        case _:
            assert_never(event)


def _reopened(case: Case, stage: Stage, fact: str) -> Case:
    """Nothing released comes back by itself: what is still held is given back, and every track is asked again."""
    thawed = case.treatment is not None and case.treatment.thawed
    again = case if thawed else let_go(case, fact)
    return replace(
        again,
        exit=None,
        exit_fact="",
        stage=stage,
        reopenings=case.reopenings + 1,
        undone={},
        quote=case.quote,
        screening="none" if case.screening == "failed" else case.screening,
        follow_up="open" if case.follow_up in REOPENABLE else case.follow_up,
    )


def _alive(case: Case, stage: Stage, fact: str) -> Case:
    """What the death ended begins anew; what was left for another reason stays left."""
    follow_up = "open" if case.follow_up == "died" else case.follow_up
    living = replace(case, died="", follow_up=follow_up)
    return _reopened(living, stage, fact) if case.exit is Exit.DIED else living


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
    return [CannotBeUndone(what, instead) for what, instead in _irreversible(case) if what not in case.undone]


def _irreversible(case: Case) -> Iterable[tuple[What, str]]:
    treatment = case.treatment
    if treatment and treatment.depletion in ("started", "completed", "stopped") and not treatment.infusions:
        yield "lymphodepletion", "physician on call informed; infection-risk plan; search for a backup unit"
    if treatment and treatment.thawed:
        yield "thawed_unit", "destroyed, with a deviation report"
    if case.infusions:
        yield "infused_cells", "follow-up of fifteen years goes on"
    if any(v.state == "granted" for v in case.visas.values()):
        yield "granted_visa", "non-use is reported to the hospital"
    if admission.in_country(case):
        yield "stay_in_country", "return travel is arranged; the permitted stay keeps running"
    if any(s.round for s in case.submissions.values()):
        yield "shared_dossier", "the hospital is told to destroy its copies where law allows"
    yield from acquired.irreversible(case)


RULES = (
    Rule(
        "leaving_the_journey",
        1,
        leave,
        ("DeathReported", "ConsentWithdrawn", "ScreeningFailed", "ObligationMissed"),
        (JourneyLeft,),
    ),
    Rule("what_cannot_be_undone", 1, state_the_irreversible, ("JourneyLeft",), (CannotBeUndone,)),
)


def _held(track: Track) -> Iterable[str]:
    return [track.fact] if track.state == "held" else []


def _exited(case: Case) -> Iterable[str]:
    return [case.exit_fact] if case.exit else []


def _dose(case: Case) -> Iterable[str]:
    """A unit nobody waits for any more; one that is thawed is destroyed, not released."""
    idle = case.exit or case.stage in (Stage.FOLLOW_UP, Stage.CLOSED)
    thawed = case.treatment is not None and case.treatment.thawed
    return _held(case.dose) if idle and not thawed else []


def _filed(case: Case) -> Iterable[str]:
    return [f"{v.person}/{v.round}" for v in case.visas.values() if v.state == "filed" and case.exit]


UNTOLD = (Exit.VOIDED, Exit.MERGED)
"""Ways of closing a case that end nobody's journey."""
Undo = tuple[int, str, Party, Callable[[Case], Iterable[str]]]
UNDO: tuple[Undo, ...] = (
    (1, "tell_centre_of_exit", Party.HOSPITAL, lambda c: _exited(c) if c.centre and (c.admitted or c.entered) else []),
    (2, "release_dose", Party.HOSPITAL, _dose),
    (2, "release_bed", Party.HOSPITAL, lambda c: _held(c.bed) if c.exit and not c.admitted else []),
    (2, "cancel_manufacturing", Party.HOSPITAL, acquired.undone_by("cancel_manufacturing")),
    (2, "hold_cells", Party.HOSPITAL, acquired.undone_by("hold_cells")),
    (3, "void_letter", Party.HOSPITAL, lambda c: _held(c.letter) if c.exit and not c.entered else []),
    (3, "withdraw_visa", Party.FAMILY, _filed),
    (3, "recall_dossier", Party.HOSPITAL, acquired.shared),
    (3, "return_material", Party.HOSPITAL, acquired.undone_by("return_material")),
    (3, "withdraw_from_registry", Party.HOSPITAL, acquired.undone_by("withdraw_from_registry")),
    (4, "cancel_travel", Party.FAMILY, lambda c: _held(c.travel) if c.exit and not c.entered else []),
    (4, "cancel_arrangement", Party.HOSPITAL, arranging.to_cancel("centre")),
    (4, "cancel_family_arrangement", Party.FAMILY, arranging.to_cancel("family")),
    (4, "cancel_outside_arrangement", Party.COORDINATOR, arranging.to_cancel(*arranging.OUTSIDE)),
    (4, "refund_payment", Party.HOSPITAL, acquired.undone_by("refund_payment")),
    (5, "tell_family_of_exit", Party.FAMILY, lambda c: _exited(c) if not c.died and c.exit not in UNTOLD else []),
)
"""What is undone on leaving, by rank: safety, scarce resources, paperwork, money, words [undoing.order]."""


def _acquired(case: Case, kind: str, own: Callable[[Case], Iterable[str]]) -> list[str]:
    """What of this kind is to be given back: what the tracks hold in vain, and what was let go before."""
    return list(dict.fromkeys([*(about for k, about in case.spare if k == kind), *own(case)]))


def _ranked(rank: int, kind: str, own: Callable[[Case], Iterable[str]]) -> Callable[[Case], Iterable[str]]:
    def wanted(case: Case) -> Iterable[str]:
        due = _acquired(case, kind, own)
        if not due or _free(case, rank):
            return due
        asked = {e.about for e in case.effects.values() if e.kind == kind and e.state != "withdrawn"}
        return [about for about in due if about in asked]

    return wanted


def _free(case: Case, rank: int) -> bool:
    """Whether everything of an earlier rank was asked for and has had its first answer: no step overtakes another."""
    known = {(e.kind, e.about): e.state for e in case.effects.values() if e.state != "withdrawn"}
    earlier = ((kind, about) for r, kind, _, own in UNDO if r < rank for about in _acquired(case, kind, own))
    return all(known.get(step, "requested") != "requested" for step in earlier)


ASKS: Mapping[str, Asking] = {
    "tell_centre_of_exit": notice("The journey has ended early"),
    "release_bed": appointment("The held bed is free again", "cancelled"),
    "cancel_manufacturing": service("Please cancel the manufacturing slot"),
    "hold_cells": service("Please hold the patient's cells until an order comes"),
    "void_letter": notice("The invitation letter is not used"),
    "recall_dossier": notice("Please destroy your copies where law allows"),
    "return_material": service("Please send the slides or blocks back"),
    "withdraw_from_registry": service("Please withdraw the patient from the registry"),
    "cancel_arrangement": appointment("What was arranged is not needed any more", "cancelled"),
    "refund_payment": service("Please pay back what the contract provides for"),
}
"""How hospitals are asked to undo; doses are freed on the lots' own streams."""

WANTS = tuple(
    Wants(kind, to, _ranked(rank, kind, own), acquired.ANSWERED.get(kind, not_answered), ASKS.get(kind))
    for rank, kind, to, own in UNDO
)
