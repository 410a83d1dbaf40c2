"""No event is dated by a clock that is known to be wrong: the database's, this process's, or the one that was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from activities.ports import Attention, Views
from domain.catalogue.installation import STREAM, ClockAccepted
from domain.catalogue.looks import CasesSeen
from domain.core.errors import Reason, Refused
from infra.audit.checkpoints.sealer import SealingLimits
from infra.clock import BOUND, Clock, steady
from infra.embedded.postgres_server import PostgresServer
from infra.ledger.ledger import PgLedger
from infra.settings import Settings
from tests.conftest import database
from tests.infra.audit.log import Log
from tests.infra.ledger.cases import EVENTS, Counted, case_row, opened, stream, writing
from tests.jump import movable, move

pytestmark = pytest.mark.slow
FAR = timedelta(days=400)


@pytest.fixture
async def dsn(migrated: PostgresServer) -> AsyncIterator[str]:
    async with database(migrated) as dsn:
        await movable(dsn)
        yield dsn


@pytest.fixture
async def ledger(dsn: str, tmp_path: Path) -> AsyncIterator[PgLedger]:
    ledger = await opened(dsn, tmp_path, events=(*EVENTS, CasesSeen))
    await ledger.append(writing("case-1", 0, Counted()))
    yield ledger
    await ledger.close()


async def refused(asked: Any) -> str:
    with pytest.raises(Refused) as no:
        await asked
    assert no.value.reason is Reason.CLOCK_WRONG
    return no.value.detail


@pytest.mark.parametrize("span", [FAR, -FAR, BOUND + timedelta(minutes=1)])
async def test_while_the_databases_clock_is_away_nothing_is_recorded(
    dsn: str, ledger: PgLedger, span: timedelta
) -> None:
    before = await ledger.head()
    await move(dsn, span)
    says = await refused(ledger.append(writing("case-1", 1, Counted())))
    now = datetime.now(UTC)
    assert f"database says {now + span:%Y-%m-%d}" in says
    assert f"process {now:%Y-%m-%d}" in says
    assert says.count("UTC") == 2
    await refused(ledger.append(writing("case-1", 1, attention=Attention(attended=True))))
    await refused(ledger.require_clock())
    await refused(ledger.claim("case-1", "effect", expected=1, epoch=0, lease=timedelta(minutes=1)))
    assert await ledger.head() == before
    assert len((await ledger.load("case-1")).facts) == 1, "reading goes on"
    await move(dsn, timedelta(0))
    (fact,) = await ledger.append(writing("case-1", 1, Counted()))
    assert abs(fact.at - datetime.now(UTC)) < BOUND


@pytest.mark.parametrize("span", [timedelta(0), BOUND - timedelta(minutes=1)])
async def test_control_within_the_bound_all_goes_on(dsn: str, ledger: PgLedger, span: timedelta) -> None:
    await move(dsn, span)
    await ledger.append(writing("case-1", 1, Counted()))
    await ledger.require_clock()


async def test_a_look_is_dated_by_the_last_event_and_says_so(dsn: str, ledger: PgLedger) -> None:
    (last,) = await ledger.append(writing("case-1", 1, Counted()))
    await move(dsn, FAR)
    looks = stream("looks")
    (fact,) = await ledger.append(writing(looks, 0, CasesSeen("case", ("case-1",), ())))
    assert fact.at == last.at
    (row,) = await ledger.events(looks)
    assert (row.recorded_at, json.loads(row.meta)["clock"]) == (last.at, None)
    assert await refused(ledger.append(writing("case-1", 2, CasesSeen("case", (), ()), Counted())))


async def test_a_process_whose_clock_is_wrong_records_nothing(dsn: str, tmp_path: Path, ledger: PgLedger) -> None:
    for span in (FAR, -FAR):
        wrong = Clock(wall=lambda span=span: datetime.now(UTC) + span)  # type: ignore[misc]
        other = await opened(dsn, tmp_path, events=(*EVENTS, CasesSeen), clock=wrong)
        assert "nobody knows which is right" in await refused(other.append(writing("case-1", 1, Counted())))
        await other.close()
    await ledger.append(writing("case-1", 1, Counted()))


async def test_both_clocks_of_one_machine_jump_together(dsn: str, tmp_path: Path, ledger: PgLedger) -> None:
    """What passed since the process began, by the clock nobody sets, says so."""
    span = timedelta(0)
    clock = Clock(wall=lambda: datetime.now(UTC) + span)
    here = await opened(dsn, tmp_path, events=(*EVENTS, CasesSeen), clock=clock)
    await here.append(writing("case-1", 1, Counted()))
    span = FAR
    await move(dsn, FAR)
    assert "the clock of this machine says" in await refused(here.append(writing("case-1", 2, Counted())))
    await refused(here.claim("case-1", "effect", expected=2, epoch=0, lease=timedelta(minutes=1)))
    (look,) = await here.append(writing(stream("looks"), 0, CasesSeen("case", ("case-1",), ())))
    assert look.at < datetime.now(UTC), "reading goes on, and is not dated by either of the two"
    await here.close()


def test_the_clock_nobody_sets_runs_on() -> None:
    before = steady()
    assert steady() >= before
    Clock().require_unmoved()


async def ahead(dsn: str, ledger: PgLedger, folder: Path) -> datetime:
    """A ledger of which an event was recorded while both clocks were 400 days ahead, as before this check."""
    await move(dsn, FAR)
    both = Clock(wall=lambda: datetime.now(UTC) + FAR)
    old = await opened(dsn, folder, events=(*EVENTS, CasesSeen), clock=both)
    (fact,) = await old.append(writing("case-1", 1, Counted()))
    await old.close()
    await move(dsn, timedelta(0))
    return fact.at


async def test_a_last_event_in_the_future_is_asked_about_and_then_passed_over(
    dsn: str, ledger: PgLedger, tmp_path: Path
) -> None:
    wrong = await ahead(dsn, ledger, tmp_path)
    assert wrong > datetime.now(UTC) + FAR - timedelta(days=1)
    assert "the last event is dated" in await refused(ledger.append(writing("case-1", 2, Counted())))
    assert "the last event is dated" in await refused(ledger.require_clock())
    accepting = ClockAccepted(3, 3, wrong, "clock_was_set_wrong", "person-1")
    await ledger.append(writing(STREAM, 1, accepting))
    await ledger.require_clock()
    name = stream()
    row = case_row("1", opened_at=None, stage_since=None)
    facts = await ledger.append(writing(name, 0, Counted(), Counted(), views=Views(row)))
    now = datetime.now(UTC)
    assert all(abs(one.at - now) < BOUND for one in facts), "dated by the right clock"
    stored = await ledger.events(name)
    assert [one.recorded_at for one in stored] == [wrong, wrong], "never less than the last"
    for one in stored:
        assert one.occurred.earliest == facts[0].at
        assert datetime.fromisoformat(json.loads(one.meta)["clock"]) == facts[0].at
    ledger.forget(name)
    loaded = await ledger.load(name)
    assert [one.at for one in loaded.facts] == [one.at for one in facts]
    assert abs(loaded.now - now) < BOUND, "nothing waits for the wrong instant"
    view = await ledger.pool.fetchrow("select opened_at from case_view where stream = $1", name)
    assert view is not None
    assert view["opened_at"] == facts[0].at


async def test_another_jump_is_another_decision(dsn: str, ledger: PgLedger, tmp_path: Path) -> None:
    wrong = await ahead(dsn, ledger, tmp_path)
    await ledger.append(writing(STREAM, 1, ClockAccepted(3, 3, wrong, "other", "person-1")))
    await move(dsn, FAR * 2)
    both = Clock(wall=lambda: datetime.now(UTC) + FAR * 2)
    old = await opened(dsn, tmp_path, events=(*EVENTS, CasesSeen), clock=both)
    await old.append(writing("case-1", 2, Counted()))
    await old.close()
    await move(dsn, timedelta(0))
    await refused(ledger.append(writing("case-1", 3, Counted())))


async def test_what_is_passed_over_is_sealed_and_verifies(dsn: str, ledger: PgLedger, tmp_path: Path) -> None:
    """An event that waits has a negative age; its checkpoint must not wait for 400 days."""
    log = Log(dsn, tmp_path)
    async with log.sessions(dsn) as pool:
        await log.sealer().round(pool)
        wrong = await ahead(dsn, ledger, tmp_path)
        await ledger.append(writing(STREAM, 1, ClockAccepted(3, 3, wrong, "other", "person-1")))
        await ledger.append(writing("case-1", 2, Counted()))
        await log.sealer(SealingLimits(1000, 60)).round(pool)
    assert log.kept() == [2, await ledger.head()]


async def test_a_nudge_put_off_by_a_clock_that_was_wrong_is_not_put_off(dsn: str, ledger: PgLedger) -> None:
    await ledger.append(writing("case-2", 0, Counted(), attention=Attention()))
    admin = await asyncpg.connect(dsn)
    await admin.execute("update attention set nudge_at = now() + interval '400 days'")
    await admin.close()
    assert [one.stream for one in await ledger.attention_due(10)] == ["case-2"]


@pytest.mark.parametrize("bound", ["inf", "1e12", "86401", "nan", "0", "-600"])
def test_a_bound_of_more_than_a_day_or_none_is_refused_at_the_start(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have let every jump pass, or ended in an overflow at the first append."""
    monkeypatch.setenv("CARAVEL_CLOCK_BOUND", "86400")
    assert Settings().clock_bound == 86_400, "the control"
    monkeypatch.setenv("CARAVEL_CLOCK_BOUND", bound)
    with pytest.raises(ValidationError, match="clock_bound"):
        Settings()
