"""Says what travels without the patient: doses and the patient's own cells, by whom, and from hand to hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Literal, get_args

from domain.core.personal import Identity, TraceCode

Cargo = Literal["dose", "cells_out", "cells_back"]
CARGOES: tuple[Cargo, ...] = get_args(Cargo)
Holder = Literal["depot", "maker", "carrier", "customs", "hospital"]
Condition = Literal["as_packed", "damaged", "opened", "thawed"]
Finding = Literal["seal", "identity", "condition", "excursion", "lost"]
State = Literal["planned", "on_the_way", "arrived", "cancelled", "lost"]
LIVE: frozenset[State] = frozenset({"planned", "on_the_way"})
"""In these states somebody still has to hand it over."""


@dataclass(frozen=True, slots=True)
class ShippingLeg:
    """One part of the way, by one carrier, from when to when."""

    carrier: str
    departs: datetime
    arrives: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """It went from one hand to another at an instant. `findings` say what was not as it should be.

    `seal` is the number that was read, `new_seal` the one put on instead. `gave` and `took` are the persons.
    """

    giver: Holder
    taker: Holder
    at: datetime
    condition: Condition
    seal: str
    new_seal: str
    findings: tuple[Finding, ...]
    gave: Identity = ""
    took: Identity = ""
    place: Identity = ""

    @property
    def sealed_with(self) -> str:
        """Return the seal it went on with."""
        return self.new_seal or self.seal


def _following(holder: str, rest: Sequence[Handover]) -> Handover:
    """Of what holder gives, what somebody gives on goes first; where holder gives nothing, what nobody was given."""
    givers, takers = {h.giver for h in rest}, {h.taker for h in rest}
    own = [h for h in rest if h.giver == holder] or [h for h in rest if h.giver not in takers] or list(rest)
    return next((h for h in own if h.taker in givers), own[0])


def in_order(handovers: Iterable[Handover]) -> tuple[Handover, ...]:
    """Return the chain by its instants; of several at one instant, whoever has it gives it on."""
    chain: list[Handover] = []
    for _, those in groupby(sorted(handovers, key=lambda h: h.at), key=lambda h: h.at):
        rest = list(those)
        while rest:
            following = _following(chain[-1].taker if chain else "", rest)
            rest.remove(following)
            chain.append(following)
    return tuple(chain)


@dataclass(frozen=True, slots=True)
class UnexplainedGap:
    """One person says that nobody can explain the gap of that instant; of two it is closed."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """One way of one dose, or of the patient's own cells. `carries` is the code on its label.

    `shipper` is the store it travels in, `handovers` stand in the order of their instants. `stops` are the findings by
    which it was stopped, the oldest first, `judged` how many of them quality assurance has decided on and `outcome`
    how; `proposed_by` is the first of two people. `late_for` is the expected arrival that was not kept, `warmed` tells
    that its store was too warm or unwatched while it lay there. `unexplained` are the gaps nobody can explain, by who
    said so.
    """

    id: str
    cargo: Cargo
    centre: str
    carries: TraceCode
    legs: tuple[ShippingLeg, ...]
    lot: TraceCode = ""
    resource: str = ""
    shipper: str = ""
    seal: str = ""
    state: State = "planned"
    handovers: tuple[Handover, ...] = ()
    stops: tuple[Finding, ...] = ()
    judged: int = 0
    outcome: Literal["", "use", "discard"] = ""
    proposed_by: str = ""
    judged_by: str = ""
    late_for: datetime | None = None
    warmed: bool = False
    unexplained: tuple[UnexplainedGap, ...] = ()

    @property
    def live(self) -> bool:
        """Return whether somebody still has to hand it over; what quality assurance had destroyed goes to nobody."""
        return self.state in LIVE and self.outcome != "discard"

    @property
    def departs(self) -> datetime:
        """Return when it is to leave."""
        return self.legs[0].departs

    @property
    def arrives(self) -> datetime:
        """Return when it is expected."""
        return self.legs[-1].arrives

    @property
    def left(self) -> datetime | None:
        """Return when it left the storage it was kept in; None = nobody has told of it."""
        return self.handovers[0].at if self.handovers else None

    @property
    def came(self) -> datetime | None:
        """Return when it was where it goes to; None = not yet."""
        return self.handovers[-1].at if self.state == "arrived" else None

    @property
    def stopped(self) -> bool:
        """Return whether something was found on its way that quality assurance has not decided on."""
        return len(self.stops) > self.judged

    @property
    def telling(self) -> str:
        """Return what its lot is to be told of now: the shipment, and how much has become of it."""
        return f"{self.id}/{len(self.handovers) + len(self.stops) + self.judged}"

    @property
    def gaps(self) -> tuple[datetime, ...]:
        """Return the instants at which somebody gave it on who had not taken it, as far as was told."""
        return tuple(next_.at for one, next_ in pairwise(self.handovers) if one.taker != next_.giver)

    @property
    def open_gaps(self) -> tuple[datetime, ...]:
        """Return those of its gaps of which two people have not said yet that nobody can explain them."""
        said = Counter(one.at for one in set(self.unexplained))
        return tuple(at for at in self.gaps if said[at] < 2)  # noqa: PLR2004 - two people


@dataclass(frozen=True)
class Shipments:
    """Holds everything that travels without the patient, by id, in the order it was planned."""

    shipments: Mapping[str, Shipment] = field(default_factory=dict)
