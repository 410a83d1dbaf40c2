"""Says when something happened, with how well that is known."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import MINYEAR, UTC, date, datetime, time, tzinfo
from typing import Literal

Precision = Literal["instant", "day", "bound", "unknown"]
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""The first and the last instant that can be written."""


@dataclass(frozen=True, slots=True)
class When:
    """An instant, a day, a span or nothing known; `earliest` and `latest` are aware, inclusive, None = open."""

    precision: Precision
    earliest: datetime | None = None
    latest: datetime | None = None

    def __post_init__(self) -> None:
        for bound in (self.earliest, self.latest):
            if bound is not None and bound.tzinfo is None:
                raise ValueError("a time needs a zone")
        if self.earliest and self.latest and self.earliest > self.latest:
            raise ValueError("earliest is after latest")
        if self.precision in ("instant", "day") and not (self.earliest and self.latest):
            raise ValueError(f"precision {self.precision} needs earliest and latest")

    @classmethod
    def at(cls, instant: datetime) -> When:
        """Exactly then."""
        return cls("instant", instant, instant)

    @classmethod
    def on(cls, day: date, zone: tzinfo = UTC) -> When:
        """Some time on that day, as it begins and ends in a zone: it has 23 to 25 hours, at the ends of time fewer."""
        first, last = (_in_utc(datetime.combine(day, at, zone)) for at in (time.min, time.max))
        return cls("day", first, last)

    @classmethod
    def between(cls, earliest: datetime | None, latest: datetime | None) -> When:
        """Not before `earliest`, not after `latest`; either may be open."""
        return cls("bound", earliest, latest)

    @classmethod
    def written(cls, text: str) -> When:
        """Read an instant with its zone, a day, a month or a year as ISO 8601 writes them. Raises ValueError."""
        if len(text) > len("2026-01-31"):
            return cls.at(datetime.fromisoformat(text))
        if len(text) == len("2026-01-31"):
            return cls.on(date.fromisoformat(text))
        year, _, month = text.partition("-")
        first, last = (int(month), int(month)) if month else (1, 12)
        days = calendar.monthrange(int(year), last)[1]
        start, end = cls.on(date(int(year), first, 1)), cls.on(date(int(year), last, days))
        return cls.between(start.earliest, end.latest)

    @classmethod
    def unknown(cls) -> When:
        """Nothing is known."""
        return cls("unknown")

    @property
    def known(self) -> bool:
        """Return whether a rule may use the date: an instant or a day. A bound or nothing is not a date."""
        return self.precision in ("instant", "day")

    @property
    def day(self) -> date | None:
        """Return the day in UTC, where it is known."""
        return self.earliest.astimezone(UTC).date() if self.known and self.earliest else None


def _in_utc(at: datetime) -> datetime:
    """The instant; where UTC has left the calendar already, its first or last."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return FIRST if at.year == MINYEAR else LAST
