"""What the family's page says beside the messages: where the case stands, what is needed, when, and whom to call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.console.text.times import ViewerClock
from domain.case.costs import Costs
from domain.case.phases.arrangements import Arrangement
from domain.case.state import Case
from domain.core.about import About
from domain.core.personal import readable
from domain.core.policy import Party

TOLD = ("place", "contact", "phone", "emergency_number")
"""What is said of an appointment or another thing arranged, where it is known."""


@dataclass(frozen=True, slots=True)
class FamilyPage:
    """What a family reads of its case, in plain words and by its own clock; nothing of it is advice."""

    stands: str
    needed: Sequence[tuple[str, str]]
    appointments: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]
    consents: Sequence[tuple[str, bool]]
    price: str
    offered: bool


def family_page(case: Case, clock: ViewerClock) -> FamilyPage:
    """Return what the page shows of the case as it stands now. `price` is empty where none was named."""
    t = clock.t
    ahead = sorted((a for a in case.arrangements.values() if _agreed(a, clock)), key=lambda one: one.starts)
    price = case.quoted or case.estimated
    return FamilyPage(
        t.named("family_stage", case.stage.value),
        list(_needed(case, clock)),
        [(t.named("kind", a.kind), clock.instant(a.starts), list(_details(a, clock))) for a in ahead],
        [(t.named("purpose", one.purpose), one.given) for one in case.consents.values()],
        _range(price) if price else "",
        case.quoted is not None,
    )


def _agreed(one: Arrangement, clock: ViewerClock) -> bool:
    return one.state == "confirmed" and one.ends > clock.now


def _needed(case: Case, clock: ViewerClock) -> Iterable[tuple[str, str]]:
    """What the family owes, the most urgent first, each with the instant until which it is expected."""
    open_ = [o for o in case.obligations.values() if o.state == "open" and o.debtor is Party.FAMILY]
    for owed in sorted(open_, key=lambda one: one.due):
        item = case.records.get(About.of(owed.about).id)
        words = clock.t.named("record", item.kind) if item else clock.t.named("owed", owed.kind)
        yield words, clock.instant(owed.due)


def _details(one: Arrangement, clock: ViewerClock) -> Iterable[tuple[str, str]]:
    for name in TOLD:
        value = getattr(one, name)
        if readable(value):
            yield clock.t.named("field", name), str(value)


def _range(costs: Costs) -> str:
    low, high = f"{costs.low:,}", f"{costs.high:,}"
    return f"{low} {costs.currency}" if low == high else f"{low} - {high} {costs.currency}"
