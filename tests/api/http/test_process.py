"""A real socket: live changes and their end, health, metrics, and what happens when the database is away."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI

from activities.command_handler import CommandRequest
from api.http.health import Readiness
from api.http.streams_end import serve
from api.run.http_app import http_app
from api.run.wiring import Parts
from infra.ledger.encoding.errors import DatabaseFailed
from tests.api.conftest import CANARY, HOST, NO_LIMIT, Person, client
from tests.api.routes.history.test_audit import seal
from tests.api.routes.test_commands import assert_problem


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Task[None]]]:
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, port.set_result))
    try:
        yield f"http://127.0.0.1:{await port}", stop, task
    finally:
        stop.set()
        await task


@pytest.fixture
def logged() -> io.StringIO:
    """Everything that is logged."""
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    return written


async def read(lines: AsyncIterator[str], number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    position = 0
    async with asyncio.timeout(60):
        async for line in lines:
            if line.startswith("id:"):
                position = int(line[3:])
            if line.startswith("data:"):
                found.append({**json.loads(line[5:]), "id": position})
                if len(found) == number:
                    return found
    raise AssertionError("the stream ended")


async def test_changes_arrive_and_go_on_where_they_were_left(
    app: FastAPI, coordinator: Person, supervisor: Person
) -> None:
    headers = {**coordinator.http.headers, "Host": HOST}
    async with served(app) as (url, stop, task), httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
        async with http.stream("GET", "/stream") as live:
            assert live.headers["content-type"].startswith("text/event-stream")
            lines = live.aiter_lines()
            assert (await anext(lines)).startswith("retry")
            await supervisor.open(team="europe")
            opened = await coordinator.open()
            first = (await read(lines, 1))[0]
            assert (first["case"], first["version"]) == (opened["case"], opened["version"])
        later = await coordinator.open()
        async with http.stream("GET", "/stream", headers={"Last-Event-ID": str(first["id"])}) as live:
            assert (await read(live.aiter_lines(), 1))[0]["case"] == later["case"]
            began = time.monotonic()
            stop.set()
            await task
            assert time.monotonic() - began < 2
    app.state.ringing.stopping.clear()


async def test_no_event_id_of_ours(coordinator: Person) -> None:
    for wrong in ("x", "-1", "9" * 30, "²"):
        answer = await coordinator.http.get("/stream", headers=[(b"Last-Event-ID", wrong.encode())])
        assert_problem(answer, 400, "malformed")


async def test_health(nobody: httpx2.AsyncClient, here: Parts) -> None:
    assert (await nobody.get("/healthz")).json() == {"status": "alive"}
    await seal(here)  # the staff was registered some time ago
    ready = await nobody.get("/readyz")
    assert ready.status_code == 200
    parts = {"database": "ok", "schema": "ok", "keys": "ok", "courier": "away", "sealing": "ok", "clock": "ok"}
    parts |= {"erasures": "ok"}
    told = ready.json()
    told.pop("calendars", None)  # of which countries one ends within two years hangs on today
    assert told == {"status": "degraded", "parts": parts, "leaders": {}}


async def test_however_many_ask_at_once_the_database_is_asked_once(here: Parts) -> None:
    app, asked = http_app(here, limits=NO_LIMIT), 0

    async def counted() -> bool:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        return True

    readiness = Readiness(replace(app.state.service, needed={"database": counted}, wanted={}))
    assert len({str(told) for told in await asyncio.gather(*(readiness.now() for _ in range(50)))}) == 1
    assert asked == 1
    await readiness.now()
    assert asked == 2, "who asks later is not told what was found before"


async def test_not_ready_without_a_database(here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(type(here.ledger.pool), "fetchval", away)
    async with client(http_app(here, limits=NO_LIMIT)) as http:
        ready = await http.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["database"] == "away"


async def test_a_database_that_is_away(coordinator: Person, here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(ask: CommandRequest) -> None:
        raise DatabaseFailed("ConnectionDoesNotExistError", away=True)

    monkeypatch.setattr(here.commands, "record", away)
    answer = await coordinator.post(
        "/cases",
        {"country": "IN", "language": "hi", "zone": "UTC", "patient_name": CANARY, "despite_duplicates": "a test"},
    )
    assert_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"]


async def test_an_unknown_failure_says_an_incident_and_nothing_else(
    coordinator: Person, here: Parts, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    async def broken(ask: CommandRequest) -> None:
        raise RuntimeError(f"cannot read {CANARY}")

    monkeypatch.setattr(here.commands, "record", broken)
    answer = await coordinator.post(
        "/cases",
        {"country": "IN", "language": "hi", "zone": "UTC", "patient_name": CANARY, "despite_duplicates": "a test"},
    )
    assert_problem(answer, 500, "failed")
    incident = answer.json()["detail"].rsplit(" ", 1)[-1]
    text = logged.getvalue()
    assert incident in text
    assert "RuntimeError" in text
    assert "Canary" not in text


async def test_metrics(nobody: httpx2.AsyncClient, coordinator: Person) -> None:
    await coordinator.open()
    text = (await nobody.get("/metrics")).text
    for name in (
        "caravel_oldest_unattended_case_seconds", "caravel_oldest_overdue_obligation_seconds",
        "caravel_oldest_unwoken_case_seconds", "caravel_claims_past_lease",
        'caravel_open_cases{stage="inquiry"}', 'caravel_http_seconds_count{method="POST",route="/cases",status="201"}',
    ):  # fmt: skip
        assert name in text
    oldest = next(line for line in text.splitlines() if line.startswith("caravel_oldest_unattended"))
    assert float(oldest.split()[1]) > 0


async def test_nothing_personal_in_logs_metrics_and_problems(
    coordinator: Person, nobody: httpx2.AsyncClient, logged: io.StringIO
) -> None:
    opened = await coordinator.open(patient_phone=f"{CANARY} 5550", diagnosis=f"{CANARY} leukaemia")
    case = opened["case"]
    await coordinator.send(case, "AddNote", kind="note", text=CANARY)
    refused = [
        await coordinator.send(case, "AddNote", kind=CANARY, text=CANARY),
        await coordinator.send(case, CANARY),
        await coordinator.send(case, "AddPerson", role="carer", name=CANARY, zone=CANARY, language="en"),
        await coordinator.send(case, "GiveConsent", purpose="trial", person=CANARY, form_version=CANARY, language="en"),
        await coordinator.post("/cases", {"patient_name": CANARY, "country": CANARY, "language": "x", "zone": CANARY}),
        await coordinator.get(f"/cases/{CANARY}"),
        await coordinator.get("/cases", q=CANARY, team=CANARY),
        await coordinator.get(f"/{CANARY}"),
        await nobody.post(f"/hospitals/{CANARY}/callbacks", content=CANARY.encode()),
        await nobody.post(f"/reply/{CANARY}", data={"type": CANARY}),
        await nobody.request(CANARY.split(maxsplit=1)[0].upper(), f"/cases/{CANARY}"),
    ]
    said = "".join(answer.text for answer in refused if answer.is_error)
    said += logged.getvalue() + (await nobody.get("/metrics")).text
    for word in ("Wilhelmina", "WILHELMINA", "Canary", "Øster"):
        assert word not in said
    assert case in said
