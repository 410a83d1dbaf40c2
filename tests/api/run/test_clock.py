"""A clock jumps under the whole service: refused, said, read on; and what an older version did by it has a way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.command_handler import AttendedBy, CommandRequest
from activities.ports import Meta
from api.ports import DevSignIn
from api.run.clock import accept, acted, spans
from api.run.http_app import http_app
from api.run.wiring import Parts, parts
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.stages.anytime.notes import AddNote
from infra.clock import Clock
from infra.embedded.postgres_server import PostgresServer
from infra.identity.sessions import Sessions
from tests.api.conftest import HOST, NO_LIMIT, SECRET, registered, settings, signed_in
from tests.api.routes.test_commands import assert_problem
from tests.conftest import database
from tests.jump import movable, move

pytestmark = pytest.mark.slow
FAR, HOME = timedelta(days=400), timedelta(0)


@pytest.fixture
async def dsn(migrated: PostgresServer) -> AsyncIterator[str]:
    async with database(migrated) as dsn:
        await movable(dsn)
        yield dsn


@pytest.fixture
async def here(dsn: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(settings(dsn, tmp_path)) as opened:
        yield opened


async def attended(here: Parts, case: str) -> list[str]:
    """The engine looks at a case; what it recorded."""
    epoch = (await here.ledger.engine()).epoch
    found = await here.commands.record(CommandRequest(case, Meta(ENGINE), attended_by=AttendedBy(epoch)))
    return [fact.event.type for fact in found.facts]


async def test_while_it_is_away_commands_are_refused_and_reads_go_on(dsn: str, here: Parts) -> None:
    app = http_app(here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
    async with app.router.lifespan_context(app):
        somebody = await signed_in(app, await registered(here, "supervisor"))
        case = (await somebody.open())["case"]
        events = await here.ledger.head()
        await move(dsn, timedelta(hours=2))
        answer = await somebody.send(case, "AddNote", kind="note", text="x")
        assert_problem(answer, 503, "clock_wrong")
        assert answer.headers["retry-after"] == "60"
        assert "UTC" in answer.json()["detail"]
        shown = await somebody.get(f"/cases/{case}")
        assert (shown.status_code, shown.json()["case"]["stage"]) == (200, "inquiry")
        ready = await somebody.get("/readyz")
        told = ready.json()
        assert (ready.status_code, told["status"], told["parts"]["clock"]) == (200, "degraded", "away")
        assert "the clock of the database says" in told["clock"]
        with pytest.raises(Refused) as no:
            await attended(here, case)
        assert no.value.reason is Reason.CLOCK_WRONG
        looks = await here.ledger.pool.fetchval("select count(*) from event where type = 'CasesSeen'")
        assert looks, "who looked is recorded all the same"
        await move(dsn, HOME)
        assert await here.ledger.head() == events + looks
        assert (await somebody.send(case, "AddNote", kind="note", text="x")).is_success
        told = (await somebody.get("/readyz")).json()
        assert (told["parts"]["clock"], "clock" in told) == ("ok", False)


async def test_who_was_signed_in_is_so_again_and_nobody_is_for_400_days(dsn: str, here: Parts) -> None:
    """A session opened by the clock of 2028 would have lasted until then, and opening it took away all others."""
    sessions, lasts = Sessions(here.ledger), timedelta(hours=8)
    before = await sessions.open("person-1", "console", lasts)
    over = await sessions.open("person-2", "console", timedelta(seconds=-1))
    await move(dsn, FAR)
    assert await sessions.find(before) is None, "the control: by that clock it is over"
    meanwhile = await sessions.open("person-3", "console", lasts)
    assert await sessions.find(meanwhile)
    await move(dsn, HOME)
    assert await sessions.find(before)
    assert [await sessions.find(token) for token in (meanwhile, over)] == [None, None]
    assert await here.ledger.pool.fetchval("select count(*) from session") == 2, (
        "what is over is taken away all the same"
    )


async def test_what_was_done_by_a_wrong_clock_is_listed_with_the_way_back(
    dsn: str, here: Parts, tmp_path: Path
) -> None:
    """The control, too: without the check (both clocks jump at a start) the engine acts on it."""
    app = http_app(here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
    async with app.router.lifespan_context(app):
        somebody = await signed_in(app, await registered(here, "supervisor"))
        case = (await somebody.open())["case"]
        coordinator = await registered(here, "coordinator")
    await attended(here, case)
    before = await here.ledger.head()
    assert await spans(here) == []
    await move(dsn, FAR)
    async with parts(settings(dsn, tmp_path)) as old:
        old.ledger.clock = Clock(wall=lambda: datetime.now(UTC) + FAR)
        assert "ObligationMissed" in await attended(old, case)
    await move(dsn, HOME)
    (one,) = await spans(here)
    after = await here.ledger.head()
    assert (one.first, one.last, one.by) == (before + 1, after, "")
    listed = await acted(here, one)
    assert {row.case for row in listed} == {case}
    missed = next(row for row in listed if row.event == "ObligationMissed")
    assert missed.command == "AddNote"
    assert missed.dated > datetime.now(UTC) + FAR - timedelta(days=1)

    with pytest.raises(Refused) as no:
        await accept(here, "clock_was_set_wrong", coordinator)
    assert no.value.reason is Reason.NOT_ALLOWED
    await accept(here, "clock_was_set_wrong", somebody.id)
    with pytest.raises(Refused) as no:
        await accept(here, "clock_was_set_wrong", somebody.id)
    assert no.value.reason is Reason.ALREADY
    (told,) = await spans(here)
    assert (told.first, told.last, told.by) == (before + 1, after, somebody.id)
    assert await acted(here, told) == listed, "the list stays"
    note = CommandRequest(case, Meta(somebody.id), AddNote("call", "that was not late"))
    (fact,) = (await here.commands.record(note)).facts
    assert abs(fact.at - datetime.now(UTC)) < timedelta(minutes=1), "what comes after it is dated by the right clock"
