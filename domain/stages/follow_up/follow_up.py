"""Follow-up [S12, S13]: hand-over to the doctor at home, then fifteen years of visits [follow-up.fifteen-years]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.case.phases.consents import WITH_DOCTOR
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Need, Owes, Rule, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.stages.follow_up.searching import Channel, heard, left_to_try
from domain.stages.follow_up.visit_plan import VISITS, about_visit, following, last_due, visit_due, visits_of
from domain.stages.treatment.recovery import day_0

Visits = Sequence[tuple[str, timedelta]]


@dataclass(frozen=True, slots=True)
class ReturnHome:
    """The patient is home."""

    occurred: When | None = None
    type: Literal["ReturnHome"] = "ReturnHome"


@dataclass(frozen=True, slots=True)
class AcceptHandover:
    """The doctor at home accepted the hand-over."""

    type: Literal["AcceptHandover"] = "AcceptHandover"


@dataclass(frozen=True, slots=True)
class RecordVisit:
    """One follow-up visit or contact; `visit` names the scheduled one it answers, empty = an extra one."""

    visit: str
    alive: bool
    result: Clinical = ""
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["RecordVisit"] = "RecordVisit"


@dataclass(frozen=True, slots=True)
class TryContact:
    """An attempt to reach the family, or to hear of the patient from a second contact, a doctor or the hospital."""

    channel: Channel
    answered: bool
    occurred: When | None = None
    type: Literal["TryContact"] = "TryContact"


@dataclass(frozen=True, slots=True)
class EndFollowUp:
    """Follow-up ends early: consent withdrawn, handed to another service, or lost after every way was tried."""

    reason: Literal["withdrawn", "transferred", "lost"]
    detail: Clinical = ""
    type: Literal["EndFollowUp"] = "EndFollowUp"


Command = ReturnHome | AcceptHandover | RecordVisit | TryContact | EndFollowUp


@dataclass(frozen=True, slots=True)
class ReturnedHome:
    """The patient is home."""

    type: Literal["ReturnedHome"] = "ReturnedHome"


@dataclass(frozen=True, slots=True)
class HandoverAccepted:
    """The doctor at home has taken over."""

    type: Literal["HandoverAccepted"] = "HandoverAccepted"


@dataclass(frozen=True, slots=True)
class VisitRecorded:
    """A follow-up visit took place."""

    visit: str
    alive: bool
    result: Clinical
    detail: Clinical
    type: Literal["VisitRecorded"] = "VisitRecorded"


@dataclass(frozen=True, slots=True)
class ContactTried:
    """Somebody tried to reach the family."""

    channel: str
    answered: bool
    type: Literal["ContactTried"] = "ContactTried"


@dataclass(frozen=True, slots=True)
class FollowUpEnded:
    """Follow-up is over: completed as long as it was planned, died, withdrawn, transferred or lost."""

    reason: Literal["completed", "died", "withdrawn", "transferred", "lost"]
    detail: Clinical
    type: Literal["FollowUpEnded"] = "FollowUpEnded"


@dataclass(frozen=True, slots=True)
class FollowUpResumed:
    """Somebody who counted as lost was heard of again; the visits that are still to come are planned as before."""

    type: Literal["FollowUpResumed"] = "FollowUpResumed"


Event = ReturnedHome | HandoverAccepted | VisitRecorded | ContactTried | FollowUpEnded | FollowUpResumed

TAKES = (
    Takes(
        ReturnHome,
        (ReturnedHome,),
        at=stages(Stage.LYMPHODEPLETION),
        settles=("stay_end", "return_home"),
    ),
    Takes(
        AcceptHandover,
        (HandoverAccepted,),
        at=(Stage.FOLLOW_UP,),
        answers=("send_handover",),
    ),
    Takes(
        RecordVisit, (VisitRecorded, FollowUpResumed), at=stages(Stage.ADMISSION), over_fhir=True, settles=("visit",)
    ),
    Takes(
        TryContact,
        (ContactTried, FollowUpResumed),
        at=(Stage.FOLLOW_UP, Stage.CLOSED),
        settles=("reach_family", "first_contact_home"),
    ),
    Takes(EndFollowUp, (FollowUpEnded,), at=(Stage.FOLLOW_UP,), settles=("lost_decision",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a follow-up command: return the events it brings about. Raises Refused."""
    match command:
        case ReturnHome():
            require(case.home is None, Reason.ALREADY, "the return home is recorded")
            return [ReturnedHome()]
        case AcceptHandover():
            require(case.handover != "accepted", Reason.ALREADY, "the hand-over is accepted")
            return [HandoverAccepted()]
        case RecordVisit():
            names = {name for name, _ in visits_of(case)}
            require(not command.visit or command.visit in names, Reason.INVALID, "no such scheduled visit", "visit")
            require(command.alive, Reason.INVALID, "a death is reported as a death, with its own date", "alive")
            return [VisitRecorded(command.visit, command.alive, command.result, command.detail), *resumed(case)]
        case TryContact():
            looked_for = case.follow_up in ("open", "lost")
            require(looked_for, Reason.NOT_NOW, "follow-up is over; nobody is looked for")
            return [ContactTried(command.channel, command.answered), *(resumed(case) if command.answered else [])]
        case EndFollowUp():
            require(case.follow_up == "open", Reason.NOT_NOW, "no follow-up is open")
            left = ", ".join(left_to_try(case)) if command.reason == "lost" else ""
            words = f"to be tried first (TryContact), or passed over with a reason (SkipContact): {left}"
            require(not left, Reason.MISSING, words, "reason")
            return [FollowUpEnded(command.reason, command.detail)]
        case _:
            assert_never(command)


def resumed(case: Case) -> Sequence[FollowUpResumed]:
    """Follow somebody again who counted as lost, by the first sign of life; nothing of anybody else."""
    return [FollowUpResumed()] if case.follow_up == "lost" and not case.died else []


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one follow-up event."""
    event = fact.event
    match event:
        case ReturnedHome():
            return replace(case, home=fact.occurred.earliest or fact.at, contacted="")
        case HandoverAccepted():
            return replace(case, handover="accepted")
        case VisitRecorded():
            name = about_visit(case, event.visit) if event.visit else f"extra-{len(case.visits) + 1}"
            return heard(replace(case, visits={**case.visits, name: fact.id}), fact.id, _day(fact))
        case ContactTried():
            if event.answered:
                return heard(case, fact.id, _day(fact))
            return replace(case, contact_attempts=case.contact_attempts + 1, tried=(*case.tried, event.channel))
        case FollowUpEnded():
            return replace(case, follow_up=event.reason)
        case FollowUpResumed():
            return replace(case, follow_up="open", stage=Stage.FOLLOW_UP, stage_since=fact.at)
        case _:
            assert_never(event)


def _day(fact: Fact[Event]) -> datetime:
    return fact.occurred.latest or fact.at


def ends(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Death ends follow-up; so does its planned end, once no visit is awaited any more."""
    return _ended(case, now, last_due(case), visits_of(case))


def ends_after_fifteen_years(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """End follow-up fifteen years after the last infusion, whatever was infused: the rule of before."""
    start = day_0(case)
    return _ended(case, now, start + VISITS[-1][1] if start else None, VISITS)


def _ended(case: Case, now: datetime, until: datetime | None, visits: Visits) -> Sequence[Event]:
    if case.follow_up != "open":
        return []
    if case.died:
        return [FollowUpEnded("died", "")]
    over = until is not None and now >= until and case.stage is Stage.FOLLOW_UP
    return [FollowUpEnded("completed", "")] if over and not _awaited(case, visits) else []


def _end(case: Case) -> Instants:
    return [last_due(case)] if case.follow_up == "open" else []


def _fifteen_years(case: Case) -> Instants:
    start = day_0(case)
    return [start + VISITS[-1][1] if start else None] if case.follow_up == "open" else []


GROUNDS = ("DeathReported", "InfusionCompleted", "FollowUpPlanned", "VisitRecorded")
RULES = (Rule("follow_up_ends", 2, ends, GROUNDS, (FollowUpEnded,), _end),)
EARLIER = (
    Rule(
        "follow_up_ends",
        1,
        ends_after_fifteen_years,
        ("DeathReported", "InfusionCompleted", "VisitRecorded"),
        (FollowUpEnded,),
        _fifteen_years,
    ),
)


def _next_visit(case: Case) -> list[str]:
    return _awaited(case, visits_of(case))


def _awaited(case: Case, visits: Visits) -> list[str]:
    """One visit at a time: the first that is neither recorded nor missed.

    Only of those that fall due after the hospital let the patient go: what came before was seen there, or lies
    before the import.
    """
    start = day_0(case)
    if not following(case) or start is None or case.stage_since is None:
        return []
    names = (about_visit(case, name) for name, after in visits if start + after > case.stage_since)
    return [about for about in names if about not in case.visits and not case.missed("visit", about)][:1]


ENDED = ("FollowUpEnded", "FollowUpStopped")
NEEDS = (Need("follow-up ended", lambda c, _: c.follow_up != "open", waivable=False, rests_on=ENDED),)


def _to_hand_over(case: Case) -> Iterable[str]:
    return [f"handover/{len(case.infusions)}"] if following(case) and case.handover != "accepted" else []


def _handed_over(case: Case, _: str) -> bool:
    return case.handover == "accepted"


def may_take_over(case: Case, doctor: str = "") -> bool:
    """Return whether the doctor at home may answer to the hand-over, or look behind it.

    `doctor`: who was written to, empty = whoever it is; not asked any more once another took their place.
    """
    known = case.home_doctor
    asked = known is not None and doctor in ("", known.id)
    return asked and following(case) and not case.forgotten and case.shares_with_doctor


def may_read_at_home(case: Case, doctor: str = "") -> bool:
    """Return whether the doctor at home may open the patient's summary, before and after the hand-over is accepted.

    By a consent that names this doctor alone: cases that write to a doctor without one, as before, share none.
    """
    known = case.home_doctor
    named = known is not None and case.consented(WITH_DOCTOR, known.id)
    return named and may_take_over(case, doctor)


def _to_greet(case: Case) -> Iterable[str]:
    return ["home"] if following(case) and case.home is not None and not case.contacted else []


OWES = (
    Owes(
        "visit",
        Party.HOME_ONCOLOGIST,
        Party.COORDINATOR,
        _next_visit,
        lambda c, about: about in c.visits,
        visit_due,
    ),
    Owes(
        "infusion_date",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: ["day 0"] if following(c) and day_0(c) is None else [],
        lambda c, _: day_0(c) is not None,
        settled_in="correcting",
    ),
    Owes("handover", Party.HOME_ONCOLOGIST, Party.COORDINATOR, _to_hand_over, _handed_over, asked_by="send_handover"),
    Owes("first_contact_home", Party.COORDINATOR, Party.FAMILY, _to_greet, lambda c, _: bool(c.contacted)),
)

WANTS = (Wants("send_handover", Party.HOME_ONCOLOGIST, _to_hand_over, _handed_over),)


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One planned visit of the last infusion: when its report is due and what became of it.

    `earlier`: it fell due before the hospital let the patient go, and was seen there.
    """

    name: str
    due: datetime
    stands: Literal["recorded", "missed", "owed", "ahead", "earlier"]


def visit_lines(case: Case) -> Sequence[VisitLine]:
    """Return the planned visits in order; none while no cells went in, or their day is unknown."""
    start = day_0(case)
    if start is None or case.follow_up == "none":
        return []
    return [VisitLine(name, start + after, _stands(case, name, start + after)) for name, after in visits_of(case)]


def _stands(case: Case, name: str, due: datetime) -> Literal["recorded", "missed", "owed", "ahead", "earlier"]:
    about = about_visit(case, name)
    owed = case.latest("visit", about)
    if about in case.visits:
        return "recorded"
    if owed is not None and owed.state == "missed":
        return "missed"
    if owed is not None and owed.state == "open":
        return "owed"
    left = case.stage is Stage.FOLLOW_UP and case.stage_since is not None and due <= case.stage_since
    return "earlier" if left else "ahead"
