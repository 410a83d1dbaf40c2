"""Another moment of a case on both clocks: which moments there are, and the way to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends

from api.console.text.fact_text import FactWriter
from api.console.text.times import stamp
from api.routes.reads import zoned
from domain.case.state import Case
from domain.core.fact import Fact
from domain.history.difference import Moved, moves


@dataclass(frozen=True, slots=True)
class Moment:
    """Says when a page shows the case: as known then, and what held at another instant. None = now, not asked."""

    known_at: datetime | None = None
    as_of: datetime | None = None

    def query(self, **other: object) -> str:
        """Return the end of an address that shows this moment; for ever the same."""
        given = {**dict(self.pairs()), **{n: v for n, v in other.items() if v}}
        return f"?{urlencode(given)}" if given else ""

    def pairs(self) -> Sequence[tuple[str, str]]:
        """Return what an address, or a form that leads on, carries of this moment."""
        clocks = {"known_at": self.known_at, "as_of": self.as_of}
        return [(name, stamp(at)) for name, at in clocks.items() if at]

    def at(self, known_at: datetime) -> Moment:
        """Return the same question, as it was known then."""
        return replace(self, known_at=known_at)


def _moment(known_at: datetime | None = None, as_of: datetime | None = None) -> Moment:
    return Moment(known_at and zoned(known_at, "known_at"), as_of and zoned(as_of, "as_of"))


AtMoment = Annotated[Moment, Depends(_moment)]
NOW = Moment()


@dataclass(frozen=True, slots=True)
class Scale:
    """One clock as a slider: its instants, where it stands (`len(instants)` = now, or not asked)."""

    name: str
    instants: Sequence[datetime]
    place: int

    def at(self, place: int | None) -> datetime | None:
        """Return the instant at a place of the slider."""
        return self.instants[place] if place is not None and 0 <= place < len(self.instants) else None


def recorded_scale(facts: Sequence[Fact[Any]], moment: Moment) -> Scale:
    """Return every instant at which something was recorded."""
    return _scale("recorded", {fact.at for fact in facts}, moment.known_at)


def happened_scale(facts: Sequence[Fact[Any]], moment: Moment) -> Scale:
    """Return every instant at which a dated fact began or was over, as far as it was known."""
    ends = {end for f in facts if f.told for end in (f.occurred.earliest, f.occurred.latest) if end}
    return _scale("happened", ends, moment.as_of)


def _scale(name: str, instants: set[datetime], at: datetime | None) -> Scale:
    ordered = sorted(instants)
    return Scale(name, ordered, len(ordered) if at is None else max(sum(one <= at for one in ordered) - 1, 0))


def neighbours(scale: Scale, moment: Moment) -> tuple[datetime | None, datetime | None]:
    """Return the event before and the one after; from now, only the one before the last."""
    at = moment.known_at
    before = [one for one in scale.instants if at and one < scale.instants[scale.place]]
    after = [one for one in scale.instants if at and one > at]
    return (before[-1] if before else None), (after[0] if after else None)


def owed_since(then: Case, now: Case, speaker: FactWriter) -> tuple[Mapping[str, str], Sequence[str]]:
    """Say what became of each obligation, by id, and list those that were opened only later."""
    moved = moves(then, now)
    became = {one.after.id: _became(one, speaker) for one in moved if one.before}
    opened = [speaker.clock.t.named("owed", one.after.kind) for one in moved if one.before is None]
    return became, opened


def _became(one: Moved, speaker: FactWriter) -> str:
    t, (was, due) = speaker.clock.t, one.due
    if one.after.state != "open":
        return t.named("owed_state", one.after.state)
    return t("travel.due_moved", at=speaker.clock.instant(due)) if was != due else t("travel.still_owed")
