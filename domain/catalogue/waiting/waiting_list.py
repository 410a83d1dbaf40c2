"""The waiting list of a protocol: a free place is offered to one case at a time, by urgency, then time [waiting.order].

The protocol's own stream is the only writer, and an offer is a state of the place itself: no place is offered twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, assert_never

from domain.catalogue.site import SiteLease
from domain.core.errors import Reason, require
from domain.core.fact import Ids

Because = Literal["urgent", "longest", "only"]
"""Why this case: urgent before others, waiting longest of its urgency, or the only one that waits for such a place."""
Returned = Literal["passed", "left"]
OFFER_STANDS, URGENT_STANDS = timedelta(hours=72), timedelta(hours=24)
"""How long an offer stands [waiting.offer]; where an urgent case has it, the next one waits less long."""
MOST_PLACES = 1000
"""More than any site takes at once; a number with more figures is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class TellWaitingList:
    """A case says all it wants of the list: that it waits, takes a place, has passed some by, or waits no longer.

    `wait` names this waiting of the case; of what it says, `round` counts, so that what comes late changes nothing.
    `centre`: at which centre only, empty = at any.
    """

    wait: str
    round: int
    case: str
    centre: str
    urgent: bool
    since: datetime
    takes: str = ""
    passed: tuple[str, ...] = ()
    ends: bool = False
    type: Literal["TellWaitingList"] = "TellWaitingList"


Command = TellWaitingList


@dataclass(frozen=True, slots=True)
class ListJoined:
    """A case waits for a place, since then, urgent or not; said again where that changed."""

    wait: str
    round: int
    case: str
    centre: str
    urgent: bool
    since: datetime
    type: Literal["ListJoined"] = "ListJoined"


@dataclass(frozen=True, slots=True)
class ListLeft:
    """A case waits no longer."""

    wait: str
    round: int
    type: Literal["ListLeft"] = "ListLeft"


@dataclass(frozen=True, slots=True)
class PlaceFreed:
    """A place at this centre is free."""

    place: str
    centre: str
    type: Literal["PlaceFreed"] = "PlaceFreed"


@dataclass(frozen=True, slots=True)
class PlaceGone:
    """The place is none any more: the site said so, and nobody had taken it."""

    place: str
    type: Literal["PlaceGone"] = "PlaceGone"


@dataclass(frozen=True, slots=True)
class PlaceAllotted:
    """The place is offered to this case until then, and why to this one.

    `waiting` counts the cases that it could have been offered to, `longer` those of them that have waited longer.
    """

    place: str
    wait: str
    case: str
    centre: str
    until: datetime
    because: Because
    waiting: int
    longer: int
    type: Literal["PlaceAllotted"] = "PlaceAllotted"


@dataclass(frozen=True, slots=True)
class PlaceConfirmed:
    """The case has taken the place it was offered."""

    place: str
    wait: str
    round: int
    type: Literal["PlaceConfirmed"] = "PlaceConfirmed"


@dataclass(frozen=True, slots=True)
class PlaceReturned:
    """The case passed the place by, or gives it back: it is free again, and not offered to this case a second time."""

    place: str
    wait: str
    round: int
    why: Returned
    type: Literal["PlaceReturned"] = "PlaceReturned"


@dataclass(frozen=True, slots=True)
class ListEntryMoved:
    """Another case waits in place of the one that was merged into it; time, urgency and a place stay with the wait."""

    wait: str
    round: int
    case: str
    type: Literal["ListEntryMoved"] = "ListEntryMoved"


Event = ListEntryMoved | ListJoined | ListLeft | PlaceFreed | PlaceGone | PlaceAllotted | PlaceConfirmed | PlaceReturned


@dataclass(frozen=True, slots=True)
class Entry:
    """One case that waits."""

    wait: str
    case: str
    centre: str
    urgent: bool
    since: datetime

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """Return what the list is ordered by: urgent first, then who has waited longest."""
        return not self.urgent, self.since, self.wait


@dataclass(frozen=True, slots=True)
class Place:
    """One place: `wait` and `case` are whose it is, offered or taken; `passed` names the waits that let it go."""

    id: str
    centre: str
    state: Literal["free", "offered", "taken"] = "free"
    wait: str = ""
    case: str = ""
    until: datetime | None = None
    because: Because = "only"
    waiting: int = 0
    longer: int = 0
    passed: tuple[str, ...] = ()


def place_of(row: Mapping[str, Any]) -> Place:
    """Return the place that a JSON object says, as a read model keeps it."""
    until = datetime.fromisoformat(row["until"]) if isinstance(row["until"], str) else row["until"]
    return Place(**{**row, "until": until, "passed": tuple(row["passed"])})


@dataclass(frozen=True, slots=True)
class WaitingList:
    """The cases that wait, and the places there are; `heard`: wait → the newest round of what its case said."""

    entries: tuple[Entry, ...] = ()
    places: tuple[Place, ...] = ()
    heard: Mapping[str, int] = field(default_factory=dict)

    def in_order(self) -> Sequence[Entry]:
        """Return who waits, the first to be offered a place first."""
        return sorted(self.entries, key=lambda one: one.order)

    def of_cases(self) -> tuple[Place, ...]:
        """Return the places that are offered to cases or taken by them: what those cases note."""
        return tuple(place for place in self.places if place.case)


def told(book: WaitingList, sites: Sequence[SiteLease], c: TellWaitingList, now: datetime, ids: Ids) -> Sequence[Event]:
    """Decide what a case says, and offer what is free by then. What was heard before brings nothing."""
    if c.round <= book.heard.get(c.wait, 0):
        return []
    events = list(_said(book, c))
    return _and_offers(book, sites, events, now, ids)


def _said(book: WaitingList, c: TellWaitingList) -> Iterator[Event]:
    own = [place for place in book.places if place.wait == c.wait]
    taken = any(place.id == c.takes for place in own)
    entries = [one for one in book.entries if one.wait == c.wait]
    moved = any(one.case != c.case for one in entries) or any(place.case != c.case for place in own)
    if moved:
        yield ListEntryMoved(c.wait, c.round, c.case)
    for place in own:
        dropped = place.state == "taken" and place.id != c.takes
        if c.ends or dropped or (place.state == "offered" and place.id in c.passed):
            yield PlaceReturned(place.id, c.wait, c.round, "left" if c.ends else "passed")
    if c.ends:
        yield ListLeft(c.wait, c.round)
    elif taken:
        yield PlaceConfirmed(c.takes, c.wait, c.round)
    elif not moved or [replace(one, case=c.case) for one in entries] != [
        Entry(c.wait, c.case, c.centre, c.urgent, c.since)
    ]:
        yield ListJoined(c.wait, c.round, c.case, c.centre, c.urgent, c.since)


def confirmed(
    book: WaitingList,
    before: Sequence[SiteLease],
    after: Sequence[SiteLease],
    centre: str,
    places: int | None,
    now: datetime,
    ids: Ids,
    *,
    still: bool = False,
) -> Sequence[Event]:
    """Decide what follows where a site says how it stands, and how many places it has, None = it does not say.

    `still`: the protocol is on hold; what is free then is offered when it goes on.
    """
    was, site = _at(before, centre), _at(after, centre)
    kept = [place for place in book.places if place.centre == centre and place.state != "taken"]
    if site is None or site.state != "open":
        wanted = 0
    elif places is not None:
        wanted = places
    else:
        opens = was is None or was.state != "open"
        wanted = max(len(kept), 1) if opens and _awaited(book, centre) else len(kept)
    gone = sorted(kept, key=lambda one: one.state != "offered")[wanted:]  # what is offered stays as long as it can
    events: list[Event] = [PlaceGone(place.id) for place in gone]
    events += [PlaceFreed(ids(), centre) for _ in range(wanted - len(kept))]
    return events if still else _and_offers(book, after, events, now, ids)


def reopened(book: WaitingList, sites: Sequence[SiteLease], now: datetime, ids: Ids) -> Sequence[Event]:
    """Return the offers of what became free while the protocol was on hold."""
    return _and_offers(book, sites, [], now, ids)


def closed(book: WaitingList) -> Sequence[Event]:
    """Return what follows where the protocol closes everywhere: no place is left to take."""
    return [PlaceGone(place.id) for place in book.places if place.state != "taken"]


def require_places(places: int | None, state: str) -> None:
    """Refuse a number of free places that cannot be."""
    if places is None:
        return
    require(0 <= places <= MOST_PLACES, Reason.INVALID, f"a number of free places, at most {MOST_PLACES}", "places")
    fits = state == "open" or not places
    require(fits, Reason.INVALID, f"a site that is {state} has no free places; say it is open", "places")


def _at(sites: Sequence[SiteLease], centre: str) -> SiteLease | None:
    return next((site for site in sites if site.centre == centre), None)


def _awaited(book: WaitingList, centre: str) -> bool:
    return any(entry.centre in ("", centre) for entry in book.entries)


def _and_offers(
    book: WaitingList, sites: Sequence[SiteLease], events: Sequence[Event], now: datetime, ids: Ids
) -> Sequence[Event]:
    """The events, and the offer of every place that is free after them."""
    found = list(events)
    for event in events:
        book = evolve(book, event)
    for event in _unnumbered(book, sites, now, ids):
        found.append(event)
        book = evolve(book, event)
    for place in book.places:
        site = _at(sites, place.centre)
        if (
            place.state == "free"
            and site is not None
            and site.open_at(now)
            and (offer := _offer(book, place, site, now))
        ):
            found.append(offer)
            book = evolve(book, offer)
    return found


def _unnumbered(book: WaitingList, sites: Sequence[SiteLease], now: datetime, ids: Ids) -> Sequence[Event]:
    """One place at each open site of which no number was ever said, as soon as somebody waits [waiting.unnumbered]."""
    known = {place.centre for place in book.places}
    open_ = [site.centre for site in sites if site.open_at(now) and site.centre not in known]
    return [PlaceFreed(ids(), centre) for centre in open_ if _awaited(book, centre)]


def _offer(book: WaitingList, place: Place, site: SiteLease, now: datetime) -> PlaceAllotted | None:
    busy = {one.wait for one in book.places if one.state == "offered"}
    able = [one for one in book.in_order() if one.centre in ("", place.centre) and one.wait not in place.passed]
    able = [one for one in able if one.wait not in busy]
    if not able:
        return None
    first, others = able[0], able[1:]
    ahead = first.urgent and not all(one.urgent for one in others)
    because: Because = "only" if not others else "urgent" if ahead else "longest"
    longer = sum(one.since < first.since for one in others)
    until = min(now + (URGENT_STANDS if first.urgent else OFFER_STANDS), site.until)
    return PlaceAllotted(place.id, first.wait, first.case, place.centre, until, because, len(able), longer)


def evolve(book: WaitingList, event: Event) -> WaitingList:
    """Fold one event of the list."""
    match event:
        case ListJoined():
            new = Entry(event.wait, event.case, event.centre, event.urgent, event.since)
            return _heard(replace(book, entries=(*_without(book, event.wait), new)), event)
        case ListEntryMoved():
            return _heard(_moved(book, event), event)
        case ListLeft():
            return _heard(replace(book, entries=_without(book, event.wait)), event)
        case PlaceFreed():
            return replace(book, places=(*book.places, Place(event.place, event.centre)))
        case PlaceGone():
            return replace(book, places=tuple(one for one in book.places if one.id != event.place))
        case PlaceAllotted():
            return _allotted(book, event)
        case PlaceConfirmed():
            taken = _changed(book, event.place, {"state": "taken"})
            return _heard(replace(taken, entries=_without(book, event.wait)), event)
        case PlaceReturned():
            return _returned(book, event)
        case _:
            assert_never(event)


def _without(book: WaitingList, wait: str) -> tuple[Entry, ...]:
    return tuple(one for one in book.entries if one.wait != wait)


def _moved(book: WaitingList, e: ListEntryMoved) -> WaitingList:
    entries = tuple(replace(one, case=e.case) if one.wait == e.wait else one for one in book.entries)
    places = tuple(replace(one, case=e.case) if one.wait == e.wait else one for one in book.places)
    return replace(book, entries=entries, places=places)


def _heard(book: WaitingList, event: ListEntryMoved | ListJoined | ListLeft | PlaceConfirmed) -> WaitingList:
    return replace(book, heard={**book.heard, event.wait: event.round})


def _allotted(book: WaitingList, e: PlaceAllotted) -> WaitingList:
    reasons = {"because": e.because, "waiting": e.waiting, "longer": e.longer}
    return _changed(book, e.place, {"state": "offered", "wait": e.wait, "case": e.case, "until": e.until, **reasons})


def _changed(book: WaitingList, place: str, changes: Mapping[str, Any]) -> WaitingList:
    return replace(book, places=tuple(replace(one, **changes) if one.id == place else one for one in book.places))


def _returned(book: WaitingList, e: PlaceReturned) -> WaitingList:
    passed = next((one.passed for one in book.places if one.id == e.place), ())
    return _changed(
        book, e.place, {"state": "free", "wait": "", "case": "", "until": None, "passed": (*passed, e.wait)}
    )
