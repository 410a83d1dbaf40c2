"""Says how long from a choice to a first dose: part by part, each with what it rests on [eligibility.first-dose].

What nobody told is not known and named as such, never a number. The parts are added as if one followed the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from domain.case.state import Case
from domain.case.undoing import Fate
from domain.catalogue.protocols.classes import CLASSES
from domain.core.policy import Policy, Span
from domain.criteria.checks import Offer
from domain.stages.travel.backward_plan import ONCE_THERE, STEPS

PartName = Literal[
    "decision", "letter", "visa", "travel", "bed", "screening", "apheresis", "manufacture", "dose", "lymphodepletion"
]
Because = Literal["done", "not_needed", "policy", "protocol", "stock", "reported", "no_unit", "not_told"]
"""What a part rests on; `reported`: of such products in general. The last two: it is not known."""
PLANNED: Mapping[PartName, tuple[str, str]] = {
    "letter": ("acceptance", "letter"),
    "visa": ("letter", "visa"),
    "travel": ("visa", "admission"),
    "screening": ("admission", "depletion"),
}
"""Part → the steps of the policy's plan it lies between: its lead times say how many days it plans for that."""
ON_THE_WAY: Sequence[PartName] = ("decision", "letter", "visa", "travel", "bed", "screening")
"""The parts of every way, in order of the journey; then come those of the product."""
DONE: Mapping[PartName, str] = {
    "decision": "acceptance",
    "letter": "letter",
    "visa": "visa",
    "travel": "admission",
    "bed": "bed",
    "screening": "screening",
    "dose": "dose",
}
"""Part → the step of the plan with which it is over, where this centre accepted the patient under this protocol."""
ABROAD: frozenset[PartName] = frozenset(("letter", "visa"))
"""What nobody needs who stays in the country."""
MADE: Collection[Fate] = ("made", "remade")
COLLECTED: Collection[str] = ("held", "received", "stored", "in_manufacture", *MADE)
"""How the patient's own cells stand once they were collected, and once the product was made of them."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the way to a first dose, from `least` to `most` days; both None = not known."""

    name: PartName
    because: Because
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class FirstDose:
    """Says when a first dose may be: its parts in order of the journey."""

    parts: Sequence[Part]

    @property
    def least(self) -> int:
        """Return the days of the parts that are known, at their shortest."""
        return sum(one.least or 0 for one in self.parts)

    @property
    def known_most(self) -> int:
        """Return the days of the parts that are known, at their longest."""
        return sum(one.most or 0 for one in self.parts)

    @property
    def most(self) -> int | None:
        """Return the days at their longest; None while a part is not known."""
        return None if self.unknown else self.known_most

    @property
    def unknown(self) -> Sequence[PartName]:
        """Return the parts that nobody can tell."""
        return [one.name for one in self.parts if one.most is None]


@dataclass(frozen=True, slots=True)
class _Way:
    """One offer seen from a case; `mine`: the case was accepted there under that protocol."""

    case: Case
    offer: Offer
    now: datetime
    policy: Policy

    @property
    def mine(self) -> bool:
        accepted = self.case.accepted
        return accepted is not None and (accepted.protocol, accepted.centre) == (self.offer.protocol, self.offer.centre)

    def days(self, span: Span) -> int:
        """Count days of the calendar, working days as they fall where the centre is."""
        country = self.offer.country or self.policy.home_country
        return max(0, ceil((self.policy.instant(self.now, span, country) - self.now) / DAY))

    def cells(self, states: Collection[str]) -> bool:
        """Return whether the patient's own cells were collected for this way and stand so."""
        accepted = self.case.accepted
        if accepted is None or not self.mine:
            return False
        own = [one for one in self.case.resources.values() if one.kind == "patient_cells"]
        return any(one.submission == accepted.id and one.state in states for one in own)


def time_to_first_dose(
    case: Case, offer: Offer, lasting: Collection[datetime], now: datetime, policy: Policy
) -> FirstDose:
    """Return the days from now to a first dose by one way.

    `lasting`: of each released lot of the product with a free unit, the instant it expires.
    """
    way = _Way(case, offer, now, policy)
    parts = [_part(name, way) for name in ON_THE_WAY]
    by_class = CLASSES[offer.product]
    last = _lymphodepletion(way)
    if by_class.ready_days:
        return FirstDose((*parts, _apheresis(way), _manufacture(way, by_class.ready_days), last))
    if not by_class.units:
        return FirstDose((*parts, last))
    return FirstDose((*parts, _dose(way, FirstDose((*parts, last)), lasting), last))


def _part(name: PartName, way: _Way) -> Part:
    if way.mine and name in DONE and _over(DONE[name], way.case):
        return Part(name, "done", 0, 0)
    if name in ABROAD and way.offer.country and way.offer.country == way.case.country:
        return Part(name, "not_needed", 0, 0)
    if name in PLANNED:
        return _planned(name, way)
    return _decision(way) if name == "decision" else Part(name, "not_told")  # no catalogue says when a bed is free


def _over(step: str, case: Case) -> bool:
    return STEPS[step](case) or (step in ONCE_THERE and case.entered is not None)


def _planned(name: PartName, way: _Way) -> Part:
    first, last = (way.policy.lead_times.get(step) for step in PLANNED[name])
    if first is None or last is None:
        return Part(name, "not_told")
    return Part(name, "policy", 0, max(0, way.days(first) - way.days(last)))


def _decision(way: _Way) -> Part:
    """The policy says until when the hospital is asked to answer."""
    due = way.policy.ladder("hospital_decision", urgent=way.case.urgent).due
    return Part("decision", "policy", 0, way.days(due)) if due else Part("decision", "not_told")


def _apheresis(way: _Way) -> Part:
    return Part("apheresis", "done", 0, 0) if way.cells(COLLECTED) else Part("apheresis", "not_told")


def _manufacture(way: _Way, ready: tuple[int, int]) -> Part:
    """Cells that are being made already may be ready sooner; how long it takes at most is the same."""
    if way.cells(MADE):
        return Part("manufacture", "done", 0, 0)
    least, most = ready
    return Part("manufacture", "reported", 0 if way.cells(("in_manufacture",)) else least, most)


def _lymphodepletion(way: _Way) -> Part:
    if way.mine and way.case.treatment and way.case.treatment.depletion in ("completed", "omitted"):
        return Part("lymphodepletion", "done", 0, 0)
    told = way.offer.depletion_days
    return Part("lymphodepletion", "protocol", *told) if told else Part("lymphodepletion", "not_told")


def _dose(way: _Way, others: FirstDose, lasting: Collection[datetime]) -> Part:
    """A unit counts that lasts until the latest day the other parts lead to, and the margin [doses.margin].

    While one of them is not known, that day is no sooner than the policy's plan has it.
    """
    if way.mine and _over(DONE["dose"], way.case):
        return Part("dose", "done", 0, 0)
    plan = way.policy.lead_times.get("acceptance")
    days = max(others.known_most, way.days(plan) if others.unknown and plan else 0)
    needed = way.now + timedelta(days=days) + way.policy.dose_margin
    return Part("dose", "stock", 0, 0) if any(end > needed for end in lasting) else Part("dose", "no_unit")
