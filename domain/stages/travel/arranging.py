"""Arranges the stay with others [S5]: asked for, agreed or refused, moved with the arrival, given back on leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal, assert_never

from domain.case.phases.arrangements import LIVE, Arrangement, ArrangementKind, AskedOf, Mode, Payer, Setting
from domain.case.phases.submissions import ASKED
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Rule, Takes
from domain.core.codes import MOST_DAYS, require_language
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Policy
from domain.stages.eligibility.submissions import may_receive
from domain.stages.travel.arrangement_kinds import (
    KINDS,
    PERSONAL,
    SAYS,
    planned_arrival,
    shifted,
    window,
)


@dataclass(frozen=True, slots=True)
class AskArrangement:
    """Ask for lodging, an interpreter, a transfer, a contact on site or an appointment with the centre.

    Without `starts` and `ends` it is wanted for the planned stay. `distance_km` is the most the way may be.
    """

    kind: ArrangementKind
    asked_of: AskedOf = "centre"
    starts: datetime | None = None
    ends: datetime | None = None
    place: Identity = ""
    distance_km: int | None = None
    payer: Payer = ""
    language_from: str = ""
    language_to: str = ""
    mode: Mode = ""
    setting: Setting = ""
    hours_a_day: int | None = None
    flight: Identity = ""
    contact: Identity = ""
    phone: Identity = ""
    emergency_number: Identity = ""
    type: Literal["AskArrangement"] = "AskArrangement"


@dataclass(frozen=True, slots=True)
class AskArrangementAgain:
    """Ask for it again, for other times, or for the planned arrival as it is now."""

    arrangement: str
    starts: datetime | None = None
    ends: datetime | None = None
    type: Literal["AskArrangementAgain"] = "AskArrangementAgain"


@dataclass(frozen=True, slots=True)
class CancelArrangement:
    """Give it up: it is not wanted any more, and whoever was asked is told."""

    arrangement: str
    code: Literal["not_needed", "found_elsewhere", "other"]
    type: Literal["CancelArrangement"] = "CancelArrangement"


Command = AskArrangement | AskArrangementAgain | CancelArrangement


@dataclass(frozen=True, slots=True)
class ArrangementAsked:
    """Something for the stay was asked for. `told` names the personal details that are given."""

    arrangement: str
    kind: ArrangementKind
    asked_of: AskedOf
    centre: str
    starts: datetime
    ends: datetime
    arrives: date | None
    distance_km: int | None
    payer: Payer
    language_from: str
    language_to: str
    mode: Mode
    setting: Setting
    hours_a_day: int | None
    place: Identity
    flight: Identity
    contact: Identity
    phone: Identity
    emergency_number: Identity
    told: tuple[str, ...]
    type: Literal["ArrangementAsked"] = "ArrangementAsked"


@dataclass(frozen=True, slots=True)
class ArrangementAskedAgain:
    """It was asked for again, for these times; `slot`: one that the centre had offered."""

    arrangement: str
    starts: datetime
    ends: datetime
    arrives: date | None
    slot: bool
    type: Literal["ArrangementAskedAgain"] = "ArrangementAskedAgain"


@dataclass(frozen=True, slots=True)
class ArrangementCancelled:
    """It is not wanted any more. `agreed` is the time of an appointment that does not take place for that."""

    arrangement: str
    code: str
    agreed: datetime | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["ArrangementCancelled"] = "ArrangementCancelled"


@dataclass(frozen=True, slots=True)
class ArrangementLapsed:
    """Its time has passed: agreed, it is over; not agreed, it came to nothing."""

    arrangement: str
    type: Literal["ArrangementLapsed"] = "ArrangementLapsed"


Event = ArrangementAsked | ArrangementAskedAgain | ArrangementCancelled | ArrangementLapsed

AT = stages(Stage.ELIGIBILITY, Stage.FOLLOW_UP)
TAKES = (
    Takes(
        AskArrangement,
        (ArrangementAsked,),
        at=AT,
        settles=("find_arrangement", "arrival_checklist"),
    ),
    Takes(
        AskArrangementAgain,
        (ArrangementAskedAgain,),
        at=AT,
        settles=("find_arrangement", "arrangement_day"),
    ),
    Takes(CancelArrangement, (ArrangementCancelled,), at=AT, settles=("arrangement_day",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about an arrangement: return the events it brings about. Raises Refused."""
    match command:
        case AskArrangement():
            return [_ask(case, command, now, ids)]
        case AskArrangementAgain():
            return [_again(case, command, now)]
        case CancelArrangement():
            known = require_arrangement(case, command.arrangement, *LIVE, "refused", "lapsed")
            return [ArrangementCancelled(known.id, command.code, ahead(known, now))]
        case _:
            assert_never(command)


def require_arrangement(case: Case, arrangement: str, *states: str) -> Arrangement:
    """Return an arrangement in one of these states, in any where none is named. Raises Refused."""
    known = case.arrangements.get(arrangement)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "nothing of that name was arranged", "arrangement")
    require(not states or known.state in states, Reason.NOT_NOW, f"it is {known.state}", "arrangement")
    return known


def _ask(case: Case, c: AskArrangement, now: datetime, ids: Ids) -> Event:
    row = KINDS[c.kind]
    require(not case.exit, Reason.NOT_NOW, "the journey was left: nothing is arranged for it")
    said = {name for name in SAYS if getattr(c, name) not in ("", None)}
    for name in sorted(said - row.says):
        raise Refused(Reason.INVALID, f"that says nothing about {c.kind}: leave it out", name)
    for name in sorted(row.needs - said):
        raise Refused(Reason.MISSING, "nobody can be asked for it without this", name)
    require(c.asked_of in row.of, Reason.INVALID, f"{c.kind} is asked of: {', '.join(row.of)}", "asked_of")
    _require_plausible(c)
    centre = _centre(case, c)
    starts, ends = window(case, c.kind, c.starts, c.ends)
    require_ahead(starts, ends, now)
    twice = row.once and any(a.kind == c.kind and a.live and a.starts < ends for a in case.arrangements.values())
    require(not twice, Reason.ALREADY, f"{c.kind} is arranged: ask for it again, or cancel it first", "kind")
    arrives = planned_arrival(case) if row.moves else None
    return ArrangementAsked(
        ids(), c.kind, c.asked_of, centre, starts, ends, arrives, c.distance_km, c.payer, c.language_from,
        c.language_to, c.mode, c.setting, c.hours_a_day, c.place, c.flight, c.contact, c.phone, c.emergency_number,
        tuple(sorted(said & PERSONAL)),
    )  # fmt: skip


def _require_plausible(c: AskArrangement) -> None:
    for name in ("language_from", "language_to"):
        if code := getattr(c, name):
            require_language(code, name)
    require(c.hours_a_day is None or 0 < c.hours_a_day <= HOURS, Reason.INVALID, "1 to 24 hours a day", "hours_a_day")
    require_near(c.distance_km)


HOURS, FARTHEST = 24, 1000


def require_near(distance_km: int | None) -> None:
    """Refuse a way that is no way to the centre."""
    words = f"the way to the centre, 0 to {FARTHEST} km"
    require(distance_km is None or 0 <= distance_km <= FARTHEST, Reason.INVALID, words, "distance_km")


def require_ahead(starts: datetime, ends: datetime, now: datetime) -> None:
    """Refuse times in the wrong order, in the past or beyond any stay."""
    require(starts < ends, Reason.INVALID, "it ends after it starts", "ends")
    require(ends > now, Reason.INVALID, "that time is over", "ends")
    words = f"it lies at most {MOST_DAYS} days ahead, and is no longer"
    require(ends - now <= timedelta(days=MOST_DAYS) and ends - starts <= timedelta(days=MOST_DAYS), Reason.INVALID,
            words, "ends")  # fmt: skip


def _centre(case: Case, c: AskArrangement) -> str:
    """The centre it is arranged with or near: the accepting one; a tele-consultation is held before that too."""
    asked = [s.centre for s in case.submissions.values() if s.state in ASKED]
    early = asked[-1] if asked and c.kind == "tele_consultation" else ""
    centre = case.centre or early
    require(centre, Reason.NOT_NOW, "no centre has accepted: there is nothing to arrange a stay for")
    if c.asked_of == "centre":
        require(may_receive(case, centre), Reason.MISSING, "consent to share with this centre is not given")
    return centre


def again(known: Arrangement, arrives: date | None) -> ArrangementAskedAgain:
    """Return the event that asks for it for that day of arrival."""
    starts, ends = shifted(known, arrives) if arrives and known.arrives else (known.starts, known.ends)
    return ArrangementAskedAgain(known.id, starts, ends, arrives if known.arrives else None, slot=False)


def _again(case: Case, c: AskArrangementAgain, now: datetime) -> Event:
    known = require_arrangement(case, c.arrangement)
    require(not case.exit, Reason.NOT_NOW, "the journey was left: nothing is arranged for it")
    require(known.state != "over", Reason.NOT_NOW, "it is over; ask for a new one", "arrangement")
    moved = again(known, planned_arrival(case))
    starts = c.starts or moved.starts
    ends = c.ends or max(moved.ends, starts + (moved.ends - moved.starts))
    require_ahead(starts, ends, now)
    same = known.state in ("asked", "confirmed") and (starts, ends) == (known.starts, known.ends)
    words = "it is asked for, or agreed, for these times already: say other ones"
    require(not same or known.arrives != moved.arrives, Reason.ALREADY, words, "arrangement")
    return replace(moved, starts=starts, ends=ends)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about an arrangement."""
    event = fact.event
    match event:
        case ArrangementAsked():
            return _with(case, replace(_new(event), asked_at=fact.at))
        case ArrangementAskedAgain():
            e, known = event, case.arrangements[event.arrangement]
            return changed(
                case, e.arrangement, state="asked", starts=e.starts, ends=e.ends, arrives=e.arrives, slot=e.slot,
                round=known.round + 1, slots=(), code="", asked_at=fact.at, offers=0,
            )  # fmt: skip
        case ArrangementCancelled():
            known_off = called_off(case, event.arrangement, event.agreed)
            return changed(known_off, event.arrangement, state="cancelled", code=event.code, slots=())
        case ArrangementLapsed():
            over = case.arrangements[event.arrangement].state == "confirmed"
            return changed(case, event.arrangement, state="over" if over else "lapsed", slots=())
        case _:
            assert_never(event)


def _new(e: ArrangementAsked) -> Arrangement:
    return Arrangement(
        e.arrangement, e.kind, e.asked_of, e.centre, "asked", e.starts, e.ends, 1, e.arrives, e.distance_km, e.payer,
        e.language_from, e.language_to, e.mode, e.setting, e.hours_a_day, e.place, e.flight, e.contact, e.phone,
        e.emergency_number, frozenset(e.told),
    )  # fmt: skip


def _with(case: Case, new: Arrangement) -> Case:
    return replace(case, arrangements={**case.arrangements, new.id: new})


def changed(case: Case, arrangement: str, **changes: object) -> Case:
    """Return the case with one arrangement standing differently."""
    return _with(case, replace(case.arrangements[arrangement], **changes))  # type: ignore[arg-type]


def ahead(known: Arrangement, now: datetime) -> datetime | None:
    """Return the time that was agreed, if it is still to come: what is past is not called off."""
    return known.agreed if known.agreed and known.agreed > now else None


def called_off(case: Case, arrangement: str, agreed: datetime | None) -> Case:
    """Return the case with the appointment called off whose time was agreed, if one was."""
    known = case.arrangements[arrangement]
    return changed(case, arrangement, called_off=agreed or known.called_off, agreed=None)


def deadline(a: Arrangement) -> datetime | None:
    """Return when its time has passed: what is agreed, at its end; what is not, when it would have begun.

    What is asked for when it has begun already, as for a family that is there, can be answered until its end.
    """
    if a.state == "confirmed":
        return a.ends
    if a.state == "offered":
        return max(slot.starts for slot in a.slots)
    looking = (KINDS[a.kind].appointment and not a.slot) or (a.asked_at is not None and a.starts <= a.asked_at)
    return (a.ends if looking else a.starts) if a.state == "asked" else None


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """An arrangement ends at its own instant."""
    until = ((a.id, deadline(a)) for a in case.arrangements.values())
    return [ArrangementLapsed(arrangement) for arrangement, at in until if at is not None and at <= now]


def _ends(case: Case) -> Instants:
    return [deadline(a) for a in case.arrangements.values()]


RULES = (
    Rule(
        "arrangement_ends",
        1,
        lapse,
        ("ArrangementAsked", "ArrangementAskedAgain", "ArrangementConfirmed", "SlotsOffered"),
        (ArrangementLapsed,),
        _ends,
    ),
)


OUTSIDE: tuple[AskedOf, ...] = ("lodging_house", "agency")
"""Those a coordinator asks by telephone or on a page of theirs."""


def to_cancel(*of: AskedOf) -> Callable[[Case], Iterable[str]]:
    """Find what was asked of these, or agreed, and is not wanted any more."""

    def found(case: Case) -> Iterable[str]:
        known = (a for a in case.arrangements.values() if a.asked_of in of)
        return [a.about for a in known if a.state == "cancelled" or (case.exit and a.live)]

    return found
