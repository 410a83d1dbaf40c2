"""Tasks: whose they are, in which order, and that pages neither repeat nor leave out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.ports import Views
from infra.ledger.ledger import PgLedger
from infra.reads.tasks import PARTS, WHOSE, TaskQueries
from tests.infra.ledger.cases import Counted, case_row, new_id, obligation, opened, stream, writing

DUE = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = ("all", "person-me", "asia")
ME = ("person-me", "coordinator")


@pytest.fixture(scope="module")
async def ledger(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PgLedger]:
    ledger = await opened(postgres, tmp_path_factory.mktemp("keys"))
    yield ledger
    await ledger.close()


async def case_of(ledger: PgLedger, *owed: Mapping[str, Any], **row: Any) -> None:
    views = Views(case_row(new_id(), **{"owner": "person-me", "team": "asia", **row}), owed)
    await ledger.append(writing(stream("case"), 0, Counted(), views=views))


def task(name: str, due: int, **more: Any) -> dict[str, Any]:
    return obligation(name, **{"due": DUE + due * DAY, "debtor": "coordinator", **more})


@pytest.fixture(scope="module")
async def told(ledger: PgLedger) -> TaskQueries:
    """Cases of mine, of one whom I cover now, of one whom I covered once, of somebody else, and one that is closed."""
    now = datetime.now(UTC)
    away = {"absent_from": (now - DAY).isoformat(), "absent_until": (now + DAY).isoformat(), "cover": "person-me"}
    back = {**away, "absent_until": (now - timedelta(hours=1)).isoformat()}
    for name, state in (("person-away", away), ("person-back", back)):
        await ledger.append(writing(name, 0, Counted(), views=Views(source=state)))
    chase = task("late", 40, kind="chase", about="quote:s", late_since=DUE - 9 * DAY)
    hands = [
        task(name, n, holder=who) for n, (name, who) in enumerate((("his", "person-else"), ("hers", "person-away")))
    ]
    asked = task("asked", 7, holder="person-else", offered="person-me")
    await case_of(ledger, *hands, asked, task("here", 6, holder="person-me"), owner="person-third", team="africa")
    await case_of(ledger, task("lent", 8, holder="person-else"), team="oceania")
    await case_of(ledger, task("soon", 2), task("theirs", 1, debtor="hospital"), chase)
    await case_of(ledger, task("urgent", 30), urgent=True)
    await case_of(ledger, task("covered", 3), owner="person-away")
    await case_of(ledger, task("returned", 4), owner="person-back")
    await case_of(ledger, task("elsewhere", 5), owner="person-else", team="europe")
    await case_of(ledger, task("over", 0), open=False)
    return TaskQueries(ledger)


async def names(told: TaskQueries, whose: str, scope: tuple[str, str, str] = ALL, **filters: Any) -> list[str]:
    return [row["task"] for row in await told.tasks(scope, ME, whose, filters, None, 50)]


async def test_urgent_cases_come_first_then_what_is_late_then_what_is_due(told: TaskQueries) -> None:
    assert await names(told, "mine") == ["urgent", "late", "hers", "soon", "covered", "here"]
    role = ["urgent", "late", "his", "hers", "soon", "covered", "returned", "elsewhere", "here", "asked", "lent"]
    assert await names(told, "role") == role
    assert await names(told, "others") == ["theirs", "lent"]
    assert sorted(await names(told, "all")) == sorted([*role, "theirs"])


async def test_what_somebody_has_in_hand_is_theirs_whoever_owns_the_case(told: TaskQueries) -> None:
    assert {"here", "hers"} <= set(await names(told, "mine")), "mine, and of whom I cover"
    assert "lent" not in await names(told, "mine"), "what a colleague does in my case is no task of mine"
    assert await names(told, "offered") == ["asked"]
    assert not {"his", "hers", "here", "asked", "lent"} & set(await names(told, "role", free=True))


async def test_only_cases_of_the_scope_are_there(told: TaskQueries) -> None:
    assert "elsewhere" not in await names(told, "role", ("team", "person-me", "asia"))
    assert await names(told, "all", ("own", "person-away", "")) == ["covered"]


async def test_a_kind_is_found_where_it_is_chased(told: TaskQueries) -> None:
    assert await names(told, "all", kind="quote") == ["late"]
    assert await names(told, "all", kind="quot") == []
    assert await names(told, "all", late=True) == ["late"]
    assert await names(told, "all", urgent=True) == ["urgent"]
    assert await names(told, "all", debtor="hospital") == ["theirs"]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_every_task_is_on_exactly_one_page(told: TaskQueries, size: int) -> None:
    seen: list[str] = []
    after = None
    while rows := await told.tasks(ALL, ME, "all", {}, after, size):
        seen += [row["task"] for row in rows]
        last = rows[-1]
        after = (last["part"], last["task_late_since"] or last["task_due"], last["task"])
        assert 0 <= last["part"] < len(PARTS)
    assert seen == await names(told, "all")


async def test_the_tally_counts_what_the_lists_hold(told: TaskQueries) -> None:
    counts = await told.tally(ALL, ME)
    for whose in WHOSE:
        listed = await told.tasks(ALL, ME, whose, {}, None, 50)
        assert counts[whose] == len(listed), whose
        assert counts[f"{whose}_late"] == sum(row["task_late_since"] is not None for row in listed), whose
