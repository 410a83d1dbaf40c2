"""What is typed survives: the ledger away, the session over and the secret asked again, two tabs, two clicks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.wiring import Parts, parts
from infra.embedded.postgres_server import PostgresServer
from tests.api.conftest import HOST, NO_LIMIT, SECRET, Person, registered, settings, signed_in
from tests.api.console.conftest import HIDDEN, Browser, browsing, hidden
from tests.conftest import copied

pytestmark = pytest.mark.slow


def onward(page: str) -> str:
    """Where the sign-in leads; the switch of the language below it leads elsewhere."""
    return unescape(HIDDEN.findall(page)[0][1])


async def notes(coordinator: Person, case: str) -> list[str]:
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    return [e["data"]["text"] for e in events if e["type"] == "NoteAdded"]


@dataclass
class Alone:
    """An installation whose PostgreSQL a test may stop."""

    server: PostgresServer
    app: FastAPI
    here: Parts


@pytest.fixture
async def alone(tmp_path: Path, stopped_server: Path) -> AsyncIterator[Alone]:
    server = PostgresServer(copied(stopped_server, tmp_path / "postgres"), fsync=False)
    async with server, parts(settings(server.dsn, tmp_path / "home")) as here:
        app = http_app(here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
        async with app.router.lifespan_context(app):
            yield Alone(server, app, here)


async def test_the_ledger_goes_away_in_the_middle_of_a_form(alone: Alone) -> None:
    person = await registered(alone.here, "coordinator")
    mei, other = await browsing(alone.app, person), await signed_in(alone.app, person)
    case = (await other.open(owner=person))["case"]
    path = f"/console/cases/{case}/do/AddNote"
    form = hidden((await mei.get(path)).text)
    await alone.server.stop()
    away = await mei.post(path, **form, kind="note", text="typed before the fall")
    assert away.status_code == 503
    assert "kept in this page" in away.text
    kept = hidden(away.text)["kept"]
    search = await mei.post("/console/search", csrf=form["csrf"], q="somebody")
    assert search.status_code == 503, "not only forms about a case"
    again = await mei.post("/console/kept", kept=kept)
    assert again.status_code == 503, "still away"
    assert hidden(again.text)["kept"] == kept, "and still kept"
    await alone.server.start()
    filled = await mei.post("/console/kept", kept=kept)
    assert filled.status_code == 200, filled.text
    assert "typed before the fall" in filled.text
    assert hidden(filled.text)["key"] == form["key"]
    again, last = [await mei.post(path, **hidden(filled.text), kind="note", text="typed before the fall") for _ in "12"]
    assert [again.status_code, last.status_code] == [200, 200]
    assert "recorded before" in last.text
    assert await notes(other, case) == ["typed before the fall"]


async def test_giving_the_secret_by_hand_keeps_the_form(app: FastAPI, here: Parts, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    person = await registered(here, "coordinator")
    mei = await browsing(app, person)
    path = f"/console/cases/{case}/do/AddNote"
    form = hidden((await mei.get(path)).text)
    mei.http.cookies.clear()
    ended = await mei.post(path, **form, kind="note", text="long and precious")
    assert ended.status_code == 401
    assert 'name="secret"' in ended.text, "the secret is asked for again"
    wrong = await mei.post("/console/sign-in", kept=hidden(ended.text)["kept"], secret="guessed")
    assert wrong.status_code == 401
    who = await mei.post("/console/sign-in", kept=hidden(ended.text)["kept"], secret=SECRET)
    assert f'value="{person}"' in who.text
    again = await mei.post("/console/sign-in", kept=hidden(who.text)["kept"], person=person)
    filled = await mei.post("/console/kept", kept=hidden(again.text)["kept"])
    assert "long and precious" in filled.text
    await mei.post(path, **hidden(filled.text), kind="note", text="long and precious")
    assert await notes(coordinator, case) == ["long and precious"]


async def test_the_secret_given_by_hand_leads_where_one_was_going(app: FastAPI, here: Parts) -> None:
    mei = await browsing(app, await registered(here, "coordinator"))
    mei.http.cookies.clear()
    asked = await mei.get("/console/?tab=all&urgent=1")
    who = await mei.post("/console/sign-in", next=onward(asked.text), secret=SECRET)
    there = await mei.post("/console/sign-in", next=onward(who.text), person=mei.id)
    assert str(there.url).endswith("/console/?tab=all&urgent=1")


async def test_two_clicks_are_one_fact(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    path = f"/console/cases/{case}/do/AddNote"
    form = hidden((await mei.get(path)).text)
    both = await asyncio.gather(*(mei.post(path, **form, kind="note", text="clicked twice") for _ in range(2)))
    assert [answer.status_code for answer in both] == [200, 200]
    assert await notes(coordinator, case) == ["clicked twice"]


async def test_two_tabs_are_two_facts_and_the_second_sees_the_first(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    path = f"/console/cases/{case}/do/AddNote"
    first, second = [hidden((await mei.get(path)).text) for _ in range(2)]
    await mei.post(path, **first, kind="note", text="in one tab")
    stale = await mei.post(path, **second, kind="note", text="in the other")
    assert stale.status_code == 412
    assert "in one tab" in stale.text
    await mei.post(path, **hidden(stale.text), kind="note", text="in the other")
    assert await notes(coordinator, case) == ["in one tab", "in the other"]
