"""The clock of this process, held against one that nobody sets: how far the machine's was moved since we began."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from domain.core.errors import Reason, require

BOUND = timedelta(minutes=10)
"""How far two clocks may differ before nothing is recorded."""


def wall() -> datetime:
    """Return what this machine's clock says."""
    return datetime.now(UTC)


def steady() -> float:
    """Return seconds that only run on, those asleep too where the machine counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Clock:
    """Tells the time, and refuses to when it was moved by more than the bound since this process began."""

    def __init__(
        self,
        bound: timedelta = BOUND,
        wall: Callable[[], datetime] = wall,
        steady: Callable[[], float] = steady,
    ) -> None:
        self.bound = bound
        self.wall = wall
        self._steady = steady
        self._began = wall(), steady()

    def told(self) -> datetime:
        """Return what the machine's clock says; where it was moved, the instant by the time that passed."""
        now, meant = self.wall(), self._meant()
        return now if abs(now - meant) <= self.bound else meant

    def require_unmoved(self) -> None:
        """Raise Refused(CLOCK_WRONG) where this machine's clock was moved."""
        now, meant = self.wall(), self._meant()
        require(
            abs(now - meant) <= self.bound,
            Reason.CLOCK_WRONG,
            f"the clock of this machine says {said(now)}; by the time that passed since this process began it is "
            f"{said(meant)}. Nothing is recorded until it is right again; if it is right now, start this process again",
        )

    def _meant(self) -> datetime:
        began, then = self._began
        return began + timedelta(seconds=self._steady() - then)


def said(instant: datetime) -> str:
    """Write an instant so that nobody takes it for another zone's."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
