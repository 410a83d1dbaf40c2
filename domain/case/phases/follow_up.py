"""Says what comes after the return home: visits, contacts, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.core.personal import TraceCode


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """Holds how long follow-up lasts after an infusion and the days of its first visits; yearly from there on.

    `zone`: years are those of the calendar there; empty = years of 365.25 days.
    """

    infusion: int
    years: int
    days: tuple[int, ...]
    zone: str = ""


@dataclass(frozen=True, slots=True)
class RegistryForm:
    """Holds what a registry last said of a form, its receipt, how often it sent it back, and when that was told."""

    state: Literal["accepted", "rejected"]
    receipt: TraceCode
    rejected: int
    at: datetime


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
    heard: datetime | None = None  # the newest sign of life in follow-up
    tried: tuple[str, ...] = ()  # in vain since then, by which channels
    skipped: Mapping[str, str] = field(default_factory=dict)  # ways passed over since then, each with its fact
    follow_up: Literal["none", "open", "completed", "died", "withdrawn", "transferred", "lost", "stopped"] = "none"


@dataclass(frozen=True)
class Reported:
    """Holds what a year's questions were answered, and what registries were told of the patient."""

    yearly: Mapping[str, str] = field(default_factory=dict)  # year asked about → the fact that answered, empty = none
    registries: Mapping[str, TraceCode] = field(default_factory=dict)  # told of this patient → the number there
    registry_forms: Mapping[str, RegistryForm] = field(default_factory=dict)  # by `registry/form`
