"""What was missed and is chased stands at the instant it was due, before everything that is still to come."""

from __future__ import annotations

from datetime import timedelta

from activities.views import case_views
from domain.case.obligation import Obligation, overdue_since
from domain.core.copying import replace
from domain.core.policy import Party
from tests.domain.course import start
from tests.domain.journey import START as NOW

DAY = timedelta(days=1)


def owed(kind: str, about: str, due: int, state: str = "open") -> Obligation:
    """Due so many days from now."""
    at = NOW + due * DAY
    return Obligation(f"{kind}/{about}", kind, about, Party.COORDINATOR, Party.FAMILY, NOW, at, (), state=state)  # type: ignore[arg-type]


def row(*obligations: Obligation) -> tuple[object, ...]:
    case = replace(start("infused").case, obligations={o.id: o for o in obligations})
    shown = case_views(case).case or {}
    return shown["next_due"], shown["next_kind"], shown["next_debtor"]


def test_what_is_chased_comes_first_since_it_was_due() -> None:
    missed, chase, soon = owed("quote", "s", -3, "missed"), owed("chase", "quote:s", 2), owed("visit", "v", 1)
    assert row(missed, chase, soon) == (NOW - 3 * DAY, "chase:quote", "coordinator")
    assert row(missed, soon) == (NOW + DAY, "visit", "coordinator"), "nobody chases it any more"
    assert row(soon) == (NOW + DAY, "visit", "coordinator")
    assert row() == (None, None, None)


def test_of_several_the_longest_overdue_and_of_the_same_the_newest() -> None:
    first, again = owed("quote", "s", -9, "missed"), replace(owed("quote", "s", -1, "missed"), id="later")
    other, chases = (
        owed("bed_answer", "", -4, "missed"),
        [owed("chase_again", "quote:s", 3), owed("chase", "bed_answer:", 5)],
    )
    assert row(first, again, other, *chases) == (NOW - 4 * DAY, "chase:bed_answer", "coordinator")
    assert overdue_since(chases[0], [first, again]) == NOW - DAY
    assert overdue_since(first, [first, again]) is None


def test_a_task_that_chases_says_since_when_it_is_late() -> None:
    missed, chase, soon = owed("quote", "s", -3, "missed"), owed("chase", "quote:s", 2), owed("visit", "v", 1)
    case = replace(start("infused").case, obligations={o.id: o for o in (missed, chase, soon)})
    shown = {row["id"]: row["late_since"] for row in case_views(case).obligations or ()}
    assert shown == {"visit/v": None, "chase/quote:s": NOW - 3 * DAY}
