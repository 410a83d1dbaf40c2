"""Follow-up [S12, S13]: hand-over to the doctor at home, then fifteen years of visits (DOMAIN.md 4, F1, F2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Clinical
from domain.policy import Party, Policy
from domain.stages.infusion import day_0
from domain.state import Case, Stage
from domain.table import Need, Rule
from domain.when import When

YEAR = timedelta(days=365.25)
VISITS: tuple[tuple[str, timedelta], ...] = (
    ("D28", timedelta(days=28)),
    ("M2", timedelta(days=61)),
    ("M3", timedelta(days=100)),
    ("M6", timedelta(days=183)),
    ("M9", timedelta(days=274)),
    ("M12", timedelta(days=365)),
    ("M18", timedelta(days=548)),
    *((f"Y{year}", year * YEAR) for year in range(2, 16)),
)
"""Days after day 0 by which a visit's report is due; schedule of DOMAIN.md 4.1."""


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
class ReportMalignancy:
    """A new cancer after integrating cells: lot and vector lot are looked up at once (DOMAIN F5)."""

    detail: Clinical
    occurred: When | None = None
    type: Literal["ReportMalignancy"] = "ReportMalignancy"


@dataclass(frozen=True, slots=True)
class TryContact:
    """An attempt to reach the family; three without answer by two channels, then others are asked."""

    channel: Literal["call", "mail", "message", "visit", "doctor"]
    answered: bool
    type: Literal["TryContact"] = "TryContact"


@dataclass(frozen=True, slots=True)
class EndFollowUp:
    """Follow-up ends early: consent withdrawn, handed to another registry, or lost after three attempts."""

    reason: Literal["withdrawn", "transferred", "lost"]
    detail: Clinical = ""
    type: Literal["EndFollowUp"] = "EndFollowUp"


Command = ReturnHome | AcceptHandover | RecordVisit | ReportMalignancy | TryContact | EndFollowUp


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
class MalignancyReported:
    """A new cancer was found."""

    detail: Clinical
    type: Literal["MalignancyReported"] = "MalignancyReported"


@dataclass(frozen=True, slots=True)
class ContactTried:
    """Somebody tried to reach the family."""

    channel: str
    answered: bool
    type: Literal["ContactTried"] = "ContactTried"


@dataclass(frozen=True, slots=True)
class FollowUpEnded:
    """Follow-up is over: completed after fifteen years, died, withdrawn, transferred or lost."""

    reason: Literal["completed", "died", "withdrawn", "transferred", "lost"]
    detail: Clinical
    type: Literal["FollowUpEnded"] = "FollowUpEnded"


Event = ReturnedHome | HandoverAccepted | VisitRecorded | MalignancyReported | ContactTried | FollowUpEnded


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What a follow-up command brings about."""
    match command:
        case ReturnHome():
            require(case.home is None, Reason.ALREADY, "the return home is recorded")
            return [ReturnedHome()]
        case AcceptHandover():
            require(case.handover != "accepted", Reason.ALREADY, "the hand-over is accepted")
            return [HandoverAccepted()]
        case RecordVisit():
            names = {name for name, _ in VISITS}
            require(not command.visit or command.visit in names, Reason.INVALID, "no such scheduled visit", "visit")
            return [VisitRecorded(command.visit, command.alive, command.result, command.detail)]
        case ReportMalignancy():
            return [MalignancyReported(command.detail)]
        case TryContact():
            return [ContactTried(command.channel, command.answered)]
        case EndFollowUp():
            require(case.follow_up == "open", Reason.NOT_NOW, "no follow-up is open")
            lost = command.reason == "lost"
            require(not lost or case.contact_attempts >= 3, Reason.MISSING, "three attempts come first", "reason")
            return [FollowUpEnded(command.reason, command.detail)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one follow-up event."""
    event = fact.event
    match event:
        case ReturnedHome():
            return replace(case, home=fact.occurred.earliest or fact.at)
        case HandoverAccepted():
            return replace(case, handover="accepted")
        case VisitRecorded():
            name = event.visit or f"extra-{len(case.visits) + 1}"
            return replace(case, visits={**case.visits, name: fact.id}, contact_attempts=0)
        case MalignancyReported():
            return case
        case ContactTried():
            return replace(case, contact_attempts=0 if event.answered else case.contact_attempts + 1)
        case FollowUpEnded():
            return replace(case, follow_up=event.reason)
        case _:
            assert_never(event)


def ends(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Death ends follow-up; so do fifteen years after the last infusion, once the last visit is in or missed."""
    if case.follow_up != "open":
        return []
    if case.died:
        return [FollowUpEnded("died", "")]
    until = last_due(case)
    over = until is not None and now >= until
    last = VISITS[-1][0]
    settled = last in case.visits or case.missed("visit", _about(case, last))
    return [FollowUpEnded("completed", "")] if over and settled else []


RULES = (Rule("follow_up_ends", 1, ends, ("DeathReported", "InfusionCompleted", "VisitRecorded")),)


def last_due(case: Case) -> datetime | None:
    """When fifteen years are over, counted from the last infusion; None while its date is unknown."""
    start = day_0(case)
    return start + VISITS[-1][1] if start else None


def _about(case: Case, visit: str) -> str:
    """A visit belongs to the last infusion: re-dosing starts the count again."""
    return f"{visit}/{len(case.infusions)}"


def _due(case: Case, about: str) -> datetime | None:
    start = day_0(case)
    return start + dict(VISITS)[about.split("/", maxsplit=1)[0]] if start else None


def _following(case: Case) -> bool:
    return case.follow_up == "open" and case.stage in (Stage.FOLLOW_UP, Stage.CLOSED) and not case.died


def _next_visit(case: Case) -> Iterable[str]:
    """One visit at a time: the first that is neither recorded nor already missed."""
    if not _following(case) or day_0(case) is None:
        return []
    for name, _ in VISITS:
        if name not in case.visits and not case.missed("visit", _about(case, name)):
            return [_about(case, name)]
    return []


NEEDS = (Need("follow-up ended", lambda c, _: c.follow_up != "open", waivable=False, rests_on=("FollowUpEnded",)),)

OWES = (
    Owes(
        "visit",
        Party.HOME_ONCOLOGIST,
        Party.COORDINATOR,
        _next_visit,
        lambda c, about: about.split("/")[0] in c.visits,
        _due,
    ),
    Owes(
        "infusion_date",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: ["day 0"] if _following(c) and day_0(c) is None else [],
        lambda c, _: day_0(c) is not None,
    ),
    Owes(
        "handover",
        Party.HOME_ONCOLOGIST,
        Party.COORDINATOR,
        lambda c: ["handover"] if _following(c) and c.handover != "accepted" else [],
        lambda c, _: c.handover == "accepted",
    ),
    Owes(
        "first_contact_home",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: ["home"] if _following(c) and c.home is not None and not c.visits else [],
        lambda c, _: bool(c.visits),
    ),
)

WANTS = (Wants("send_handover", Party.HOME_ONCOLOGIST, lambda c: ["handover"] if _following(c) else []),)
