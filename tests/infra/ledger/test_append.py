"""One append is one transaction: versions, positions, clocks, command memory and read models, all or nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest

from activities.ports import Append, Attention, CommandKey, VersionConflict, Views, WatchedSource
from domain.core.errors import Reason, Refused
from domain.core.fact import Draft
from domain.core.personal import ERASED
from domain.core.when import When
from infra.ledger.encoding.errors import DatabaseFailed
from infra.ledger.ledger import PgLedger
from tests.infra.ledger.cases import (
    CANARY,
    META,
    WHY,
    Contact,
    Counted,
    case_row,
    effect,
    events_of,
    new_id,
    obligation,
    opened,
    stream,
    writing,
)


async def test_facts_come_back_as_they_were_answered(ledger: PgLedger) -> None:
    name = stream()
    days = [When.on(date(2025, 3, 1)), When.between(None, datetime(2025, 1, 1, tzinfo=UTC)), When.unknown(), None]
    drafts = [Draft(Counted(i), new_id(), when, WHY, corrects="x") for i, when in enumerate(days)]
    answered = await ledger.append(Append(name, 0, drafts, META))
    loaded = await ledger.load(name)
    assert list(loaded.facts) == list(answered)
    assert [fact.occurred for fact in loaded.facts] == [*days[:3], When.at(answered[3].at)]
    assert [fact.version for fact in loaded.facts] == [1, 2, 3, 4]
    assert loaded.now >= answered[0].at
    assert (await ledger.load(name, after=3)).facts == [answered[3]]


async def test_an_empty_stream_loads_empty(ledger: PgLedger) -> None:
    loaded = await ledger.load(stream())
    assert (loaded.facts, loaded.remembered, loaded.sources, loaded.woken) == ([], None, [], 0)


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_another_version_than_expected_is_a_conflict(ledger: PgLedger, expected: int) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted()))
    with pytest.raises(VersionConflict):
        await ledger.append(writing(name, expected, Counted()))
    assert len((await ledger.load(name)).facts) == 1


async def test_of_many_at_once_one_wins_and_the_others_conflict(ledger: PgLedger) -> None:
    name = stream()
    outcomes = await asyncio.gather(
        *(ledger.append(writing(name, 0, Counted(i))) for i in range(20)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["VersionConflict"] * 19 + ["list"]


@pytest.mark.parametrize(("name", "expected"), [("case-1", 2**40), ("\ud800", 0), ("\0", 0)])
async def test_a_value_that_cannot_be_sent_fails_alone(ledger: PgLedger, name: str, expected: int) -> None:
    bad = writing(name, expected, Counted())
    appends = [*(writing(stream(), 0, Counted(i)) for i in range(5)), bad, writing(stream(), 0, Counted())]
    outcomes = await asyncio.gather(*(ledger.append(one) for one in appends), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [*[list] * 5, DatabaseFailed, list]
    assert await asyncio.wait_for(ledger.append(writing(stream(), 0, Counted())), 60)


async def test_a_refused_append_does_not_take_its_batch_with_it(ledger: PgLedger) -> None:
    good = [writing(stream(), 0, Counted(i)) for i in range(10)]
    bad = writing(stream(), 3, Counted())
    outcomes = await asyncio.gather(*(ledger.append(one) for one in [*good, bad, *good[:0]]), return_exceptions=True)
    assert [isinstance(outcome, VersionConflict) for outcome in outcomes] == [False] * 10 + [True]
    for one in good:
        assert len((await ledger.load(one.stream)).facts) == 1


async def test_a_caller_that_gives_up_leaves_the_others_alone(ledger: PgLedger) -> None:
    appends = [writing(stream(), 0, Counted(i)) for i in range(6)]
    tasks = [asyncio.create_task(ledger.append(one)) for one in appends]
    await asyncio.sleep(0)
    tasks[0].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(outcome, list) for outcome in done] == [False, *[True] * 5]


async def test_a_command_is_remembered_with_what_it_wrote(ledger: PgLedger) -> None:
    name, key = stream(), CommandKey("staff-7", new_id(), b"body")
    await ledger.append(writing(name, 0, Counted()))
    await ledger.append(writing(name, 1, Counted(), Counted(), command=key))
    first = (await ledger.load(name, command=("staff-7", key.key))).remembered
    assert first
    assert (first.stream, first.first, first.last) == (name, 2, 3)
    assert (first.is_of(b"body"), first.is_of(b"another")) == (True, False)
    assert (await ledger.load(name, command=("staff-8", key.key))).remembered is None
    nothing = CommandKey("staff-7", new_id(), b"body")
    await ledger.append(writing(name, 3, command=nothing))
    remembered = (await ledger.load(name, command=("staff-7", nothing.key))).remembered
    assert remembered
    assert (remembered.first, remembered.last) == (4, 3)


async def test_nobody_who_guesses_a_command_can_confirm_it_and_what_older_programs_kept_still_counts(
    ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    name, key = stream(), CommandKey("staff-7", new_id(), sha256(b"everything guessed").digest())
    await ledger.append(writing(name, 0, Counted(), command=key))
    kept = await admin.fetchval("select body from command where key = $1", key.key)
    assert (kept[:1], len(kept), key.body in kept) == (b"\x01", 33, False)
    await admin.execute("update command set body = $1 where key = $2", key.body, key.key)  # as it was kept before
    older = (await ledger.load(name, command=("staff-7", key.key))).remembered
    assert older
    assert (older.is_of(key.body), older.is_of(sha256(b"another").digest())) == (True, False)


async def test_a_key_used_with_another_body_is_refused_and_with_the_same_is_a_conflict(ledger: PgLedger) -> None:
    name, key = stream(), new_id()
    await ledger.append(writing(name, 0, Counted(), command=CommandKey("staff-7", key, b"one")))
    with pytest.raises(Refused) as refusal:
        await ledger.append(writing(stream(), 0, Counted(), command=CommandKey("staff-7", key, b"two")))
    assert refusal.value.reason == Reason.KEY_REUSED
    with pytest.raises(VersionConflict):
        await ledger.append(writing(stream(), 0, Counted(), command=CommandKey("staff-7", key, b"one")))
    await ledger.append(writing(stream(), 0, Counted(), command=CommandKey("staff-8", key, b"two")))


async def test_the_same_command_many_times_at_once_is_recorded_once(ledger: PgLedger) -> None:
    key = CommandKey("staff-7", new_id(), b"body")
    names = [stream() for _ in range(12)]
    await asyncio.gather(
        *(ledger.append(writing(name, 0, Counted(), command=key)) for name in names), return_exceptions=True
    )
    written = [name for name in names if (await ledger.load(name)).facts]
    assert len(written) == 1
    remembered = (await ledger.load(names[0], command=("staff-7", key.key))).remembered
    assert remembered
    assert [remembered.stream] == written


async def test_read_models_are_replaced_with_the_append(
    ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    name, one, two, three = stream(), new_id(), new_id(), new_id()
    lot = stream("lot")
    due = datetime(2026, 5, 1, tzinfo=UTC)
    before = Views(case_row(new_id(), next_due=due), [obligation(one), obligation(two)], [effect(three)], [lot])
    await ledger.append(writing(name, 0, Counted(), Counted(), views=before))
    assert await admin.fetchval("select version from case_view where stream = $1 and next_due = $2", name, due) == 2
    after = Views(case_row(new_id(), stage="visa"), [obligation(two, state="met")])
    await ledger.append(writing(name, 2, Counted(), views=after))
    case = await admin.fetchrow("select * from case_view where stream = $1", name)
    assert case
    assert (case["version"], case["stage"], case["next_due"], case["facts_version"]) == (3, "visa", None, 1)
    rows = await admin.fetch("select id, state from obligation_view where stream = $1", name)
    assert [tuple(row) for row in rows] == [(two, "met")]
    assert await admin.fetch("select from effect_view where stream = $1", name) == []
    assert await admin.fetch("select from watch where watcher = $1", name) == []


async def test_a_misspelt_column_is_an_error(ledger: PgLedger) -> None:
    with pytest.raises(TypeError, match="stagee"):
        await ledger.append(writing(stream(), 0, Counted(), views=Views(case_row(new_id(), stagee="visa"))))


async def test_a_case_number_taken_meanwhile_is_a_conflict(ledger: PgLedger) -> None:
    number, loser = new_id(), stream()
    await ledger.append(writing(stream(), 0, Counted(), views=Views(case_row(number))))
    with pytest.raises(VersionConflict):
        await ledger.append(writing(loser, 0, Counted(), views=Views(case_row(number))))
    assert (await ledger.load(loser)).facts == []


async def test_a_failing_read_model_takes_the_facts_with_it_and_quotes_nothing(ledger: PgLedger) -> None:
    name = stream()
    wrong = Views(case_row(new_id(), facts_version=CANARY))
    with pytest.raises(DatabaseFailed) as failure:
        await ledger.append(writing(name, 0, Counted(), views=wrong, attention=Attention()))
    assert "Canary" not in repr(failure.value)
    assert failure.value.__context__ is None
    assert (await ledger.load(name)).facts == []


async def test_the_database_itself_would_have_quoted_it(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    # The control of the test above.
    with pytest.raises(asyncpg.PostgresError, match="Canary"):
        await admin.fetchval("select $1::text::integer", CANARY)


async def test_details_are_sealed_where_they_stand(
    ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(), views=Views(case_row(new_id(), detail=Contact("mother", CANARY)))))
    text = await admin.fetchval("select detail from case_view where stream = $1", name)
    assert "Canary" not in text
    assert await ledger.case_detail(name, text) == {"role": "mother", "phone": CANARY, "city": None}
    await ledger._keys.destroy(name, "identity")
    assert (await ledger.case_detail(name, text))["phone"] is ERASED


async def test_sources_are_seen_by_those_who_watch_them(ledger: PgLedger) -> None:
    lot, case = stream("lot"), stream()
    await ledger.append(writing(lot, 0, Counted(), views=Views(source={"held": True})))
    assert await ledger.sources([lot, "lot-none"]) == [WatchedSource(lot, 1, {"held": True})]
    assert (await ledger.load(case)).sources == []
    await ledger.append(writing(case, 0, Counted(), views=Views(watch=[lot])))
    await ledger.append(writing(lot, 1, Counted(), views=Views(source={"held": False})))
    assert (await ledger.load(case)).sources == [WatchedSource(lot, 2, {"held": False})]


async def test_positions_have_no_gap_whatever_was_refused(
    ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for expected in (0, 5, 0, 5):
        await asyncio.gather(ledger.append(writing(stream(), expected, Counted(), Counted())), return_exceptions=True)
    count, last = await admin.fetchrow("select count(*), max(position) from event") or (0, 0)
    assert (count, last) == (await ledger.head(), await ledger.head())


async def test_the_clock_never_goes_back(ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    assert await admin.fetchval(
        "select bool_and(gap >= interval '0') "
        "from (select recorded_at - lag(recorded_at) over (order by position) as gap from event) gaps"
    )


async def test_a_clock_that_goes_back_a_little_does_not_take_history_with_it(
    ledger: PgLedger, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # As if everything so far had been recorded by a clock that was ahead by less than the bound.
    await admin.execute("alter table event disable trigger all")
    await admin.execute(
        "update event set recorded_at = recorded_at + interval '2 minutes' "
        "where position = (select max(position) from event)"
    )
    await admin.execute("alter table event enable always trigger event_is_append_only")
    head = await admin.fetchval("select max(recorded_at) from event")
    (fact,) = await ledger.append(writing(stream(), 0, Counted()))
    assert fact.at == head > datetime.now(UTC)
    assert (await ledger.load(stream())).now == head


@pytest.fixture
async def second(dsn: str, folder: Path) -> AsyncIterator[PgLedger]:
    ledger = await opened(dsn, folder)
    yield ledger
    await ledger.close()


async def test_two_processes_share_keys_and_ledger(ledger: PgLedger, second: PgLedger) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(1)))
    await second.append(writing(name, 1, Counted(2)))
    assert events_of(await ledger.load(name)) == [Counted(1), Counted(2)]
