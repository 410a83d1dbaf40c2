"""What is remembered of a stream is what the database holds, and nothing whose key is gone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from domain.core.fact import Fact
from domain.core.personal import ERASED
from domain.core.when import When
from infra.ledger.fact_cache import NOT_CACHED, CachedFacts, FactCache
from infra.ledger.ledger import PgLedger
from tests.infra.ledger.cases import CANARY, Counted, PatientNamed, events_of, opened, stream, writing

Admin = asyncpg.Connection


@pytest.fixture(scope="module")
async def ledger(dsn: str, folder: Path) -> AsyncIterator[PgLedger]:
    ledger = await opened(dsn, folder)
    yield ledger
    await ledger.close()


async def test_what_was_just_recorded_is_remembered_as_it_will_be_read(ledger: PgLedger) -> None:
    name = stream()
    first = await ledger.append(writing(name, 0, PatientNamed(CANARY, unit="LOT-7"), Counted(1)))
    second = await ledger.append(writing(name, 2, Counted(2)))
    remembered = (await ledger.load(name)).facts
    assert [a is b for a, b in zip(remembered, [*first, *second], strict=True)] == [True] * 3
    ledger._fact_cache.forget(name)
    assert (await ledger.load(name)).facts == remembered


async def test_what_could_not_be_sealed_is_not_remembered(ledger: PgLedger) -> None:
    name = stream()
    await ledger._keys.destroy(name, "identity")
    await ledger.append(writing(name, 0, PatientNamed(CANARY, unit="LOT-7")))
    assert ledger._fact_cache.of(name) is NOT_CACHED
    assert events_of(await ledger.load(name)) == [PatientNamed(ERASED, unit="LOT-7")]


async def test_a_name_erased_meanwhile_is_forgotten_though_another_key_is_new(ledger: PgLedger) -> None:
    name = stream()
    await ledger.append(writing(name, 0, PatientNamed(CANARY)))
    await ledger._keys.destroy(name, "identity")
    await ledger.append(writing(name, 1, PatientNamed(ERASED, unit="LOT-7")))
    assert "Canary" not in repr(ledger._fact_cache.of(name))
    assert (await ledger.load(name)).facts[0].event == PatientNamed(ERASED)


async def test_what_others_wrote_in_between_is_read(ledger: PgLedger, dsn: str, folder: Path) -> None:
    name, other = stream(), await opened(dsn, folder)
    await ledger.append(writing(name, 0, Counted(1)))
    await other.append(writing(name, 1, Counted(2)))
    await ledger.append(writing(name, 2, Counted(3)))
    assert events_of(await ledger.load(name)) == [Counted(1), Counted(2), Counted(3)]
    await other.close()


async def test_a_second_load_reads_only_what_is_new(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(1), PatientNamed(CANARY)))
    first = await ledger.load(name)
    await ledger.append(writing(name, 2, Counted(3)))
    second = await ledger.load(name)
    assert [a is b for a, b in zip(first.facts, second.facts, strict=False)] == [True, True]
    ledger._fact_cache.forget(name)
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
    assert "Canary" not in repr(ledger._fact_cache.of(name))


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
    def known(count: int) -> CachedFacts:
        event = Counted()
        return CachedFacts([Fact(event, "", 1, event.at, When.unknown(), "a")] * count, b"hash")

    cache = FactCache(most=10)
    for name in ("a", "b", "c"):
        cache.keep(name, known(4))
    assert cache.of("a") is NOT_CACHED
    assert len(cache.of("b").facts) == 4
    cache.keep("d", known(4))  # b was used after c
    assert (cache.of("c"), len(cache.of("b").facts)) == (NOT_CACHED, 4)
    cache.keep("b", known(6))
    assert cache._facts == 10
    cache.keep("long", known(11))
    assert cache._facts == 0
