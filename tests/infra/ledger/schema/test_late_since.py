"""Revision 0016 fills into a ledger of before since when each chase is late, as today's program writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from activities.ports import Views
from domain.case.obligation import (
    Event,
    Obligation,
    ObligationMissed,
    ObligationOpened,
    ObligationRedated,
    overdue_since,
)
from domain.core.policy import Party
from domain.engine.evolve import EVENTS
from infra.ledger.schema import migrate
from tests.infra.ledger.cases import case_row, new_id, obligation, opened, stream, writing

DUE, DAY = datetime(2026, 5, 1, 9, tzinfo=UTC), timedelta(days=1)
FILL = (Path(migrate.__file__).parent / "migrations" / "versions" / "0016_tasks.sql").read_text().split(";")[1]


def owed(kind: str, about: str, days: int) -> ObligationOpened:
    return ObligationOpened(new_id(), kind, about, Party.HOSPITAL, Party.COORDINATOR, DUE + days * DAY, (), "p")


async def test_a_chase_is_late_since_the_last_instant_it_was_given(
    postgres: str, tmp_path: Path, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    name = stream("case")
    quote, again, visit = owed("quote", "s/1", -30), owed("quote", "s/1", -9), owed("visit", "v", -2)
    chase, other = owed("chase", "quote:s/1", 3), owed("chase", "visit:v", 4)
    moved = ObligationRedated(visit.obligation, DUE - DAY, (), "asked for")
    events: list[Event] = [
        *(quote, ObligationMissed(quote.obligation, late=False), again, ObligationMissed(again.obligation, late=False)),
        *(visit, moved, ObligationMissed(visit.obligation, late=False), chase, other),
    ]
    views = Views(case_row(new_id()), [obligation(o.obligation, kind=o.kind, about=o.about) for o in (chase, other)])
    ledger = await opened(postgres, tmp_path, events=EVENTS)
    await ledger.append(writing(name, 0, *events, views=views))
    await ledger.close()
    await admin.execute(FILL)
    rows = await admin.fetch("select id, late_since from obligation_view where stream = $1", name)
    assert dict(map(tuple, rows)) == {chase.obligation: DUE - 9 * DAY, other.obligation: DUE - DAY}
    assert overdue_since(known(chase), [missed(quote), missed(again)]) == DUE - 9 * DAY


def known(o: ObligationOpened, state: str = "open") -> Obligation:
    at = DUE - 40 * DAY
    return Obligation(o.obligation, o.kind, o.about, o.debtor, o.creditor, at, o.due, (), state=state)  # type: ignore[arg-type]


def missed(o: ObligationOpened) -> Obligation:
    return known(o, "missed")
