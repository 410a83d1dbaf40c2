"""Says how the way there and back stands: letter, visas, tickets, stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, get_args

from domain.case.track import Track


@dataclass(frozen=True, slots=True)
class Visa:
    """A traveller's visa [travel.visa]: `valid_until` is enter-by, `stay_days` counts from entry.

    `again`: it was granted, and another is to be applied for, as it does not fit the new arrival.
    """

    person: str
    state: Literal["filed", "granted", "refused", "lapsed", "used"]
    round: int = 1
    category: str = ""
    valid_until: datetime | None = None
    stay_days: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Postponement:
    """The hospital admits from this day on, as the fact says that told it last."""

    admits_from: date
    fact: str


SlipKind = Literal[
    "acceptance", "protocol", "dose", "bed", "letter", "visa", "stay", "passport", "fitness", "ticket", "lodging",
    "interpreter", "transfer", "local_contact", "admission", "depletion", "quote",
]  # fmt: skip
SLIP_KINDS: tuple[SlipKind, ...] = get_args(SlipKind)


@dataclass(frozen=True, slots=True)
class SlipStep:
    """One thing that does not hold on a day of arrival: it ends at `until`, None = nothing is held or it has no end.

    `about` is a traveller, or the round of tickets; `needed` is the instant until which it would have to hold.
    """

    kind: SlipKind
    about: str
    until: datetime | None
    needed: datetime

    @property
    def name(self) -> str:
        """Return how people and programs name the step: `dose`, or `visa:person-1`."""
        return f"{self.kind}:{self.about}" if self.about else self.kind


@dataclass(frozen=True, slots=True)
class MovedArrival:
    """The day the arrival was moved to, by which fact, and what of its plan was carried out and what was left out."""

    arrives: date
    fact: str
    carried_out: tuple[SlipStep, ...] = ()
    left_out: tuple[SlipStep, ...] = ()


@dataclass(frozen=True, slots=True)
class MovedInfusion:
    """The day the next infusion was moved to, by which fact, and what of its plan was carried out and what left out.

    `plan`: the day the hospital's plan of lymphodepletion named then, None = none; `given`: the infusions before it.
    """

    infusion_day: date
    fact: str
    plan: date | None = None
    given: int = 0
    carried_out: tuple[SlipStep, ...] = ()
    left_out: tuple[SlipStep, ...] = ()


@dataclass(frozen=True)
class Travel:
    """Holds what a journey across a border needs, and where it stands."""

    letter: Track = field(default_factory=Track)
    visas: Mapping[str, Visa] = field(default_factory=dict)
    passports: Mapping[str, date] = field(default_factory=dict)
    stay_plan: Mapping[str, Any] = field(default_factory=dict)
    postponed: Postponement | None = None
    moved: MovedArrival | None = None  # until the stay is planned anew
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
