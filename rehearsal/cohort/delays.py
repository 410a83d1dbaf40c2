"""Says when people get round to what they owe."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.case.obligation import Obligation
from domain.core.policy import Party

DAYS: Mapping[Party, tuple[float, float]] = {
    Party.COORDINATOR: (0.05, 1.5),
    Party.SUPERVISOR: (0.2, 3.0),
    Party.REVIEWER: (0.3, 3.0),
    Party.TRANSLATOR: (1.0, 5.0),
    Party.HOSPITAL: (0.5, 4.0),
    Party.FAMILY: (0.2, 4.0),
    Party.CONSULATE: (4.0, 10.0),
    Party.HOME_ONCOLOGIST: (0.5, 8.0),
}
"""From the opening of an obligation to the first thing done about it."""

BEFORE: Mapping[str, tuple[float, float]] = {
    "reconfirm_decision": (1.0, 8.0),
    "dose_hold_renewal": (1.0, 3.5),
    "bed_hold_renewal": (0.5, 2.5),
    "stay_end": (10.0, 20.0),
    "visit": (-1.0, 12.0),
    "response_check": (0.5, 4.0),
    "response_recheck": (5.0, 15.0),
    "monitoring_day": (-0.1, 0.6),
    "arrival": (0.4, 1.0),
    "infusion_window": (9.0, 12.0),
}
"""Days before the deadline, for what the facts give a date."""
AGAIN = timedelta(days=2.3)


def first_try(owed: Obligation, now: datetime, chance: random.Random, pace: float) -> datetime:
    """Return a while after the opening, or before a date that the facts give."""
    if owed.kind in BEFORE and owed.anchor is not None:
        return max(now, owed.due - timedelta(days=chance.uniform(*BEFORE[owed.kind])))
    slower = pace if owed.debtor is Party.FAMILY else 1.0
    return now + timedelta(days=chance.uniform(*DAYS[owed.debtor]) * slower)


def due_again(now: datetime, tries: int) -> datetime:
    """Return when to try again after something did not work; ever more rarely."""
    return now + AGAIN * (1 + tries // 3)
