"""Names what is looked at after an infusion, and on which days: protocols say it, cases plan by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.core.errors import Reason, require

MonitoringCheck = Literal[
    "clinical_check", "neurology", "blood_count", "chemistry", "coagulation", "persistence", "viral_tests",
    "gvhd_check", "immunoglobulins", "response",
]  # fmt: skip
"""What a protocol asks to be looked at after an infusion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCheck:
    """One check after an infusion, on these days from it, day 0; each may be so many days off (`window`)."""

    what: MonitoringCheck
    days: tuple[int, ...]
    window: int = 0


LAST_MONITORED, WIDEST = 100, 14
"""Monitoring is over by that day, then come visits; a check with a wider window has no day."""


def require_kept(checks: Sequence[PlannedCheck]) -> None:
    """Refuse checks nobody could keep: days out of order or too late, windows too wide, one twice. Raises Refused."""
    days = [row.days for row in checks]
    near = all(row and list(row) == sorted({day for day in row if 0 <= day <= LAST_MONITORED}) for row in days)
    words = f"each check has days from 0 to {LAST_MONITORED}, in order, each once"
    require(near, Reason.INVALID, words, "monitoring")
    narrow = all(0 <= row.window <= WIDEST for row in checks)
    require(narrow, Reason.INVALID, f"a window has from 0 to {WIDEST} days", "monitoring")
    once = len({(row.what, day) for row in checks for day in row.days}) == sum(map(len, days))
    require(once, Reason.INVALID, "each check is planned once on a day", "monitoring")
