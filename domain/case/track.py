"""A track: something asked of somebody, answered, held for a time, and given back when it is no longer wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.core.copying import replace
from domain.core.personal import TraceCode

TrackState = Literal["none", "asked", "held", "lapsed", "released", "done", "refused"]


@dataclass(frozen=True, slots=True)
class Track:
    """Something that runs beside the main line and may end by itself at `until`. `ref` is the holder's own number.

    It is asked for once a `round`; while `answered` is behind, the question is still open.
    """

    state: TrackState = "none"
    ref: TraceCode = ""
    until: datetime | None = None
    fact: str = ""
    round: int = 1
    answered: int = 0

    @property
    def unanswered(self) -> bool:
        """Return whether the present round's question has no answer yet."""
        return self.answered < self.round

    def held(self, ref: str, until: datetime | None, fact: str) -> Track:
        """The answer was yes."""
        return Track("held", ref, until, fact, self.round, self.round)

    def ended(self, state: TrackState, fact: str) -> Track:
        """The answer was no, or what was held is gone; nothing is asked by itself."""
        return Track(state, self.ref, None, fact, self.round, self.round)

    def again(self, fact: str, state: TrackState = "asked") -> Track:
        """Nothing is held any more; a new question is open, asked as soon as the journey needs an answer."""
        return Track(state, "", None, fact, self.round + 1, self.round)

    def renewal(self) -> Track:
        """Ask once more and keep what is held meanwhile."""
        return replace(self, round=self.round + 1)

    def good_at(self, now: datetime) -> bool:
        """Return whether it is held and has not ended."""
        return self.state == "held" and (self.until is None or now < self.until)

    def ended_by(self, now: datetime) -> bool:
        """Return whether it was held and its time is over."""
        return self.state == "held" and not self.good_at(now)
