"""A store of frozen doses: how warm it may be and for how long, as a document says, and what its readings came to.

Readings themselves are not kept: the digest of their file, a summary, and each excursion are [doses.excursion].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Literal, cast

from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.roles import Action
from domain.core.telling import chasing
from domain.core.telling.chasing import NOTHING_CHASED, Chase, Overdue
from domain.doses.readings import COLDEST, HOTTEST, Excursion, Readings, StoreRule, Tail, summarise

StoreKind = Literal["freezer", "shipper"]
UNRULED = StoreRule(0.0, 0, 0)
"""What a store that nobody registered may be."""


@dataclass(frozen=True, slots=True)
class RegisterStore:
    """A freezer or shipper; `where` is the place it stands at, `warmest` in °C, `tolerated` and `gap` in seconds."""

    kind: StoreKind
    name: str
    where: str
    warmest: float
    tolerated: int
    gap: int
    source: str
    type: Literal["RegisterStore"] = "RegisterStore"


@dataclass(frozen=True, slots=True)
class LimitStore:
    """How warm it may be from now on, in °C, for how many seconds, and how long without a reading, as `source` says."""

    warmest: float
    tolerated: int
    gap: int
    source: str
    type: Literal["LimitStore"] = "LimitStore"


@dataclass(frozen=True, slots=True)
class RecordReadings:
    """What a file of readings came to; `digest` is its SHA-256. Read from the file, never told."""

    digest: str
    first: datetime
    last: datetime
    count: int
    coldest: float
    warmest: float
    excursions: tuple[Excursion, ...] = ()
    warm_since: datetime | None = None
    warm_most: float | None = None
    type: Literal["RecordReadings"] = "RecordReadings"


Command = RegisterStore | LimitStore | RecordReadings | chasing.Command
BY = {
    RegisterStore: Action.REGISTER_LOT,
    LimitStore: Action.RELEASE_LOT,
    RecordReadings: Action.ENGINE,
    **chasing.BY,
}
"""What giving each command is called in the table of roles; readings come by a file or feed of their own."""


@dataclass(frozen=True, slots=True)
class StoreRegistered:
    """A store exists."""

    kind: StoreKind
    name: str
    where: str
    warmest: float
    tolerated: int
    gap: int
    source: str
    type: Literal["StoreRegistered"] = "StoreRegistered"


@dataclass(frozen=True, slots=True)
class StoreLimited:
    """From now on it may be so warm, for so long."""

    warmest: float
    tolerated: int
    gap: int
    source: str
    type: Literal["StoreLimited"] = "StoreLimited"


@dataclass(frozen=True, slots=True)
class ReadingsRecorded:
    """Readings of a store came in, with what they came to."""

    digest: str
    first: datetime
    last: datetime
    count: int
    coldest: float
    warmest: float
    excursions: tuple[Excursion, ...]
    warm_since: datetime | None
    warm_most: float | None
    type: Literal["ReadingsRecorded"] = "ReadingsRecorded"


Event = StoreRegistered | StoreLimited | ReadingsRecorded | chasing.Event
STILL = timedelta(hours=4)
"""Supervisors are told so long after quality assurance that a logger is silent [doses.silent]."""
LONGEST = timedelta(days=366)
"""No interval between readings is taken to be longer."""


@dataclass(frozen=True, slots=True)
class Store:
    """One store as folded from its facts. `tail` is how the newest readings ended; `files` are the digests of all.

    `spanned` is how long the newest file was of, `registered_at` when the store was registered.
    """

    version: int = 0
    kind: str = ""
    name: str = ""
    where: str = ""
    rule: StoreRule = UNRULED
    source: str = ""
    readings: int = 0
    tail: Tail | None = None
    excursions: tuple[Excursion, ...] = ()
    files: frozenset[str] = frozenset()
    registered_at: datetime | None = None
    spanned: timedelta = timedelta(0)
    chase: Chase = NOTHING_CHASED

    @property
    def overdue(self) -> Sequence[Overdue]:
        """Return that its logger is silent, from when on: after twice its interval without a reading [doses.silent].

        Its interval is how long it may go without a reading or, where that is longer, how long its newest file was of.
        """
        since = self.tail.last if self.tail else self.registered_at
        if since is None:
            return []
        interval = min(max(timedelta(seconds=min(self.rule.gap, 10**8)), self.spanned), LONGEST)
        silent = since + 2 * interval
        says = f"{since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return [Overdue("silent", f"silent {since.isoformat()}", says, silent, silent + STILL)]

    def silent_at(self, now: datetime) -> bool:
        """Return whether its logger is silent then."""
        return any(one.remind <= now for one in self.overdue)

    def summarised(self, digest: str, found: Readings) -> RecordReadings:
        """Return the command that records a file of readings, judged by the rule that holds now.

        Readings that come after the newest, or begin while it was too warm already, go on where that began; older ones
        are judged by themselves.
        """
        known = (self.tail.warm_since or self.tail.last) if self.tail else None
        follows = self.tail if known and known.timestamp() < found[0][0] else None
        told = summarise(found, self.rule, follows)
        last, since, most = told.tail.last, told.tail.warm_since, told.tail.warmest
        span = told.first, last, told.count, told.coldest, told.warmest
        return RecordReadings(digest, *span, told.excursions, since, most)


initial = Store()


def decide(store: Store, command: Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """Decide a command on a store: return the events it brings about. Raises Refused."""
    match command:
        case RegisterStore():
            require(not store.kind, Reason.ALREADY, "the store is registered")
            for name in ("name", "where"):
                require(getattr(command, name).strip(), Reason.INVALID, "this is never empty", name)
            limits = _limits(command)
            return [StoreRegistered(command.kind, command.name, command.where, *limits)]
        case LimitStore():
            require(store.kind, Reason.NOT_FOUND, "no such store")
            return [StoreLimited(*_limits(command))]
        case RecordReadings():
            require(store.kind, Reason.NOT_FOUND, "no such store")
            return [_recorded(store, command, now)]
        case _:
            require(store.kind, Reason.NOT_FOUND, "no such store")
            return chasing.decide(store.chase, command, store.overdue, now)


def _limits(c: RegisterStore | LimitStore) -> tuple[float, int, int, str]:
    known = isfinite(c.warmest) and COLDEST <= c.warmest <= HOTTEST
    require(known, Reason.INVALID, "say in °C how warm it may be", "warmest")
    require(c.tolerated >= 0, Reason.INVALID, "say for how many seconds it may be warmer", "tolerated")
    require(c.gap > 0, Reason.INVALID, "say after how many seconds without a reading it is unwatched", "gap")
    require(c.source.strip(), Reason.INVALID, "say which document the limits are from", "source")
    return c.warmest, c.tolerated, c.gap, c.source


def _recorded(store: Store, c: RecordReadings, now: datetime) -> ReadingsRecorded:
    require(c.digest not in store.files, Reason.ALREADY, "this file was read")
    require(c.last <= now, Reason.INVALID, "the newest reading lies in the future; look at the logger's clock")
    span = c.first, c.last, c.count, c.coldest, c.warmest
    return ReadingsRecorded(c.digest, *span, c.excursions, c.warm_since, c.warm_most)


def evolve(store: Store, fact: Fact[Event]) -> Store:
    """Fold one fact of a store."""
    event = fact.event
    match event:
        case StoreRegistered():
            rule = StoreRule(event.warmest, event.tolerated, event.gap)
            named = replace(store, kind=event.kind, name=event.name, where=event.where, registered_at=fact.at)
            after = replace(named, rule=rule, source=event.source)
        case StoreLimited():
            after = replace(store, rule=StoreRule(event.warmest, event.tolerated, event.gap), source=event.source)
        case ReadingsRecorded():
            newest = store.tail is None or store.tail.last < event.last
            tail = Tail(event.last, event.warm_since, event.warm_most) if newest else store.tail
            found = tuple(dict.fromkeys((*store.excursions, *event.excursions)))
            count, files = store.readings + event.count, store.files | {event.digest}
            spanned = event.last - event.first if newest else store.spanned
            after = replace(store, readings=count, tail=tail, excursions=found, files=files, spanned=spanned)
        case _:
            after = replace(store, chase=chasing.evolve(store.chase, cast("Fact[chasing.Event]", fact)))
    return replace(after, version=fact.version)


def read_model(store: Store) -> Mapping[str, Any]:
    """Return what units that lie in it are judged by: every excursion, and the instant of the newest reading.

    `untold` is how many mails about a silent logger are to be sent, if any.
    """
    untold = store.chase.open(store.overdue)
    return {
        "kind": store.kind,
        "name": store.name,
        "where": store.where,
        "read_until": store.tail.last if store.tail else None,
        "excursions": store.excursions,
        **({"untold": len(untold)} if untold else {}),
    }
