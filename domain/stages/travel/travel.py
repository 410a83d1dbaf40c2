"""Travel [S5]: stay plan, fitness, tickets. Nobody travels to a closed door, not after booking either [P7]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, assert_never

from domain.case.asking import appointment, service
from domain.case.release import spare
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Need, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.codes import require_days, require_language
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.eligibility.submissions import open_until, require_open_door
from domain.stages.intake.people import require_person
from domain.stages.travel.doors import closed_doors
from domain.stages.travel.letter import preparing
from domain.stages.travel.readiness import contrary


@dataclass(frozen=True, slots=True)
class PlanStay:
    """Plan when, how long, with whom, where to live and with what money. Days of 24 hours."""

    arrives: date
    days: int
    attendant: str
    lodging: Identity
    funds_confirmed: bool
    interpreter_language: str = ""
    type: Literal["PlanStay"] = "PlanStay"


@dataclass(frozen=True, slots=True)
class RecordFitToTravel:
    """A clinician states fitness to travel until `valid_until`."""

    clinician: Identity
    valid_until: datetime
    type: Literal["RecordFitToTravel"] = "RecordFitToTravel"


@dataclass(frozen=True, slots=True)
class BookTravel:
    """Buy the tickets: from here it costs money. Refused at a closed door."""

    departs: datetime
    type: Literal["BookTravel"] = "BookTravel"


@dataclass(frozen=True, slots=True)
class ConfirmTravel:
    """The centre confirmed the door is open at the instant of booking; `ref` is its confirmation."""

    ref: str
    type: Literal["ConfirmTravel"] = "ConfirmTravel"


@dataclass(frozen=True, slots=True)
class StopTravel:
    """The centre said the door is closed, or a coordinator calls off a journey that has not ended; `code` says why."""

    code: str
    type: Literal["StopTravel"] = "StopTravel"


Command = PlanStay | RecordFitToTravel | BookTravel | ConfirmTravel | StopTravel


@dataclass(frozen=True, slots=True)
class StayPlanned:
    """The weeks in the country are planned."""

    arrives: date
    days: int
    attendant: str
    lodging: Identity
    funds_confirmed: bool
    interpreter_language: str
    type: Literal["StayPlanned"] = "StayPlanned"


@dataclass(frozen=True, slots=True)
class FitToTravelRecorded:
    """A clinician stated fitness to travel."""

    clinician: Identity
    valid_until: datetime
    type: Literal["FitToTravelRecorded"] = "FitToTravelRecorded"


@dataclass(frozen=True, slots=True)
class FitToTravelLapsed:
    """The statement of fitness ended by itself."""

    type: Literal["FitToTravelLapsed"] = "FitToTravelLapsed"


@dataclass(frozen=True, slots=True)
class TravelAsked:
    """Tickets are to be bought if the centre confirms the open door; `round` counts the attempts."""

    departs: datetime
    round: int
    type: Literal["TravelAsked"] = "TravelAsked"


@dataclass(frozen=True, slots=True)
class TravelBooked:
    """The centre confirmed and the tickets are bought."""

    ref: str
    type: Literal["TravelBooked"] = "TravelBooked"


@dataclass(frozen=True, slots=True)
class TravelStopped:
    """Nobody travels this time; bought tickets are given back. `answered`: it was the answer to the question."""

    code: str
    answered: bool
    type: Literal["TravelStopped"] = "TravelStopped"


@dataclass(frozen=True, slots=True)
class DoorClosed:
    """After the tickets were bought, something they rest on ended: exactly these things."""

    what: tuple[str, ...]
    type: Literal["DoorClosed"] = "DoorClosed"


@dataclass(frozen=True, slots=True)
class DoorReopened:
    """All that the tickets rest on holds again."""

    type: Literal["DoorReopened"] = "DoorReopened"


Event = (
    StayPlanned
    | FitToTravelRecorded
    | FitToTravelLapsed
    | TravelAsked
    | TravelBooked
    | TravelStopped
    | DoorClosed
    | DoorReopened
)

BEFORE = stages(Stage.VISA, Stage.ADMISSION, Stage.REDOSING)
"""Where the way is planned."""
TAKES = (
    Takes(PlanStay, (StayPlanned,), at=BEFORE, settles=("stay_plan", "new_arrival_plan")),
    Takes(RecordFitToTravel, (FitToTravelRecorded,), at=BEFORE, settles=("fit_to_travel",)),
    Takes(BookTravel, (TravelAsked,), at=BEFORE, settles=("travel_booking",)),
    Takes(
        ConfirmTravel,
        (TravelBooked,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION, Stage.REDOSING, Stage.FOLLOW_UP, Stage.CLOSED),
        by=Action.ANSWER,
        answers=("confirm_open_door", "door_confirmation"),
    ),
    Takes(
        StopTravel,
        (TravelStopped,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION, Stage.REDOSING, Stage.FOLLOW_UP, Stage.CLOSED),
        by=Action.ANSWER,
        answers=("confirm_open_door", "door_confirmation"),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a travel command: return the events it brings about. Raises Refused."""
    match command:
        case PlanStay():
            return [_plan(case, command)]
        case RecordFitToTravel():
            require(command.valid_until > now, Reason.INVALID, "the statement has ended already", "valid_until")
            return [FitToTravelRecorded(command.clinician, command.valid_until)]
        case BookTravel():
            return [_book(case, command, now, policy)]
        case ConfirmTravel():
            require(case.travel.state == "asked", Reason.NOT_NOW, "no booking is waiting for the centre")
            return [TravelBooked(command.ref)]
        case StopTravel():
            waiting = case.travel.state in ("asked", "held") and case.entered is None
            require(waiting, Reason.NOT_NOW, "nobody is about to travel")
            return [TravelStopped(command.code, case.travel.state == "asked")]
        case _:
            assert_never(command)


def _plan(case: Case, c: PlanStay) -> Event:
    require(c.days > 0, Reason.INVALID, "a stay has at least one day", "days")
    require_days(c.days, "days")
    if c.attendant:
        require_person(case, c.attendant, "attendant")
    if c.interpreter_language:
        require_language(c.interpreter_language, "interpreter_language")
    return StayPlanned(c.arrives, c.days, c.attendant, c.lodging, c.funds_confirmed, c.interpreter_language)


def _book(case: Case, c: BookTravel, now: datetime, policy: Policy) -> Event:
    require(preparing(case), Reason.NOT_NOW, "no journey is being prepared")
    require(case.travel.state not in ("asked", "held"), Reason.ALREADY, "travel is booked or being booked")
    require(c.departs > now, Reason.INVALID, "the departure lies in the past", "departs")
    require_open_door(case, case.centre, case.protocol, now)
    shut = closed_doors(case, now, policy)
    require(not shut, Reason.LAPSED, "; ".join(shut))
    wrong = ", ".join(contrary(case))
    require(not wrong, Reason.LAPSED, f"arranged, and not as it is needed on arrival: {wrong}")
    return TravelAsked(c.departs, case.travel.round)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one travel event."""
    event = fact.event
    match event:
        case StayPlanned():
            going = case.travel.state in ("asked", "held") and "departs" in case.stay_plan
            departs = {"departs": case.stay_plan["departs"]} if going else {}
            return replace(case, stay_plan={**_planned(event), **departs}, moved=None)
        case FitToTravelRecorded():
            return replace(case, fit_to_travel=case.fit_to_travel.held("", event.valid_until, fact.id))
        case FitToTravelLapsed():
            return replace(case, fit_to_travel=case.fit_to_travel.again(fact.id, "lapsed"))
        case TravelAsked():
            asked = replace(case.travel, state="asked", until=event.departs, fact=fact.id)
            return replace(case, travel=asked, stay_plan={**case.stay_plan, "departs": event.departs})
        case TravelBooked():
            return replace(case, travel=case.travel.held(event.ref, None, fact.id))
        case TravelStopped():
            booked = spare(case, "cancel_travel", case.travel)
            stopped = case.travel.again(fact.id, "refused" if event.answered else "lapsed")
            return replace(booked, travel=stopped, shut=(), shut_fact="")
        case DoorClosed():
            return replace(case, shut=event.what, shut_fact=fact.id)
        case DoorReopened():
            return replace(case, shut=(), shut_fact="")
        case _:
            assert_never(event)


def _planned(e: StayPlanned) -> dict[str, Any]:
    return {
        "arrives": e.arrives,
        "days": e.days,
        "attendant": e.attendant,
        "lodging": e.lodging,
        "funds_confirmed": e.funds_confirmed,
        "interpreter_language": e.interpreter_language,
    }


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A statement of fitness ends at its own instant."""
    return [FitToTravelLapsed()] if case.fit_to_travel.ended_by(now) and preparing(case) else []


def _fitness_ends(case: Case) -> Instants:
    return [case.fit_to_travel.until] if case.fit_to_travel.state == "held" and preparing(case) else []


def watch_the_door(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Before the ticket a door that closes stops the booking; after it, people are told and decide."""
    if not preparing(case):
        return []
    shut = closed_doors(case, now, policy)
    if case.travel.state == "asked":
        gone = case.travel.until is not None and case.travel.until <= now
        reason = shut[0] if shut else "the departure has passed"
        return [TravelStopped(reason, answered=False)] if shut or gone else []
    if case.travel.state != "held" or shut == case.shut:
        return []
    return [DoorClosed(shut)] if shut else [DoorReopened()]


def _doors_end(case: Case) -> Instants:
    """Every instant at which a door may close by itself; holds, visas and fitness have rules of their own."""
    if not preparing(case) or case.travel.state not in ("asked", "held"):
        return []
    acceptance = case.accepted.valid_until if case.accepted else None
    return [acceptance, open_until(case, case.centre, case.protocol), case.travel.until]


RULES = (
    Rule("fitness_ends", 1, lapse, ("FitToTravelRecorded",), (FitToTravelLapsed,), _fitness_ends),
    Rule(
        "nobody_travels_to_a_closed_door",
        1,
        watch_the_door,
        ("TravelAsked", "TravelBooked", "ProtocolStateNoted", "CentreStateNoted", "PatientAccepted"),
        (TravelStopped, DoorClosed, DoorReopened),
        _doors_end,
    ),
)

NEEDS = (
    Need("stay planned and funded", lambda c, _: bool(c.stay_plan.get("funds_confirmed")), rests_on=("StayPlanned",)),
    Need(
        "travel booked at an open door",
        lambda c, _: c.travel.state == "held" and not c.shut,
        rests_on=("TravelBooked",),
    ),
)


def _unplanned(case: Case) -> Iterable[str]:
    planned = case.stay_plan.get("funds_confirmed")
    return ["stay"] if preparing(case) and not planned else []


def _unfit(case: Case) -> Iterable[str]:
    unknown = preparing(case) and case.stay_plan and case.fit_to_travel.unanswered
    return [str(case.fit_to_travel.round)] if unknown else []


def _unbooked(case: Case) -> Iterable[str]:
    idle = preparing(case) and case.stay_plan and case.travel.state not in ("asked", "held")
    return [str(case.travel.round)] if idle else []


def _unconfirmed(case: Case) -> Iterable[str]:
    return [f"{case.centre}/{case.travel.round}"] if case.travel.state == "asked" and not case.exit else []


def _confirmed(case: Case, about: str) -> bool:
    return case.travel.answered >= About.of(about).number and case.travel.state in ("held", "refused")


def _warned(case: Case) -> Iterable[str]:
    return [case.shut_fact] if case.shut and case.travel.state == "held" and not case.exit else []


OWES = (
    Owes(
        "stay_plan",
        Party.COORDINATOR,
        Party.FAMILY,
        _unplanned,
        lambda c, _: bool(c.stay_plan.get("funds_confirmed")),
    ),
    Owes(
        "fit_to_travel",
        Party.HOME_ONCOLOGIST,
        Party.COORDINATOR,
        _unfit,
        lambda c, about: c.fit_to_travel.answered >= int(about),
    ),
    Owes(
        "travel_booking",
        Party.COORDINATOR,
        Party.FAMILY,
        _unbooked,
        lambda c, _: c.travel.state in ("asked", "held"),
    ),
    Owes("door_confirmation", Party.HOSPITAL, Party.COORDINATOR, _unconfirmed, _confirmed),
    Owes(
        "closed_door",
        Party.COORDINATOR,
        Party.FAMILY,
        _warned,
        lambda c, _: not c.shut and not c.exit,
    ),
)

WANTS = (
    Wants(
        "confirm_open_door",
        Party.HOSPITAL,
        _unconfirmed,
        _confirmed,
        asks=service("Please confirm that the patient may travel now"),
    ),
    Wants(
        "arrange_stay",
        Party.HOSPITAL,
        lambda c: [f"{c.centre}/{c.travel.round}"] if c.travel.state == "held" and not c.exit else [],
        asks=appointment("Please arrange the stay"),
    ),
    Wants("warn_of_closed_door", Party.FAMILY, _warned),
)
