"""Reviews: an entry is as its source said on a day, and is held against it again in time [catalogue.review]."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from domain.core.errors import Reason, require


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """Somebody held the entry against its source as that was on `as_of`, and it still says so."""

    source: str
    as_of: date
    type: Literal["ReviewEntry"] = "ReviewEntry"


@dataclass(frozen=True, slots=True)
class EntryReviewed:
    """The entry was held against its source as that was on `as_of`, and still says so."""

    source: str
    as_of: date
    type: Literal["EntryReviewed"] = "EntryReviewed"


@dataclass(frozen=True, slots=True)
class Review:
    """Says as of which day an entry is, by which source, and who held it against that, the actor of the newest fact."""

    source: str
    as_of: date
    by: str

    def due(self, period: timedelta) -> datetime:
        """Return when it has to be held against its source again: so long after the day it is as of, in UTC."""
        return datetime.combine(self.as_of, time(), UTC) + period


def decide(known: Review | None, command: ReviewEntry, now: datetime) -> EntryReviewed:
    """Decide a review. Raises Refused for a day to come, or of before what is known."""
    require(command.source, Reason.INVALID, "name what it was held against", "source")
    require_as_of(known, command.as_of, now)
    return EntryReviewed(command.source, command.as_of)


def require_as_of(known: Review | None, as_of: date, now: datetime) -> None:
    """Refuse a day on which no source can have said it yet, or of before the newest one known."""
    require(as_of <= (now + timedelta(days=1)).date(), Reason.INVALID, "that lies in the future", "as_of")
    older = known is not None and as_of < known.as_of
    words = f"the entry is as of {known.as_of} already" if known else ""
    require(not older, Reason.INVALID, words, "as_of")
