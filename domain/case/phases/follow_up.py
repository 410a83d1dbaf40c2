"""Says what comes after the return home: visits, contacts, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """Holds how long follow-up lasts after an infusion and the days of its first visits; yearly from there on.

    `zone`: years are those of the calendar there; empty = years of 365.25 days.
    """

    infusion: int
    years: int
    days: tuple[int, ...]
    zone: str = ""


@dataclass(frozen=True)
class FollowUp:
    """Holds what is known of the patient for fifteen years."""

    fit_home: str = ""
    handover: Literal["none", "accepted"] = "none"
    home: datetime | None = None
    contacted: str = ""  # the newest contact since the return home
    died: str = ""
    off_study: str = ""
    progressed: str = ""  # the newest progression since which no clinician has decided how to go on
    trial_hold: str = ""
    visits: Mapping[str, str] = field(default_factory=dict)
    visit_plan: VisitPlan | None = None
    contact_attempts: int = 0
    follow_up: Literal["none", "open", "completed", "died", "withdrawn", "transferred", "lost"] = "none"
