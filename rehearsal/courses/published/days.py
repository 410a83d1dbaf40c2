"""The day of a published event, counted from the first infusion, with exactly the certainty its source gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from domain.core.when import When

Form = Literal["at", "bound", "about", "unknown"]
LEAST_MARGIN = 3
MARGIN = 0.1
"""`about n` is taken as n give or take a tenth of n, at least three days; a margin the source gives wins."""
MARGINS = ("margin", "plus_minus")
FIRST, LAST = ("earliest", "from", "start", "min"), ("latest", "to", "end", "max")
UNITS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
SHORT = {
    "h": "hour",
    "hr": "hour",
    "d": "day",
    "w": "week",
    "wk": "week",
    "m": "month",
    "mo": "month",
    "y": "year",
    "yr": "year",
}
"""A count of weeks, months or years is no day: it is known to half a unit before and after, and no better."""
FORMS = ("at", "before", "at_or_before", "after", "at_or_after", "between", "about", *FIRST, *LAST)


class NoDay(ValueError):
    """The text is no day of the format."""


@dataclass(frozen=True, slots=True)
class Day:
    """Not before day `first`, not after day `last`; either may be open. `told` is the source's own way to say it."""

    form: Form
    first: int | None
    last: int | None
    told: Mapping[str, Any]

    @property
    def reached(self) -> int | None:
        """Return the day by which it has happened as far as the source tells; None = unknown."""
        if self.form == "about" and self.first is not None and self.last is not None:
            return (self.first + self.last) // 2
        return self.last if self.last is not None else self.first

    @property
    def plain(self) -> bool:
        """Return whether form and days say all that the source says."""
        exact = {"known", "at", "before", "at_or_before", "after", "at_or_after", "between"}
        return not set(self.told) - exact and not any(isinstance(value, float) for value in self.told.values())


def read_day(told: object) -> Day:
    """Read a day as sources write it. Raises NoDay, in words."""
    if not isinstance(told, Mapping):
        raise NoDay("is no object with `known` and a day")
    return replace(_read_day(_in_days(told)), told=dict(told))


def _read_day(told: Mapping[str, Any]) -> Day:
    given = [name for name in FORMS if told.get(name) is not None]
    known = told.get("known", bool(given))
    if not isinstance(known, bool):
        raise NoDay("`known` is neither true nor false")
    if not known:
        if given:
            raise NoDay(f"is not known, and yet `{given[0]}` is given")
        return Day("unknown", None, None, dict(told))
    if not given:
        raise NoDay(f"is known, and none of {', '.join(FORMS)} is given")
    return _read(told, given)


def _in_days(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same told in days: {"month": 6} and {"at": 6, "unit": "months"} are about day 183, half a month each way."""
    plain = any(told.get(name) is not None for name in FORMS)
    counted = None if plain else next((name for name in UNITS if told.get(name) is not None), None)
    told = {**told, "at": told[counted], "unit": counted} if counted else told
    if told.get("unit") is None:
        return told
    word = (str(told["unit"]).casefold().split() or [""])[0]
    unit = SHORT.get(word, word.removesuffix("s"))
    if unit == "hour":
        return _hours(told)
    if unit not in UNITS:
        raise NoDay(f"`unit` is none of {', '.join(UNITS)}")
    return told if unit == "day" else _spread(told, UNITS[unit])


def _hours(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """So many hours after the cells is that day or the next: nobody says at what time of day they went in."""
    given = next((told[name] for name in ("at", "about") if told.get(name) is not None), None)
    day = math.floor(_number(given, "at") / 24)
    return {"known": told.get("known", True), "between": [day, day + 1]}


def _spread(told: Mapping[str, Any], length: float) -> Mapping[str, Any]:
    half = math.ceil(length / 2)
    days = {n: _times(told[n], length, n) for n in FORMS if told.get(n) is not None and n != "between"}
    margin = _number(told.get("margin", told.get("plus_minus", 0)) or 0, "margin") * length
    wide: dict[str, Any] = {
        n: d + half if n in ("before", "at_or_before", *LAST) else d - half for n, d in days.items()
    }
    if told.get("between") is not None:
        ends = zip(_ends(told["between"]), (-half, half), strict=True)
        wide["between"] = [None if end is None else _times(end, length, "between") + more for end, more in ends]
    if middle := [days[n] for n in ("at", "about") if n in days]:
        wide = {n: d for n, d in wide.items() if n not in ("at", "about")} | {"about": middle[0]}
        wide["margin"] = max(half, math.ceil(margin), 0 if "at" in days else math.ceil(abs(middle[0]) * MARGIN))
    return {"known": told.get("known", True), **wide}


def _times(value: object, length: float, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NoDay(f"`{name}` is no number")
    return round(value * length)


def _read(told: Mapping[str, Any], given: list[str]) -> Day:
    if "at" in given or "about" in given:
        if len(given) > 1:
            raise NoDay(f"`{given[0]}` and `{given[1]}` are both given")
        number = _number(told[given[0]], given[0])
        if given[0] == "at" and all(told.get(name) is None for name in MARGINS):
            return Day("at", number, number, dict(told))
        margin = _margin(told, number)
        return Day("about", number - margin, number + margin, dict(told))
    first, last = _bounds(told)
    if first is not None and last is not None and first > last:
        raise NoDay("ends before it begins")
    return Day("bound", first, last, dict(told))


def _bounds(told: Mapping[str, Any]) -> tuple[int | None, int | None]:
    firsts = [_number(told[name], name) for name in ("at_or_after", *FIRST) if told.get(name) is not None]
    lasts = [_number(told[name], name) for name in ("at_or_before", *LAST) if told.get(name) is not None]
    if told.get("after") is not None:
        firsts.append(_number(told["after"], "after") + 1)
    if told.get("before") is not None:
        lasts.append(_number(told["before"], "before") - 1)
    if told.get("between") is not None:
        first, last = _pair(told["between"])
        firsts += [] if first is None else [first]
        lasts += [] if last is None else [last]
    return max(firsts, default=None), min(lasts, default=None)


def _pair(value: object) -> tuple[int | None, int | None]:
    first, last = (None if end is None else _number(end, "between") for end in _ends(value))
    if first is None and last is None:
        raise NoDay("`between` has neither a first nor a last day")
    return first, last


def _ends(value: object) -> Sequence[object]:
    if isinstance(value, Mapping):
        value = [next((value[n] for n in names if n in value), None) for names in (FIRST, LAST)]
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - a first and a last day
        raise NoDay("`between` takes a first and a last day")
    return value


def _number(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NoDay(f"`{name}` is no number of days")
    if abs(value) > 40_000:  # noqa: PLR2004 - beyond any life
        raise NoDay(f"`{name}` lies beyond a lifetime")
    return math.floor(value)


def _margin(told: Mapping[str, Any], number: int) -> int:
    given = next((told[name] for name in MARGINS if told.get(name) is not None), None)
    return abs(_number(given, "margin")) if given is not None else max(LEAST_MARGIN, math.ceil(abs(number) * MARGIN))


def when(day: Day, day_0: date, *, after_cells: bool) -> When:
    """Make the When the ledger keeps. `after_cells`: it cannot lie before day 0, so an open beginning is day 0."""
    if day.form == "unknown":
        return When.unknown()
    if day.form == "at" and day.first is not None:
        return When.on(day_0 + timedelta(days=day.first))
    first = day.first
    if first is None and after_cells and day.last is not None and day.last >= 0:
        first = 0
    return When.between(_start(day_0, first), _end(day_0, day.last))


def _start(day_0: date, number: int | None) -> datetime | None:
    return None if number is None else datetime.combine(day_0 + timedelta(days=number), time(), UTC)


def _end(day_0: date, number: int | None) -> datetime | None:
    start = _start(day_0, number)
    return start and start + timedelta(days=1) - timedelta(microseconds=1)


def days_of(occurred: When, day_0: date) -> dict[str, Any]:
    """Count what the ledger kept in days again, comparable with the source."""
    first, last = (None if t is None else (t.date() - day_0).days for t in (occurred.earliest, occurred.latest))
    kept: dict[str, Any] = {"precision": occurred.precision}
    if occurred.precision == "unknown":
        return kept
    if occurred.known and first == last:
        return kept | {"day": first}
    return kept | {"first": first, "last": last}
