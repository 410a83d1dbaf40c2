"""Lists the costs of a case as its page does: the estimate beside the price, line by line, with the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.console.text.fact_text import FactWriter
from domain.case.costs import NOT_ITEMISED, TOTAL, Compared, Costs, Item, compared
from domain.case.state import Case


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line in words: what it is for, both ranges, what the range depends on, and how they differ."""

    words: str
    estimated: str
    quoted: str
    drivers: str
    differs: str
    more: bool
    total: bool


@dataclass(frozen=True, slots=True)
class CostTable:
    """The lines, and what each column says of itself: currency and day."""

    estimated: str
    quoted: str
    rows: Sequence[CostRow]


def cost_table(case: Case, speaker: FactWriter) -> CostTable | None:
    """Return the estimate beside the price; None where nobody has said what it costs."""
    rows = compared(case.estimated, case.quoted)
    if not rows:
        return None
    return CostTable(
        _told(case.estimated, speaker), _told(case.quoted, speaker), [_row(one, case, speaker) for one in rows]
    )


def _told(costs: Costs | None, speaker: FactWriter) -> str:
    return f"{costs.currency}, {speaker.clock.day(costs.at.astimezone(speaker.clock.zone).date())}" if costs else ""


def _row(one: Compared, case: Case, speaker: FactWriter) -> CostRow:
    t = speaker.clock.t
    words = t(f"costs.{one.kind}") if one.kind in (NOT_ITEMISED, TOTAL) else t.named("field", one.kind)
    drivers = one.estimated.drivers if one.estimated else ()
    currency = case.quoted.currency if case.quoted else ""
    return CostRow(
        words,
        range_in_words(one.estimated, speaker),
        range_in_words(one.quoted, speaker),
        ", ".join(t.named("drivers", driver) for driver in drivers),
        _differs(one.over, currency, speaker),
        (one.over or 0) > 0,
        one.kind == TOTAL,
    )


def range_in_words(item: Item | None, speaker: FactWriter) -> str:
    """Return a range as people read it, without its currency; empty where nothing is known."""
    if item is None:
        return ""
    amount = f"{item.low:,}" if item.low == item.high else f"{item.low:,} - {item.high:,}"
    if not item.trial:
        return amount
    borne = speaker.clock.t("costs.trial")
    return f"{amount}, {borne}" if item.high else borne


def _differs(over: int | None, currency: str, speaker: FactWriter) -> str:
    if over is None:
        return ""
    key = "costs.above" if over > 0 else "costs.below" if over < 0 else "costs.within"
    return speaker.clock.t(key, amount=f"{abs(over):,} {currency}")
