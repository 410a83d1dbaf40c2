"""Appends that share a transaction come to the same as one after another."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from activities.ports import Append, Attention, CommandKey, VersionConflict, Views
from domain.catalogue import installation
from domain.catalogue.installation import RehearsalEnded
from domain.core.errors import Refused
from infra.ledger import commit
from infra.ledger.encoding.batch import NO_VIEWS, PreparedAppend
from infra.ledger.ledger import PgLedger
from tests.conftest import fresh
from tests.infra.audit.proved import broken
from tests.infra.ledger.cases import Counted, case_row, effect, events_of, new_id, obligation, opened, stream, writing

Admin = asyncpg.Connection
THEN = datetime(2011, 5, 1, tzinfo=UTC)
ATTENDED = Attention(attended=True)


async def together(ledger: PgLedger, *appends: Append) -> list[object]:
    """Nothing is sent before all of them wait."""
    return list(await asyncio.gather(*(ledger.append(one) for one in appends), return_exceptions=True))


async def transactions(admin: "Admin[asyncpg.Record]", *names: str) -> int:
    found: int = await admin.fetchval(
        "select count(distinct xmin::text) from event where stream = any($1::text[])", names
    )
    return found


async def test_appends_that_wait_share_a_transaction(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    names = [stream() for _ in range(commit.WHOLE)]
    before = await ledger.head()
    answers = await together(ledger, *(writing(name, 0, *map(Counted, range(3))) for name in names))
    assert await transactions(admin, *names) == 1
    assert await ledger.head() == before + 3 * len(names)
    assert [events_of(await ledger.load(name)) for name in names] == [[Counted(0), Counted(1), Counted(2)]] * len(names)
    assert [list((await ledger.load(name)).facts) for name in names] == answers
    assert await broken(ledger) is None


async def test_two_of_one_stream_follow_each_other(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    name, other = stream(), stream()
    appends = [writing(name, 0, Counted(1)), writing(name, 1, Counted(2)), writing(other, 0, Counted(3))]
    assert [type(answer) for answer in await together(ledger, *appends)] == [list] * 3
    assert events_of(await ledger.load(name)) == [Counted(1), Counted(2)]
    assert await transactions(admin, name, other) == 2


async def test_each_keeps_its_own_read_models(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    names = [stream() for _ in range(4)]

    def views(name: str, state: str) -> Views:
        return Views(
            case_row(name), [obligation(f"{name}-{state}")], [effect(f"e-{name}", state=state)], [f"lot-{name}"]
        )

    await together(ledger, *(writing(name, 0, Counted(), views=views(name, "requested")) for name in names))
    await together(
        ledger,
        *(writing(name, 1, Counted(), views=views(name, "unknown")) for name in names[:2]),
        writing(names[2], 1, Counted(), views=Views(case_row(names[2]))),
        writing(names[3], 1, Counted()),
    )
    rows = await admin.fetch(
        """select c.version, o.id, e.state, w.stream from case_view c left join obligation_view o using (stream)
           left join effect_view e using (stream) left join watch w on w.watcher = c.stream
           where c.stream = any($1::text[]) order by array_position($1::text[], c.stream)""",
        names,
    )
    assert [tuple(row) for row in rows] == [
        (2, f"{names[0]}-unknown", "unknown", f"lot-{names[0]}"),
        (2, f"{names[1]}-unknown", "unknown", f"lot-{names[1]}"),
        (2, None, None, None),
        (1, f"{names[3]}-requested", "requested", f"lot-{names[3]}"),
    ]


async def test_a_lot_and_the_case_that_watches_it(ledger: PgLedger) -> None:
    name, lot = stream(), stream("lot")
    await ledger.append(writing(name, 0, Counted(), views=Views(watch=[lot]), attention=Attention()))
    await ledger.append(writing(name, 1, attention=ATTENDED))
    woken = (await ledger.load(name)).woken
    looked = Attention(attended=True, woken=woken)
    await together(ledger, writing(lot, 0, Counted()), writing(name, 1, Counted(), attention=looked))
    assert name in [one.stream for one in await ledger.attention_due(1000)]
    assert (await ledger.load(name)).woken == woken + 1
    # The control: a lot nobody watches wakes nobody.
    looked = Attention(attended=True, woken=woken + 1)
    await together(ledger, writing(stream("lot"), 0, Counted()), writing(name, 2, Counted(), attention=looked))
    assert name not in [one.stream for one in await ledger.attention_due(1000)]


async def test_only_what_was_refused_is_refused(ledger: PgLedger) -> None:
    used = CommandKey("staff-7", new_id(), b"one")
    await ledger.append(writing(stream(), 0, Counted(), command=used))
    names = [stream() for _ in range(5)]
    answers = await together(
        ledger,
        writing(names[0], 0, Counted(), command=CommandKey("staff-7", new_id(), b"two")),
        writing(names[1], 4, Counted()),
        writing(names[2], 0, Counted(), command=CommandKey("staff-7", used.key, b"two")),
        writing(names[3], 0, Counted(), command=used),
        writing(names[4], 0, attention=Attention()),
    )
    assert [type(answer) for answer in answers] == [list, VersionConflict, Refused, VersionConflict, list]
    assert [len((await ledger.load(name)).facts) for name in names] == [1, 0, 0, 0, 0]


async def test_nothing_given_slips_in_behind_the_end_of_a_rehearsal(postgres: str, tmp_path: Path) -> None:
    dsn = await fresh(postgres, "ending")
    ledger = await opened(dsn, tmp_path, kind="rehearsal", start=THEN)
    late, early = stream(), stream()
    soon = THEN + timedelta(days=1)
    answers = await together(
        ledger,
        writing(early, 0, Counted(), at=soon),
        writing(installation.STREAM, 1, RehearsalEnded(), at=soon),
        writing(late, 0, Counted(), at=soon),
    )
    assert [type(answer) for answer in answers] == [list, list, Refused]
    await ledger.close()


async def test_closing_sends_what_waits_and_takes_nothing_more(dsn: str, folder: Path) -> None:
    ledger = await opened(dsn, folder)
    name = stream()
    last = asyncio.create_task(ledger.append(writing(name, 0, Counted())))
    await asyncio.sleep(0)
    await ledger.close()
    assert len(await last) == 1


@pytest.mark.parametrize(("waiting", "sent"), [(1, 1), (8, 8), (40, 40), (41, 20), (400, 64)])
async def test_of_many_half_are_sent_while_others_get_ready(ledger: PgLedger, waiting: int, sent: int) -> None:
    group = commit.GroupCommit(ledger._pool, ledger._said)
    loop = asyncio.get_running_loop()
    for _ in range(waiting):
        prepared = PreparedAppend((stream(),), (), NO_VIEWS)
        group._queue.append(commit._Waiting(prepared, loop.create_future()))
    assert len(group._batch()) == sent
    assert len(group._queue) == waiting - sent
