"""Verifying finds what was changed, and rebuilding finds read models that are not what the events say."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from activities.ports import Attention, Views
from domain.catalogue import installation
from domain.core.fact import Fact
from infra.ledger.encoding.codec import Codec
from infra.ledger.ledger import PgLedger
from infra.ledger.rebuild import Rebuild
from tests.infra.audit.proved import broken
from tests.infra.ledger.cases import (
    CANARY,
    EVENTS,
    Contact,
    Counted,
    case_row,
    effect,
    obligation,
    stream,
    writing,
)

Admin = asyncpg.Connection


@asynccontextmanager
async def meddled(admin: "Admin[asyncpg.Record]", *statements: str) -> AsyncIterator[None]:
    """What somebody with all rights did, undone afterwards."""
    await admin.execute("drop table if exists kept; create table kept as table event")
    await admin.execute("alter table event disable trigger all")
    for statement in statements:
        await admin.execute(statement)
    yield
    await admin.execute("delete from event; insert into event select * from kept order by position; drop table kept")
    await admin.execute("alter table event enable always trigger event_is_append_only")


EDITS = {
    "data": "data = data || ' '",
    "sealed": "sealed = sealed || ' '",
    "meta": "meta = replace(meta, 'staff-7', 'staff-8')",
    "type": "type = 'Counter'",
    "id": "id = id || 'x'",
    "schema": "schema_version = 2",
    "occurred": "occurred_latest = occurred_latest + interval '1 microsecond'",
    "precision": "precision = 'bound'",
    "recorded": "recorded_at = recorded_at + interval '1 microsecond'",
    "salts": "salts = set_byte(salts, 40, 255 - get_byte(salts, 40))",
    "hash": "hash = sha256(hash)",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_any_edited_column_is_found_where_it_is(
    ledger: PgLedger, admin: "Admin[asyncpg.Record]", edit: str
) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(1), Counted(2), Counted(3)))
    await ledger.append(writing(stream(), 0, Counted(1)))
    assert await broken(ledger) is None
    async with meddled(admin, f"update event set {edit} where stream = '{name}' and version = 2"):
        for first in (await broken(ledger), await broken(ledger, name)):
            assert first
            assert (first.stream, first.version) == (name, 2)
            assert first.kind in ("edited", "reordered")
    assert await broken(ledger) is None


async def test_missing_and_swapped_events_are_found(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    name, other = stream(), stream()
    await ledger.append(writing(name, 0, Counted(1), Counted(2), Counted(3)))
    await ledger.append(writing(other, 0, Counted(1), Counted(2)))
    where = f"where stream = '{name}' and version = 2"
    async with meddled(admin, f"delete from event {where}"):
        whole, one = await broken(ledger), await broken(ledger, name)
        assert whole
        assert one
        assert (whole.kind, one.kind, one.version) == ("deleted", "deleted", 2)
    swap = f"""update event a set data = b.data, salts = b.salts, meta = b.meta, hash = b.hash, id = b.id from event b
        where (a.stream, a.version, b.stream, b.version)
            in (('{name}', 2, '{other}', 1), ('{other}', 1, '{name}', 2))"""
    async with meddled(admin, swap):
        first = await broken(ledger)
        assert first
        assert (first.stream, first.version, first.kind) == (name, 2, "edited")


def see(name: str, facts: Sequence[Fact[Any]]) -> Views:
    """Read models of the made-up journey."""
    if not name.startswith("case-"):
        return Views(source={"count": len(facts)}) if name.startswith("lot-") else Views()
    numbers = [fact.event.number for fact in facts if isinstance(fact.event, Counted)]
    row = case_row(name, Contact("mother", CANARY), stage=f"stage {sum(numbers)}")
    return Views(row, [obligation(f"{name}-{n}") for n in numbers], [effect(f"e-{name}")], ["lot-1"])


async def recorded(ledger: PgLedger, name: str, *numbers: int) -> None:
    expected = len((await ledger.load(name)).facts)
    for number in numbers:
        before = list((await ledger.load(name)).facts)
        event = Counted(number)
        views = see(name, [*before, Fact(event, "", 0, event.at, None, "")])  # type: ignore[arg-type]
        await ledger.append(writing(name, expected, event, views=views, attention=Attention()))
        expected += 1


async def test_a_rebuild_finds_what_differs_and_repairs_it(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    rebuild = Rebuild(admin, ledger._keys, Codec((*installation.EVENTS, *EVENTS)), see)
    await rebuild.run(swap=True)  # other tests of this module wrote no read models
    one, two = stream(), stream()
    await recorded(ledger, one, 1, 2)
    await recorded(ledger, two, 5)
    await recorded(ledger, "lot-1", 1, 1)
    assert (await rebuild.run(swap=False)).differing == []
    await admin.execute("update case_view set stage = 'wrong' where stream = $1", one)
    await admin.execute("delete from obligation_view where stream = $1", two)
    await admin.execute("delete from watch where watcher = $1", two)
    await admin.execute("update source set state = '{}'")
    expected = [("case_view", one), ("obligation_view", two), ("source", "lot-1"), ("watch", two)]
    assert (await rebuild.run(swap=False)).differing == expected
    assert (await rebuild.run(swap=True)).differing == expected
    assert (await rebuild.run(swap=False)).differing == []
    assert await admin.fetchval("select stage from case_view where stream = $1", one) == "stage 3"


async def test_a_rebuild_compares_what_sealed_text_says(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    one, two = stream(), stream()
    await recorded(ledger, one, 1)
    await recorded(ledger, two, 1)
    rebuild = Rebuild(admin, ledger._keys, Codec((*installation.EVENTS, *EVENTS)), see)
    await ledger.append(writing(two, 1, Counted(0), views=Views(case_row(two, Contact("mother", "somebody else")))))
    assert ("case_view", two) in (await rebuild.run(swap=False)).differing
    assert ("case_view", one) not in (await rebuild.run(swap=False)).differing
