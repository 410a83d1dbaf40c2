"""Instants as people read them: in the viewer's zone, and how far away in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from api.console.text.texts import Texts
from domain.core.when import When

MINUTE, HOUR, DAY = 60, 3600, 86400
SOON = timedelta(days=2)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def stamp(at: datetime) -> str:
    """Return an instant as addresses hold it."""
    return at.isoformat().replace("+00:00", "Z")


def apart(instants: Sequence[datetime]) -> Iterator[str]:
    """Write instants as the microseconds since the one before, the first since 1970, in base 36: a quarter as long.

    The slider of a page adds them up again (static/console.js).
    """
    before = datetime(1970, 1, 1, tzinfo=UTC)
    for at in instants:
        yield _base_36((at - before) // timedelta(microseconds=1))
        before = at


def _base_36(number: int) -> str:
    if number < 0:
        return f"-{_base_36(-number)}"
    more, digit = divmod(number, len(DIGITS))
    return (_base_36(more) if more else "") + DIGITS[digit]


@dataclass(frozen=True, slots=True)
class ViewerClock:
    """Says instants to one viewer; `now` is the ledger's."""

    now: datetime
    zone: tzinfo
    t: Texts

    def instant(self, at: datetime) -> str:
        """Say an instant as 12 Mar 2026 09:00, in the viewer's zone."""
        local = at.astimezone(self.zone)
        return self.t("time.instant", day=self.day(local.date()), time=f"{local:%H:%M}")

    def typed(self, at: datetime) -> str:
        """Write an instant as an input of a form holds it."""
        return f"{at.astimezone(self.zone):%Y-%m-%dT%H:%M}"

    def day(self, day: date) -> str:
        """Write a day such as 12 Mar 2026."""
        return self.t("time.day", d=day.day, month=self.t(f"month.m{day.month}"), y=day.year)

    def distance(self, at: datetime) -> str:
        """Write how far an instant is: in 3 days; 2 h ago."""
        seconds = int((at - self.now).total_seconds())
        return self.t("time.in" if seconds >= 0 else "time.ago", span=self.span(timedelta(seconds=abs(seconds))))

    def owed(self, at: datetime) -> str:
        """Write how far a due instant is: in 3 days; 2 h late."""
        return self.t("time.late", span=self.span(self.now - at)) if at < self.now else self.distance(at)

    def span(self, length: timedelta) -> str:
        """Say a length as 3 d, 5 h or 12 min, to the unit that matters."""
        seconds = int(length.total_seconds())
        if seconds >= DAY * 365 * 2:
            return self.t("time.years", n=round(seconds / DAY / 365.25))
        if seconds >= DAY * 2:
            return self.t("time.days", n=round(seconds / DAY))
        if seconds >= HOUR:
            return self.t("time.hours", n=round(seconds / HOUR))
        return self.t("time.minutes", n=max(seconds // MINUTE, 1))

    def urgency(self, at: datetime | None) -> str:
        """Return late, soon or later."""
        if at is None:
            return "none"
        return "late" if at < self.now else "soon" if at < self.now + SOON else "later"

    def when(self, occurred: When) -> str:
        """Return a date in the world, as well as it is known."""
        first, last = occurred.earliest, occurred.latest
        if occurred.precision == "instant" and first:
            return self.instant(first)
        if occurred.precision == "day" and first and last:
            middle = first + (last - first) / 2  # the day where it was seen, whatever zone that was
            return self.day(middle.date())
        if first and last:
            return self.t("time.between", first=self.instant(first), last=self.instant(last))
        if first or last:
            known = first or last
            assert known is not None
            return self.t("time.from" if first else "time.until", at=self.instant(known))
        return self.t("time.unknown")
