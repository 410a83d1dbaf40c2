"""Says what a treatment costs, line by line as ranges, who bears a line, and how a price differs from the estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal, get_args

LineKind = Literal[
    "hospital_charges", "cell_product", "lymphodepletion", "monitoring", "accommodation", "interpreter", "contingency"
]
KINDS: tuple[LineKind, ...] = get_args(LineKind)
"""The seven lines [eligibility.cost-lines]; the contingency is for re-dosing or a transplant that may follow."""
Driver = Literal["protocol", "hospital", "access", "condition"]
"""What a range depends on: the protocol, the hospital, trial or approved use, how the patient is at admission."""
MOST = 10**12
"""No line costs more, in any currency, and no sum that is told as one number."""
TOO_MUCH = f"at most {MOST} of a currency's main unit"
NOT_ITEMISED, TOTAL = "not_itemised", "total"


@dataclass(frozen=True, slots=True)
class CostLine:
    """A range in the currency's main unit; without `high` it is exactly `low`. `drivers`: what it depends on."""

    low: int
    high: int | None = None
    drivers: tuple[Driver, ...] = ()

    @property
    def most(self) -> int:
        """Return the upper end of the range."""
        return self.low if self.high is None else self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLines:
    """The seven lines, as far as they are known. Lines of `trial_pays` are never charged to the family."""

    hospital_charges: CostLine | None = None
    cell_product: CostLine | None = None
    lymphodepletion: CostLine | None = None
    monitoring: CostLine | None = None
    accommodation: CostLine | None = None
    interpreter: CostLine | None = None
    contingency: CostLine | None = None
    trial_pays: tuple[LineKind, ...] = ()

    def line(self, kind: LineKind) -> CostLine | None:
        """Return one line."""
        found: CostLine | None = getattr(self, kind)
        return found

    @property
    def itemised(self) -> bool:
        """Return whether any line is named at all."""
        return bool(self.trial_pays) or any(self.line(kind) for kind in KINDS)

    @property
    def charged(self) -> tuple[int, int]:
        """Return the least and the most that the family pays by these lines."""
        lines = [line for kind in KINDS if kind not in self.trial_pays and (line := self.line(kind))]
        return sum(line.low for line in lines), sum(line.most for line in lines)


def lines_of(told: CostLines) -> CostLines:
    """Return the lines of a command or an event, without what else it says."""
    return CostLines(**{field.name: getattr(told, field.name) for field in fields(CostLines)})


@dataclass(frozen=True, slots=True)
class Costs:
    """An estimate or a price as it was told last, by which fact and when; `low` to `high` is what the family pays."""

    fact: str
    at: datetime
    currency: str
    low: int
    high: int
    lines: CostLines


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an estimate or a price as people read it; what the trial bears costs the family nothing."""

    low: int
    high: int
    drivers: tuple[Driver, ...] = ()
    trial: bool = False

    @property
    def charged(self) -> tuple[int, int]:
        """Return what of it the family pays."""
        return (0, 0) if self.trial else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the estimate beside that of the price.

    `over`: by how much the family pays more than the estimate's upper end, or less (negative) than its lower end;
    0 = within the range, None = not to be compared: one is missing, or the currencies differ.
    """

    kind: str
    estimated: Item | None
    quoted: Item | None
    over: int | None


def items(costs: Costs) -> dict[str, Item]:
    """Return the lines by kind; a sum that was told as one number is one line that says so."""
    if not costs.lines.itemised:
        return {NOT_ITEMISED: Item(costs.low, costs.high)}
    return {kind: item for kind in KINDS if (item := _item(costs.lines, kind))}


def _item(lines: CostLines, kind: LineKind) -> Item | None:
    line, trial = lines.line(kind), kind in lines.trial_pays
    if line is None:
        return Item(0, 0, (), trial) if trial else None
    return Item(line.low, line.most, line.drivers, trial)


def compared(estimate: Costs | None, quote: Costs | None) -> Sequence[Compared]:
    """Return the estimate beside the price that supersedes it: line by line, and last what the family pays in all."""
    if estimate is None and quote is None:
        return []
    one, other = (items(costs) if costs else {} for costs in (estimate, quote))
    same = bool(estimate and quote and estimate.currency == quote.currency)
    kinds = [kind for kind in (*KINDS, NOT_ITEMISED) if kind in one or kind in other]
    rows = [
        Compared(kind, one.get(kind), other.get(kind), _over(one.get(kind), other.get(kind), same)) for kind in kinds
    ]
    sums = [Item(costs.low, costs.high) if costs else None for costs in (estimate, quote)]
    return [*rows, Compared(TOTAL, sums[0], sums[1], _over(sums[0], sums[1], same))]


def _over(estimated: Item | None, quoted: Item | None, same_currency: bool) -> int | None:
    if estimated is None or quoted is None or not same_currency:
        return None
    (low, high), (least, most) = estimated.charged, quoted.charged
    return max(0, most - high) or min(0, least - low)
