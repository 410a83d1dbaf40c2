"""Waiting for a place [S3]: a case stands on a protocol's list until a place is offered and taken [waiting.order].

The list itself is the protocol's (domain/catalogue/waiting); the case says what it wants of it by an effect, and notes
of the protocol which place it was offered. Level-triggered both ways: what is told late or twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.submissions import Wait
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.catalogue.waiting.waiting_list import Because, Place
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.stages.eligibility.submissions import LIVE
from domain.stages.intake.people import require_decider


@dataclass(frozen=True, slots=True)
class WaitForPlace:
    """The case waits for a place at a protocol; `centre`: there only, empty = at any centre that runs it."""

    protocol: str
    centre: str = ""
    type: Literal["WaitForPlace"] = "WaitForPlace"


@dataclass(frozen=True, slots=True)
class TakePlace:
    """The family takes the place that is offered; `person` is the patient or the legal representative who said so."""

    wait: str
    person: str
    type: Literal["TakePlace"] = "TakePlace"


@dataclass(frozen=True, slots=True)
class DeclinePlace:
    """The family lets the offered place go to the next, and waits on."""

    wait: str
    reason: Clinical = ""
    type: Literal["DeclinePlace"] = "DeclinePlace"


@dataclass(frozen=True, slots=True)
class StopWaiting:
    """The case waits no longer; a place that was offered or taken is given back."""

    wait: str
    reason: Clinical = ""
    type: Literal["StopWaiting"] = "StopWaiting"


@dataclass(frozen=True, slots=True)
class ConfirmWaiting:
    """The family still waits, after an offer that nobody answered; `person` is who of those that may decide said so."""

    wait: str
    person: str
    type: Literal["ConfirmWaiting"] = "ConfirmWaiting"


Command = WaitForPlace | TakePlace | DeclinePlace | StopWaiting | ConfirmWaiting


@dataclass(frozen=True, slots=True)
class PlaceAwaited:
    """The case waits for a place at a protocol from now on, urgent or not."""

    wait: str
    protocol: str
    centre: str
    urgent: bool
    type: Literal["PlaceAwaited"] = "PlaceAwaited"


@dataclass(frozen=True, slots=True)
class WaitingUrgencyChanged:
    """The case waits as urgent, or no longer so."""

    wait: str
    urgent: bool
    type: Literal["WaitingUrgencyChanged"] = "WaitingUrgencyChanged"


@dataclass(frozen=True, slots=True)
class PlaceOffered:
    """A place is offered to this case until then, and why to it: of so many that waited, so many had waited longer."""

    wait: str
    place: str
    centre: str
    until: datetime
    because: Because
    waiting: int
    longer: int
    type: Literal["PlaceOffered"] = "PlaceOffered"


@dataclass(frozen=True, slots=True)
class PlaceTaken:
    """The family takes the place."""

    wait: str
    place: str
    person: str
    type: Literal["PlaceTaken"] = "PlaceTaken"


@dataclass(frozen=True, slots=True)
class PlacePassed:
    """The place goes to the next: the family declined it, or nobody answered in time."""

    wait: str
    place: str
    why: Literal["declined", "lapsed"]
    reason: Clinical = ""
    type: Literal["PlacePassed"] = "PlacePassed"


@dataclass(frozen=True, slots=True)
class PlaceWithdrawn:
    """The place is not there any more, or not this case's; the case waits on."""

    wait: str
    place: str
    type: Literal["PlaceWithdrawn"] = "PlaceWithdrawn"


@dataclass(frozen=True, slots=True)
class WaitingEnded:
    """The case waits no longer, and why; a place it held is given back."""

    wait: str
    why: Literal["stopped", "left", "went_on", "not_taken_up"]
    reason: Clinical = ""
    type: Literal["WaitingEnded"] = "WaitingEnded"


@dataclass(frozen=True, slots=True)
class WaitingConfirmed:
    """The family said that it still waits, after an offer that nobody had answered."""

    wait: str
    person: str
    type: Literal["WaitingConfirmed"] = "WaitingConfirmed"


Event = (
    WaitingConfirmed
    | PlaceAwaited
    | WaitingUrgencyChanged
    | PlaceOffered
    | PlaceTaken
    | PlacePassed
    | PlaceWithdrawn
    | WaitingEnded
)

SEEKING = stages(Stage.RECORDS, Stage.ELIGIBILITY)
TAKES = (
    Takes(WaitForPlace, (PlaceAwaited,), at=SEEKING),
    Takes(TakePlace, (PlaceTaken,), at=SEEKING, settles=("place_offer",)),
    Takes(DeclinePlace, (PlacePassed,), at=SEEKING, settles=("place_offer",)),
    Takes(StopWaiting, (WaitingEnded,), at=stages(Stage.RECORDS, Stage.ADMISSION), settles=("still_waiting",)),
    Takes(ConfirmWaiting, (WaitingConfirmed,), at=SEEKING, settles=("still_waiting",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about waiting: return the events it brings about. Raises Refused."""
    match command:
        case WaitForPlace():
            return [_wait(case, command, ids)]
        case TakePlace():
            return [_take(case, command, now)]
        case DeclinePlace():
            known = _require(case, command.wait, "offered")
            return [PlacePassed(known.id, known.place, "declined", command.reason)]
        case StopWaiting():
            known = _require(case, command.wait, "waiting", "offered", "taken")
            return [WaitingEnded(known.id, "stopped", command.reason)]
        case ConfirmWaiting():
            known = _require(case, command.wait, "waiting", "offered")
            require(known.unanswered, Reason.ALREADY, "no offer went unanswered since the family last spoke", "wait")
            require_decider(case, command.person, now)
            return [WaitingConfirmed(known.id, command.person)]
        case _:
            assert_never(command)


def _wait(case: Case, c: WaitForPlace, ids: Ids) -> Event:
    named = c.protocol.startswith("protocol-") and (not c.centre or c.centre.startswith("centre-"))
    require(named, Reason.INVALID, "name a protocol, and a centre or none, by their streams", "protocol")
    trial = case.noted(c.protocol)
    require(trial, Reason.NOT_FOUND, "no such protocol in the catalogue", "protocol")
    shut = "the protocol is closed everywhere, or a draft; nobody can wait for a place there"
    require(not trial.get("shut"), Reason.NOT_NOW, shut, "protocol")
    sites = {site.centre for site in trial.get("sites", ())} or {trial.get("centre") or c.centre}
    require(not c.centre or c.centre in sites, Reason.NOT_FOUND, "the protocol is not run at this centre", "centre")
    again = any(wait.live and wait.protocol == c.protocol for wait in case.waiting.values())
    require(not again, Reason.ALREADY, "the case waits for a place at this protocol", "protocol")
    return PlaceAwaited(ids(), c.protocol, c.centre, case.urgent)


def _take(case: Case, c: TakePlace, now: datetime) -> Event:
    known = _require(case, c.wait, "offered")
    require_decider(case, c.person, now)
    held = any(wait.state == "taken" for wait in case.waiting.values())
    require(not held, Reason.ALREADY, "the case holds another place; give that back first (StopWaiting)", "wait")
    return PlaceTaken(known.id, known.place, c.person)


def _require(case: Case, wait: str, *states: str) -> Wait:
    known = case.waiting.get(wait)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "the case does not wait under this name", "wait")
    require(known.state in states, Reason.NOT_NOW, f"this waiting is {known.state}", "wait")
    return known


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about waiting; a newer round is told to the protocol's list."""
    event = fact.event
    if isinstance(event, PlaceAwaited):
        new = Wait(event.wait, event.protocol, event.centre, fact.at, event.urgent)
        return replace(case, waiting={**case.waiting, new.id: new})
    known = case.waiting.get(event.wait)
    return case if known is None else replace(case, waiting={**case.waiting, known.id: _changed(case, known, event)})


def _changed(case: Case, known: Wait, event: Event) -> Wait:
    said = known.round + 1
    match event:
        case PlaceAwaited():
            return known
        case WaitingUrgencyChanged():
            return replace(known, urgent=event.urgent, round=said, pressing=False)
        case PlaceOffered():
            return replace(known, state="offered", place=event.place, at=event.centre, until=event.until)
        case PlaceTaken():
            return replace(known, state="taken", round=said, asked=tuple(case.submissions), unanswered="")
        case PlacePassed():
            silent = known.unanswered or event.place if event.why == "lapsed" else ""
            return replace(known, state="waiting", round=said, passed=(*known.passed, event.place), unanswered=silent)
        case WaitingConfirmed():
            return replace(known, unanswered="")
        case PlaceWithdrawn():
            return replace(known, state="waiting", round=said)
        case WaitingEnded():
            return replace(
                known, state="ended", round=said, unanswered="" if event.why == "stopped" else known.unanswered
            )
        case _:
            assert_never(event)


def _live(case: Case, *states: str) -> Iterator[Wait]:
    return (wait for wait in case.waiting.values() if wait.live and (not states or wait.state in states))


def _places(case: Case, wait: Wait) -> Sequence[Place]:
    return [place for place in case.noted(wait.protocol).get("places", ()) if place.wait == wait.id]


def urgency(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A case waits as urgent as it is, or as one that was merged into it was, until this one's own is said."""
    standing = _live(case, "waiting", "offered")
    return [WaitingUrgencyChanged(w.id, case.urgent) for w in standing if (w.urgent != case.urgent) != w.pressing]


def offer(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """The protocol's list offers a place to this case."""
    return [
        PlaceOffered(w.id, place.id, place.centre, place.until, place.because, place.waiting, place.longer)
        for w in _live(case, "waiting")
        for place in _places(case, w)
        if place.state == "offered" and place.until is not None and place.id not in w.passed
    ]


def withdraw(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """The place this case was offered or had taken is not its own any more."""
    held = (wait for wait in _live(case, "offered", "taken") if _heard(case, wait))
    return [PlaceWithdrawn(w.id, w.place) for w in held if all(place.id != w.place for place in _places(case, w))]


def _heard(case: Case, wait: Wait) -> bool:
    """Whether the list knows that the wait is this case's: of one that was taken over it is told first."""
    told = (e for e in case.effects.values() if e.kind == "tell_waiting_list" and About.of(e.about).id == wait.id)
    return not wait.came_from or any(e.state == "delivered" for e in told)


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """An offer ends at its own instant, whoever looks; the place goes to the next."""
    return [
        PlacePassed(w.id, w.place, "lapsed") for w in _live(case, "offered") if w.until is not None and w.until <= now
    ]


def _ends(case: Case) -> Instants:
    return [wait.until for wait in _live(case, "offered")]


def end(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Nobody waits who has left or went on elsewhere; a place whose centre said no is given back."""
    return [] if case.infusions else [WaitingEnded(w.id, why) for w in _live(case) if (why := _over(case, w))]


def _over(case: Case, wait: Wait) -> Literal["left", "went_on", "not_taken_up"] | None:
    if case.exit:
        return "left"
    beyond = case.stage.rank > Stage.ELIGIBILITY.rank
    if beyond and (wait.state != "taken" or (case.accepted is not None and case.protocol != wait.protocol)):
        return "went_on"
    since = [s for s in case.submissions.values() if (s.protocol, s.centre) == (wait.protocol, wait.at)]
    since = [s for s in since if s.id not in wait.asked]
    refused = wait.state == "taken" and since and not any(s.state in LIVE for s in since)
    return "not_taken_up" if refused else None


RULES = (
    Rule("place_waits_end", 1, end, ("JourneyLeft", "PatientDeclined", "SubmissionWithdrawn"), (WaitingEnded,)),
    Rule("place_withdrawn", 1, withdraw, ("ProtocolStateNoted",), (PlaceWithdrawn,)),
    Rule("place_offer_lapses", 1, lapse, ("PlaceOffered",), (PlacePassed,), _ends),
    Rule("place_offered", 1, offer, ("PlaceAwaited", "ProtocolStateNoted"), (PlaceOffered,)),
    Rule("waiting_urgency", 1, urgency, ("UrgencySet",), (WaitingUrgencyChanged,)),
)


def _offered(case: Case) -> Iterable[str]:
    return [f"{wait.id}/{wait.place}" for wait in _live(case, "offered")]


def _answered(case: Case, about: str) -> bool:
    """The family took that place or let it go; what only lapsed was not answered."""
    known = case.waiting.get(About.of(about).id)
    declined = known is not None and not known.unanswered and About.of(about).round in known.passed
    return known is not None and (declined or (known.state == "taken" and known.place == About.of(about).round))


def _until(case: Case, about: str) -> datetime | None:
    known = case.waiting.get(About.of(about).id)
    return known.until if known else None


def _silent(case: Case) -> Iterable[str]:
    """Waits of which an offer lapsed and the family has said nothing since, by the first place that went so."""
    return [f"{wait.id}/{wait.unanswered}" for wait in _live(case) if wait.unanswered]


def _spoke(case: Case, about: str) -> bool:
    known = case.waiting.get(About.of(about).id)
    return known is not None and not known.unanswered


OWES = (
    Owes("place_offer", Party.COORDINATOR, Party.FAMILY, _offered, _answered, _until),
    Owes("still_waiting", Party.COORDINATOR, Party.FAMILY, _silent, _spoke),
)

WANTS = (
    Wants("tell_waiting_list", Party.HOSPITAL, lambda c: [f"{wait.id}/{wait.round}" for wait in c.waiting.values()]),
)
