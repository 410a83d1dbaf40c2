"""Reads temperatures of a store and finds where it was too warm for too long, or unwatched [doses.excursion].

Each reading is looked at once. Blocks whose warmest is within the limit could be passed over, but looking for the
warmest of a block and for gaps in it took twice as long as one plain look.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from math import ceil, isfinite
from operator import gt
from typing import Any, Literal, TypeAlias

COLDEST, HOTTEST = -273.15, 100.0
"""In °C; what lies outside is no reading of a store."""
FAULTS = 20
"""As many are named at once."""
EARLIEST, LATEST = datetime(2000, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What lies outside was told by a logger whose clock nobody set."""
MOST_EXCURSIONS = 100
"""As many of one kind are told of a file; of more, neighbours are told as one, so that every unit stays stopped."""


@dataclass(frozen=True, slots=True)
class StoreRule:
    """How warm a store may be, in °C, for how many seconds at most; and how long it may go without a reading."""

    warmest: float
    tolerated: int
    gap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """A store was too warm for too long, or nobody knows how warm it was. `warmest` is in °C, None = not known."""

    kind: Literal["warm", "gap"]
    began: datetime
    ended: datetime
    warmest: float | None = None

    @property
    def id(self) -> str:
        """Name it among those of its store: one that went on is another."""
        return f"{self.kind} {self.began.isoformat()} {self.ended.isoformat()}"

    def overlaps(self, since: datetime, until: datetime | None) -> bool:
        """Return whether what lay there from `since` to `until` lay there during it."""
        return since <= self.ended and (until is None or self.began <= until)


def excursion_of(row: Mapping[str, Any]) -> Excursion:
    """Read an excursion back from the JSON of a read model."""
    began, ended = (datetime.fromisoformat(row[name]) for name in ("began", "ended"))
    return Excursion(kind=row["kind"], began=began, ended=ended, warmest=row["warmest"])


@dataclass(frozen=True, slots=True)
class Tail:
    """Holds how readings ended: the last one's instant, and since when it has been too warm then; None = it was not."""

    last: datetime
    warm_since: datetime | None = None
    warmest: float | None = None


@dataclass(frozen=True, slots=True)
class ReadingsSummary:
    """What readings come to: from and to when, how many, coldest and warmest in °C, and each excursion among them."""

    first: datetime
    count: int
    coldest: float
    warmest: float
    excursions: tuple[Excursion, ...]
    tail: Tail


class UnreadableError(Exception):
    """A file of readings cannot be read: faults by line."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


Readings: TypeAlias = "tuple[array[float], array[float]]"
"""Seconds since 1970, each later than the one before, and the temperatures then in °C."""


def parse(text: str) -> Readings:
    """Read lines of an instant with its zone and a temperature in °C; a first line may name them. Raises Unreadable."""
    lines = _unheaded(text).split()
    fields = ",".join(lines).split(",")
    try:
        read = list(map(datetime.fromisoformat, fields[::2]))
        values = array("d", map(float, fields[1::2]))
    except ValueError:
        raise UnreadableError(_faults(text)) from None
    whole = len(fields) == 2 * len(lines) == 2 * len(read) and all(one.tzinfo for one in read)
    times = array("d", [one.timestamp() for one in read]) if whole else array("d")
    good = whole and bool(times) and all(map(isfinite, values)) and min(values) >= COLDEST and max(values) <= HOTTEST
    ordered = good and all(map(gt, islice(times, 1, None), times))
    if not ordered or times[0] < EARLIEST.timestamp() or times[-1] > LATEST.timestamp():
        raise UnreadableError(_faults(text))
    return times, values


def _unheaded(text: str) -> str:
    """The readings without a first line that names them, whatever stands in it."""
    text = text.removeprefix("\ufeff").lstrip()
    return text if text[:1].isdigit() else re.split(r"[\r\n]", f"{text}\n", maxsplit=1)[1]


def _faults(text: str) -> Sequence[tuple[int, str]]:
    """Look at each line by itself, to say what is wrong where."""
    found: list[tuple[int, str]] = []
    before: datetime | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or (number == 1 and not line.strip()[:1].isdigit()):
            continue
        try:
            instant, value = (part.strip() for part in line.split(","))
            at, celsius = datetime.fromisoformat(instant), float(value)
        except ValueError:
            found.append((number, "write an instant with its zone, a comma, and °C: 2026-11-30T08:00:00Z,-151.2"))
            continue
        if at.tzinfo is None:
            found.append((number, "the instant has no zone; write Z or +08:00 behind it"))
        elif not isfinite(celsius) or not COLDEST <= celsius <= HOTTEST:
            found.append((number, f"no store is {value} °C"))
        elif not EARLIEST <= at <= LATEST:
            found.append((number, "nobody set the logger's clock; a reading is from 2000 on"))
        elif before is not None and at <= before:
            found.append((number, "it is not later than the line before"))
        else:
            before = at
        if len(found) == FAULTS:
            break
    return found or [(1, "there is no reading in it, or white space within a line")]


def summarise(readings: Readings, rule: StoreRule, before: Tail | None = None) -> ReadingsSummary:
    """Find the excursions of a store; `before` is how the readings before these ended, where they follow on."""
    times, values = readings
    found, tail = _excursions(times, values, rule, before)
    return ReadingsSummary(_at(times[0]), len(times), min(values), max(values), tuple(_joined(found)), tail)


def _joined(found: Sequence[Excursion]) -> Sequence[Excursion]:
    """Return the excursions in order; of too many of one kind, each with its neighbours as one."""
    of_kind = [[one for one in found if one.kind == kind] for kind in ("gap", "warm")]
    return sorted((one for some in of_kind for one in _fewer(some)), key=lambda one: one.ended)


def _fewer(found: Sequence[Excursion]) -> Sequence[Excursion]:
    size = ceil(len(found) / MOST_EXCURSIONS)
    if size <= 1:
        return found
    return [_spanned(found[start : start + size]) for start in range(0, len(found), size)]


def _spanned(part: Sequence[Excursion]) -> Excursion:
    known = [one.warmest for one in part if one.warmest is not None]
    return replace(part[0], ended=part[-1].ended, warmest=max(known, default=None))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _excursions(
    times: Sequence[float], values: Sequence[float], rule: StoreRule, before: Tail | None
) -> tuple[list[Excursion], Tail]:
    """Gaps between two readings, and runs above the limit, each to the first reading within it again or to the end."""
    found: list[Excursion] = []
    limit, gap = rule.warmest, rule.gap
    last = before.last.timestamp() if before else times[0]
    since = before.warm_since.timestamp() if before and before.warm_since else None
    warmest = before.warmest if before and before.warmest is not None else limit

    def end(since: float, at: float) -> None:
        if at - since > rule.tolerated:
            found.append(Excursion(kind="warm", began=_at(since), ended=_at(at), warmest=warmest))

    for at, value in zip(times, values, strict=True):
        if at - last > gap:
            found.append(Excursion(kind="gap", began=_at(last), ended=_at(at)))
        if value > limit:
            since, warmest = (at, value) if since is None else (since, max(warmest, value))
        elif since is not None:
            end(since, at)
            since = None
        last = at
    if since is None:
        return found, Tail(_at(last))
    end(since, last)
    return found, Tail(_at(last), _at(since), warmest)
