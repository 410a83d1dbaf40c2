"""Says how the way there and back stands: letter, visas, tickets, stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from domain.case.track import Track


@dataclass(frozen=True, slots=True)
class Visa:
    """A traveller's visa [travel.visa]: `valid_until` is enter-by, `stay_days` counts from entry."""

    person: str
    state: Literal["filed", "granted", "refused", "lapsed", "used"]
    round: int = 1
    category: str = ""
    valid_until: datetime | None = None
    stay_days: int = 0


@dataclass(frozen=True, slots=True)
class Postponement:
    """The hospital admits from this day on, as the fact says that told it last."""

    admits_from: date
    fact: str


@dataclass(frozen=True)
class Travel:
    """Holds what a journey across a border needs, and where it stands."""

    letter: Track = field(default_factory=Track)
    visas: Mapping[str, Visa] = field(default_factory=dict)
    passports: Mapping[str, date] = field(default_factory=dict)
    stay_plan: Mapping[str, Any] = field(default_factory=dict)
    postponed: Postponement | None = None
    fit_to_travel: Track = field(default_factory=Track)
    travel: Track = field(default_factory=Track)
    shut: tuple[str, ...] = ()  # doors that closed after the tickets were bought
    shut_fact: str = ""
    spare: tuple[tuple[str, str], ...] = ()  # effect kind, fact: acquired, no longer wanted, to be given back
    returning: bool = False  # home, and to come again for another treatment
    entered: datetime | None = None
    stay_until: datetime | None = None
    extension: Literal["none", "filed", "granted", "refused"] = "none"
    address: str = ""
