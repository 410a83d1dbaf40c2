"""What is remembered of a stream is what the database holds, and nothing whose key is gone."""

import json

import asyncpg

from domain.fact import Fact
from domain.personal import ERASED
from domain.when import When
from infra.ledger.ledger import PgLedger
from infra.ledger.recall import NOTHING, Known, Recall
from tests.ledger.cases import CANARY, Counted, PatientNamed, events_of, stream, writing

Admin = asyncpg.Connection


async def test_a_second_load_reads_only_what_is_new(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(1), PatientNamed(CANARY)))
    first = await ledger.load(name)
    await ledger.append(writing(name, 2, Counted(3)))
    second = await ledger.load(name)
    assert [a is b for a, b in zip(first.facts, second.facts, strict=False)] == [True, True]
    ledger._recall.forget(name)
    whole = await ledger.load(name)
    assert whole.facts == second.facts
    assert whole.facts[0] is not second.facts[0]
    assert events_of(await ledger.load(name, after=1)) == [PatientNamed(CANARY), Counted(3)]


async def test_a_caller_cannot_change_what_is_remembered(ledger: PgLedger) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(1)))
    facts = (await ledger.load(name)).facts
    assert isinstance(facts, list)
    facts.clear()
    assert events_of(await ledger.load(name)) == [Counted(1)]


async def test_an_erased_name_is_not_remembered(ledger: PgLedger) -> None:
    name = stream()
    await ledger.append(writing(name, 0, PatientNamed(CANARY, unit="LOT-7")))
    assert events_of(await ledger.load(name)) == [PatientNamed(CANARY, unit="LOT-7")]
    await ledger._keys.destroy(name, "identity")
    assert events_of(await ledger.load(name)) == [PatientNamed(ERASED, unit="LOT-7")]
    assert "Canary" not in repr(ledger._recall.of(name))


async def test_a_restored_database_is_not_taken_for_the_one_before(
    ledger: PgLedger, admin: "Admin[asyncpg.Record]"
) -> None:
    shorter, other = stream(), stream()
    for name in (shorter, other):
        await ledger.append(writing(name, 0, Counted(1), Counted(2)))
        await ledger.load(name)
    await admin.execute("alter table event disable trigger all")
    await admin.execute("delete from event where stream = $1 and version = 2", shorter)
    await admin.execute(
        "update event set data = $2, hash = sha256(hash) where stream = $1 and version = 2",
        other, json.dumps({**json.loads(await _data(admin, other)), "number": 9}),
    )  # fmt: skip
    await admin.execute("alter table event enable always trigger event_is_append_only")
    assert events_of(await ledger.load(shorter)) == [Counted(1)]
    assert events_of(await ledger.load(other)) == [Counted(1), Counted(9)]


async def _data(admin: "Admin[asyncpg.Record]", name: str) -> str:
    data: str = await admin.fetchval("select data from event where stream = $1 and version = 2", name)
    return data


def test_only_the_streams_used_last_are_kept() -> None:
    def known(count: int) -> Known:
        event = Counted()
        return Known([Fact(event, "", 1, event.at, When.unknown(), "a")] * count, b"hash")

    recall = Recall(most=10)
    for name in ("a", "b", "c"):
        recall.keep(name, known(4))
    assert recall.of("a") is NOTHING
    assert len(recall.of("b").facts) == 4
    recall.keep("d", known(4))  # b was used after c
    assert (recall.of("c"), len(recall.of("b").facts)) == (NOTHING, 4)
    recall.keep("b", known(6))
    assert recall._facts == 10
    recall.keep("long", known(11))
    assert recall._facts == 0
