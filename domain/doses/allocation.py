"""Says of every unit of a product whether a case can have it now, and why it was passed over if not [doses.order]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.core.personal import Trace
from domain.doses import codes
from domain.doses.stock import Lot
from domain.doses.unit import Unit

PassedBecause = Literal[
    "lot_not_released",
    "expires_too_soon",
    "donor_antibodies",
    "donor_not_typed",
    "of_another_patient",
    "stopped",
    "held",
    "committed",
    "on_the_way",
    "arrived",
    "set_aside",
    "used",
    "destroyed",
    "expires_later",
    "others_first",
]
"""Why a unit was not the one: what is wrong with its lot, whose it is, or that another, or another case, goes first."""
WhyNone = Literal["none_available", "lot_not_released", "expires_too_soon", "others_first"]
"""Why a case gets no unit now; `others_first`: those that are free are for cases that wait before it."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Counts the units of a lot that were passed over for one reason."""

    lot: Trace
    because: PassedBecause
    units: int


@dataclass(frozen=True, slots=True)
class DoseWanted:
    """Says what a case asks of a unit: to be held until then, of a lot that lasts longer, and of whose cells not.

    `antibodies` are HLA alleles the patient has antibodies against, where the protocol asks for these.
    """

    case: str
    until: datetime
    lasts: datetime
    antibodies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StockedLot:
    """One lot of the product as it stands. `donors`: the HLA alleles of each donor it was made of; not typed = none."""

    stream: str
    lot: Lot
    donors: Sequence[frozenset[str]] = ()


Judged = Mapping[str, PassedBecause | None]
"""Unit → why it cannot be had now; None = it can."""


def in_order(stock: Iterable[StockedLot]) -> Sequence[StockedLot]:
    """Return the lots, the soonest to expire first [doses.order]."""
    known = [one for one in stock if one.lot.expires is not None]
    return sorted(known, key=lambda one: (one.lot.expires, one.stream))


def judged(stocked: StockedLot, wanted: DoseWanted, now: datetime) -> Judged:
    """Return of every unit of a lot why the case cannot have it now."""
    unfit = _unfit(stocked, wanted)
    return {name: _taken(unit, now) or unfit for name, unit in stocked.lot.units.items()}


def fits(verdict: Judged) -> bool:
    """Return whether one of the units can be had."""
    return any(why is None for why in verdict.values())


def passed_over(stream: str, verdict: Judged, *, chosen: bool = False) -> Sequence[PassedOver]:
    """Return the units of a lot that were passed over, by reason; free ones are where another lot was `chosen`."""
    why: Counter[PassedBecause] = Counter(
        because or "expires_later" for because in verdict.values() if because or not chosen
    )
    return [PassedOver(stream, because, units) for because, units in sorted(why.items())]


def _unfit(stocked: StockedLot, wanted: DoseWanted) -> PassedBecause | None:
    lot = stocked.lot
    if lot.bound and not lot.bound.of(wanted.case):
        return "of_another_patient"
    if lot.state != "released":
        return "lot_not_released"
    if lot.expires is None or lot.expires <= wanted.lasts:
        return "expires_too_soon"
    if not wanted.antibodies:
        return None
    if any(codes.meets(wanted.antibodies, typed) for typed in stocked.donors):
        return "donor_antibodies"
    return None if stocked.donors and all(stocked.donors) else "donor_not_typed"


def _taken(unit: Unit, now: datetime) -> PassedBecause | None:
    """Why the unit itself cannot be had, whatever its lot."""
    if unit.free_at(now):
        return None
    return "stopped" if unit.stopped or unit.state == "free" else unit.state
