"""Says what is arranged with others for a journey: what of, with whom, for when, and how far it is agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_args

from domain.case.phases.travel import MovedInfusion
from domain.core.personal import Identity

ArrangementKind = Literal[
    "lodging", "interpreter", "transfer", "local_contact", "tele_consultation", "admission", "visit"
]  # fmt: skip
ARRANGEMENT_KINDS: tuple[ArrangementKind, ...] = get_args(ArrangementKind)
AskedOf = Literal["centre", "lodging_house", "agency", "family"]
Payer = Literal["", "family", "trial", "hospital", "charity"]
Mode = Literal["", "present", "phone", "video"]
Setting = Literal["", "consultations", "ward", "everyday"]
State = Literal["asked", "offered", "confirmed", "refused", "lapsed", "over", "cancelled"]
LIVE: frozenset[State] = frozenset({"asked", "offered", "confirmed"})
"""In these states somebody outside reckons with it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that a centre offers: from, until."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One thing arranged. `starts` and `ends` are when it is wanted, and once confirmed when it is.

    `round` counts how often it was asked for; `arrives` is the planned day of arrival it was asked for, None = it does
    not move with the arrival. `distance_km` is the way to the centre, at most that far while asked. `told` names the
    personal details that are known: a rule reads the names, never the details. `slot`: one that was offered was chosen.
    `offers` counts how often times were offered in this round. `agreed` is the time that was agreed last, of an
    appointment; `called_off` the one that does not take place, until another is agreed; `revived` counts those.
    """

    id: str
    kind: ArrangementKind
    asked_of: AskedOf
    centre: str
    state: State
    starts: datetime
    ends: datetime
    round: int = 1
    arrives: date | None = None
    distance_km: int | None = None
    payer: Payer = ""
    language_from: str = ""
    language_to: str = ""
    mode: Mode = ""
    setting: Setting = ""
    hours_a_day: int | None = None
    place: Identity = ""
    flight: Identity = ""
    contact: Identity = ""
    phone: Identity = ""
    emergency_number: Identity = ""
    told: frozenset[str] = frozenset()
    ref: str = ""
    code: str = ""
    slots: tuple[Slot, ...] = ()
    slot: bool = False
    asked_at: datetime | None = None
    offers: int = 0
    agreed: datetime | None = None
    called_off: datetime | None = None
    revived: int = 0

    @property
    def about(self) -> str:
        """Return what an obligation or effect about it is about: its id, and the round of asking."""
        return f"{self.id}/{self.round}"

    @property
    def live(self) -> bool:
        """Return whether somebody outside reckons with it."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class MovingCost:
    """What moving or giving up one booking costs, from `low` to `high` of the currency's main unit, and when told.

    `round` says which of the times it was asked for; until `free_until` it costs nothing.
    """

    round: int
    currency: str
    low: int
    high: int
    free_until: datetime | None
    told: datetime

    def free(self, now: datetime) -> bool:
        """Return whether it may still be moved for nothing."""
        return self.free_until is not None and now < self.free_until


@dataclass(frozen=True)
class Arrangements:
    """Holds everything that is arranged with others, by id, in the order it was first asked for."""

    arrangements: Mapping[str, Arrangement] = field(default_factory=dict)
    moving_costs: Mapping[str, MovingCost] = field(default_factory=dict)  # by the name of the plan's step
    arrival_waived: frozenset[str] = frozenset()  # what the family travels without
    moved_infusion: MovedInfusion | None = None
