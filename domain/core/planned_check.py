"""Names what is looked at after an infusion, and on which days: protocols say it, cases plan by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
