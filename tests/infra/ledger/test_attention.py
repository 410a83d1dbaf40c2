"""What the courier sees, who may attempt an effect, and which engine may write."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from activities.ports import Attention, ClaimHeld, VersionConflict, Views
from domain.core.errors import Reason, Refused
from infra.ledger.bells import ATTENTION
from infra.ledger.ledger import CaseDue, PgLedger
from infra.ledger.queries import ATTENTION_DUE
from tests.infra.ledger.cases import Counted, case_row, effect, new_id, stream, writing

Admin = asyncpg.Connection
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ATTENDED = Attention(attended=True)


async def due(ledger: PgLedger, name: str) -> CaseDue | None:
    return next((one for one in await ledger.attention_due(1000) if one.stream == name), None)


async def begun(ledger: PgLedger, *, views: Views | None = None) -> str:
    """A case that has been looked at."""
    name = stream()
    await ledger.append(writing(name, 0, Counted(), views=views, attention=Attention()))
    await ledger.append(writing(name, 1, attention=ATTENDED))
    return name


async def test_a_fact_needs_attention_until_the_engine_has_looked(ledger: PgLedger) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(), attention=Attention()))
    assert await due(ledger, name)
    await ledger.append(writing(name, 1, attention=ATTENDED))
    assert await due(ledger, name) is None


async def test_what_the_engine_itself_wrote_waits_for_its_grace(ledger: PgLedger) -> None:
    name = await begun(ledger)
    await ledger.append(writing(name, 1, Counted(), attention=Attention(grace=MINUTE)))
    assert await due(ledger, name) is None
    await ledger.append(writing(name, 2, Counted(), attention=Attention()))
    assert await due(ledger, name)
    await ledger.append(writing(name, 3, Counted(), attention=Attention(grace=MINUTE)))
    assert await due(ledger, name)  # a nudge that is owed is not put off


@pytest.mark.parametrize(("late", "seen"), [(30, False), (90, True)])
async def test_a_case_a_minute_past_its_wake_up_is_due(ledger: PgLedger, late: int, seen: bool) -> None:
    name = await begun(ledger)
    wake_at = datetime.now(UTC) - timedelta(seconds=late)
    await ledger.append(writing(name, 1, attention=Attention(attended=True, wake_at=wake_at)))
    assert bool(await due(ledger, name)) == seen
    await ledger.append(writing(name, 1, attention=Attention(attended=True, ended=True)))
    assert await due(ledger, name) is None


async def test_the_courier_looks_at_no_case_that_is_not_due(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    await admin.execute(
        "insert into attention select 'case-' || n, 1, 1, 0, clock_timestamp() + interval '1 day', false,"
        " clock_timestamp() from generate_series(1, 3000) n"
    )
    await admin.execute("analyze attention")

    async def plan(query: str) -> str:
        return "\n".join(row[0] for row in await admin.fetch("explain analyze " + query.replace("$1", "200")))

    assert "Rows Removed by Filter: 3" not in await plan(ATTENTION_DUE)
    # The control: by a clock that moves on while the query runs, every case is read.
    moving = ATTENTION_DUE.replace("statement_timestamp()", "clock_timestamp()")
    assert "Rows Removed by Filter: 3" in await plan(moving)
    await admin.execute("delete from attention where length(stream) <= length('case-3000')")


async def test_nudged_cases_are_left_alone_unless_something_new_is_recorded(ledger: PgLedger) -> None:
    name = stream()
    await ledger.append(writing(name, 0, Counted(), attention=Attention()))
    seen = await due(ledger, name)
    assert seen
    await ledger.nudged([seen], MINUTE)
    assert await due(ledger, name) is None
    await ledger.append(writing(name, 1, Counted(), attention=Attention()))
    assert await due(ledger, name)
    await ledger.nudged([seen], MINUTE)  # what was seen is no longer what is there
    assert await due(ledger, name)


async def test_a_watched_stream_calls_its_watchers(ledger: PgLedger) -> None:
    lot = stream("lot")
    name, other = await begun(ledger, views=Views(watch=[lot])), await begun(ledger)
    await ledger.append(writing(lot, 0, Counted()))
    assert await due(ledger, name)
    assert await due(ledger, other) is None
    woken = (await ledger.load(name)).woken
    await ledger.append(writing(name, 1, attention=Attention(attended=True, woken=woken)))
    assert await due(ledger, name) is None


async def test_what_nobody_notes_calls_nobody(ledger: PgLedger) -> None:
    lot, other = stream("lot"), stream("lot")
    name = await begun(ledger, views=Views(watch=[lot, other]))
    await ledger.append(replace(writing(lot, 0, Counted()), calls=False))
    assert (await due(ledger, name), (await ledger.load(name)).woken) == (None, 0)
    quiet, loud = replace(writing(lot, 1, Counted()), calls=False), writing(other, 0, Counted())
    await asyncio.gather(ledger.append(quiet), ledger.append(loud))  # the control: one of them does call
    assert await due(ledger, name)
    assert (await ledger.load(name)).woken == 1


async def test_a_call_that_comes_while_the_engine_looks_is_not_lost(ledger: PgLedger) -> None:
    lot = stream("lot")
    name = await begun(ledger, views=Views(watch=[lot]))
    loaded = await ledger.load(name)
    await ledger.append(writing(lot, 0, Counted()))
    await ledger.append(writing(name, 1, Counted(), attention=Attention(attended=True, woken=loaded.woken)))
    assert await due(ledger, name)
    # The control: an engine that claims to have seen the call loses it.
    await ledger.append(writing(name, 2, Counted(), attention=Attention(attended=True, woken=loaded.woken + 1)))
    assert await due(ledger, name) is None


async def test_a_case_that_has_just_begun_to_watch_is_looked_at_again(ledger: PgLedger) -> None:
    name, lot = await begun(ledger), stream("lot")
    views = Views(case_row(new_id()), watch=[lot])
    await ledger.append(writing(name, 1, Counted(), views=views, attention=ATTENDED))
    assert await due(ledger, name)
    await ledger.append(writing(name, 2, Counted(), views=views, attention=ATTENDED))
    assert await due(ledger, name) is None


async def test_a_stale_look_is_a_conflict(ledger: PgLedger) -> None:
    name = await begun(ledger)
    with pytest.raises(VersionConflict):
        await ledger.append(writing(name, 0, attention=ATTENDED))


@pytest.mark.parametrize(
    ("attention", "rings"), [(Attention(), True), (Attention(grace=MINUTE), False), (ATTENDED, False)]
)
async def test_the_bell_rings_for_what_people_wrote(ledger: PgLedger, attention: Attention, rings: bool) -> None:
    bell = await ledger.bells.listen(ATTENTION)
    await ledger.append(writing(stream(), 0, Counted(), attention=attention))
    await ledger.bells.wait(bell, 0.1 if not rings else 5)
    started = asyncio.get_running_loop().time()
    await ledger.append(writing(stream(), 0, Counted(), attention=attention))
    await ledger.bells.wait(bell, 0.3 if not rings else 5)
    assert (asyncio.get_running_loop().time() - started < 0.25) == rings
    ledger.bells.leave(ATTENTION, bell)


async def test_one_attempt_at_a_time(ledger: PgLedger) -> None:
    name, key = await begun(ledger), new_id()
    claims = await asyncio.gather(
        *(ledger.claim(name, key, expected=1, epoch=0, lease=MINUTE) for _ in range(8)), return_exceptions=True
    )
    won = [claim for claim in claims if not isinstance(claim, BaseException)]
    assert [(claim.attempt, claim.before) for claim in won] == [(1, 0)]
    assert all(50 < lost.seconds <= 60 for lost in claims if isinstance(lost, ClaimHeld))
    await ledger.release(key, 1)
    again = await ledger.claim(name, key, expected=1, epoch=0, lease=MINUTE)
    assert (again.attempt, again.before) == (2, 0)


async def test_an_attempt_nobody_knows_the_end_of_is_counted_and_seen_by_the_courier(ledger: PgLedger) -> None:
    key = new_id()
    name = await begun(ledger, views=Views(case_row(new_id()), effects=[effect(key)]))
    await ledger.claim(name, key, expected=1, epoch=0, lease=timedelta(milliseconds=1))
    await asyncio.sleep(0.01)
    assert await due(ledger, name)
    again = await ledger.claim(name, key, expected=1, epoch=0, lease=MINUTE)
    assert (again.attempt, again.before) == (2, 1)
    assert await due(ledger, name) is None


@pytest.mark.parametrize(
    ("state", "not_before", "at_once"),
    [
        ("requested", None, True),
        ("requested", -HOUR, True),
        ("requested", HOUR, False),
        ("unknown", -HOUR, True),
        ("unknown", None, False),  # given to a person
        ("delivered", None, False),
    ],
)
async def test_a_restored_case_with_something_to_do_begins_at_once(
    ledger: PgLedger, state: str, not_before: timedelta | None, at_once: bool
) -> None:
    row = effect(new_id(), state=state, not_before=None if not_before is None else datetime.now(UTC) + not_before)
    name = await begun(ledger, views=Views(case_row(new_id()), effects=[row]))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await ledger.append(writing(name, 1, attention=Attention(attended=True, wake_at=tomorrow)))
    [waiting] = [case for case in await ledger.open_cases() if case.stream == name]
    assert (waiting.in_seconds is None) == at_once


async def test_a_claim_needs_the_version_it_was_decided_for(ledger: PgLedger) -> None:
    name = await begun(ledger)
    with pytest.raises(VersionConflict):
        await ledger.claim(name, new_id(), expected=0, epoch=0, lease=MINUTE)


async def test_rejected_callbacks_are_bounded(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    await admin.execute("select caravel_reject_callback('c', 'forged', '\\x00', i) from generate_series(1, 1500) i")
    await ledger.reject_callback("centre-1", "forged", bytes(32), 17)
    count, newest = await admin.fetchrow(
        "select count(*), max(size) filter (where centre = 'centre-1') from rejected_callback"
    ) or (0, 0)
    assert (count, newest) == (1000, 17)


async def test_an_engine_that_was_replaced_may_neither_look_nor_claim(ledger: PgLedger) -> None:
    name = await begun(ledger)
    first = await ledger.take_over("one", "cluster-1")
    await ledger.append(writing(name, 1, Counted(), attention=Attention(attended=True, epoch=first)))
    second = await ledger.take_over("two", "cluster-2")
    assert (await ledger.engine(), (await ledger.load(name)).epoch) == (
        type(await ledger.engine())(second, "two", "cluster-2"),
        second,
    )
    with pytest.raises(Refused) as refusal:
        await ledger.append(writing(name, 2, Counted(), attention=Attention(attended=True, epoch=first)))
    assert refusal.value.reason == Reason.SUPERSEDED
    with pytest.raises(Refused) as refusal:
        await ledger.claim(name, new_id(), expected=2, epoch=first, lease=MINUTE)
    assert refusal.value.reason == Reason.SUPERSEDED
    await ledger.append(writing(name, 2, Counted(), attention=Attention()))  # people are no engine
    await ledger.claim(name, new_id(), expected=3, epoch=second, lease=MINUTE)
